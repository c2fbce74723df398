package consent

import (
	"context"
	_ "embed" // the statement
	"time"

	"github.com/jackc/pgx/v5"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// channelAny is the channel of decisions that cover every channel.
var channelAny = record.EnumText(crmv1.ConsentChannel_CONSENT_CHANNEL_ANY)

//go:embed latest.sql
var latestSQL string

// decision is what a record says at a time.
type decision struct {
	record  *record.Record[Row]
	at      time.Time
	granted bool
}

// decisionAt reads a record that decides at a time: by its withdrawal once that is past, before by its grant.
func decisionAt(r *record.Record[Row], at time.Time) decision {
	if w := r.Row.WithdrawnAt; w != nil && !w.After(at) {
		return decision{record: r, at: *w}
	}
	return decision{record: r, at: *r.Row.GrantedAt, granted: true}
}

// over says whether a decision counts before another one: the newer does, of the same moment the withdrawal, and of two
// alike the one for the channel alone.
func (d decision) over(other decision) bool {
	switch {
	case !d.at.Equal(other.at):
		return d.at.After(other.at)
	case d.granted != other.granted:
		return !d.granted
	default:
		return d.record.Row.Channel != channelAny
	}
}

// latest returns the newest decision for each purpose and channel at a time, by purpose, ANY channel first. An empty
// purpose and no channels stand for all.
func latest(ctx context.Context, q record.Querier, customerID int64, at time.Time, purpose string, channels []string) ([]decision, error) {
	found, err := Table.Select(ctx, q, latestSQL, customerID, at, purpose, channels)
	if err != nil {
		return nil, err
	}
	decisions := make([]decision, len(found))
	for i, r := range found {
		decisions[i] = decisionAt(r, at)
	}
	return decisions, nil
}

// expired returns the grant that expired last by a time, or nil.
func expired(ctx context.Context, q record.Querier, customerID int64, at time.Time, purpose string, channels []string) (*record.Record[Row], error) {
	found, err := Table.Select(ctx, q, `customer_id = $1 AND expires_at <= $2 AND purpose = $3 AND channel = ANY($4)
ORDER BY expires_at DESC, consent_id DESC LIMIT 1`, customerID, at, purpose, channels)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// clock is the database's time: the one by which decisions without a time of their own are dated.
func clock(ctx context.Context, q record.Querier) (time.Time, error) {
	rows, err := q.Query(ctx, "SELECT clock_timestamp()")
	if err != nil {
		return time.Time{}, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowTo[time.Time])
}

// InForce returns a customer's grants that decide now for some channel, by purpose, ANY channel first. In a snapshot it
// must not be the first to read: its now is then later than everything that it sees. changed is the newest change of the
// records behind the answer, withdrawals too.
func InForce(
	ctx context.Context, q record.Querier, customerID int64, limit int,
) (standing []*crmv1.StandingConsent, changed time.Time, err error) {
	now, err := clock(ctx, q)
	if err != nil {
		return nil, changed, err
	}
	decisions, err := latest(ctx, q, customerID, now, "", nil)
	if err != nil {
		return nil, changed, err
	}
	for _, d := range decisions {
		if d.record.UpdatedAt.After(changed) {
			changed = d.record.UpdatedAt
		}
	}
	standing = inForce(decisions)
	return standing[:min(limit, len(standing))], changed, nil
}

// inForce finds the grants among the newest decisions that none for ANY channel overrules, and what was taken out of them.
func inForce(decisions []decision) []*crmv1.StandingConsent {
	var standing []*crmv1.StandingConsent
	var all *decision               // the decision for ANY channel of the purpose at hand; it comes first
	var open *crmv1.StandingConsent // the same, as long as it is a grant
	for i, d := range decisions {
		if i == 0 || d.record.Row.Purpose != decisions[i-1].record.Row.Purpose {
			all, open = nil, nil
		}
		if all != nil && !d.over(*all) {
			continue
		}
		if d.record.Row.Channel == channelAny {
			all = &decisions[i]
		}
		switch {
		case d.granted:
			shown := &crmv1.StandingConsent{Consent: toProto(d.record)}
			standing = append(standing, shown)
			if d.record.Row.Channel == channelAny {
				open = shown
			}
		case open != nil:
			open.ExceptChannels = append(open.ExceptChannels, record.EnumValue[crmv1.ConsentChannel](d.record.Row.Channel))
		}
	}
	return standing
}
