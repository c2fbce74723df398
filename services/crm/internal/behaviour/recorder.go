package behaviour

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// errRollback ends a transaction whose work was only a trial.
var errRollback = errors.New("validate only")

// Recorder records events.
type Recorder struct {
	pool     *pgxpool.Pool
	location *time.Location
	window   time.Duration
	months   *months
}

// NewRecorder binds the room to its database, the bank's time zone and how long events are kept; 0 keeps them for ever.
func NewRecorder(pool *pgxpool.Pool, location *time.Location, window time.Duration) *Recorder {
	return &Recorder{pool: pool, location: location, window: window, months: newMonths(pool)}
}

// entry is one message of a bundle on its way.
type entry struct {
	row      *Row
	keyHash  uuid.UUID
	content  int64
	err      error
	outcome  crmv1.UpsertOutcome
	repeated *entry // the earlier one of the bundle with the same key
}

// Record takes in a bundle in one transaction; what is wrong with one event is in its result, and the others go in.
func (r *Recorder) Record(ctx context.Context, messages []*crmv1.BehaviourEvent, validateOnly bool) ([]*crmv1.UpsertResult, error) {
	entries, err := r.read(ctx, messages)
	if err != nil {
		return nil, err
	}
	open := firstOfEachKey(entries)
	if err := r.months.ensure(ctx, open); err != nil {
		return nil, err
	}
	err = pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error {
		if err := r.write(ctx, tx, open); err != nil {
			return err
		}
		if validateOnly {
			return errRollback
		}
		return nil
	})
	if err != nil && !errors.Is(err, errRollback) {
		return nil, err
	}
	return results(entries), nil
}

func (r *Recorder) read(ctx context.Context, messages []*crmv1.BehaviourEvent) ([]*entry, error) {
	now := time.Now()
	entries, refs := make([]*entry, len(messages)), make([][]record.Reference, len(messages))
	for i, m := range messages {
		e := &entry{}
		var asked []record.Reference
		if e.row, asked, e.err = read(m, now, r.window); e.err == nil {
			refs[i] = asked
		}
		entries[i] = e
	}
	unresolved, err := record.Resolve(ctx, r.pool, refs)
	if err != nil {
		return nil, err
	}
	for i, e := range entries {
		if e.err == nil {
			e.err = unresolved[i]
		}
	}
	if err := r.refuseUnseen(ctx, entries); err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.err != nil {
			continue
		}
		raw, err := json.Marshal(e.row)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(raw)
		e.content = int64(binary.BigEndian.Uint64(sum[:8])) //nolint:gosec // 64 bits of a hash, whatever they mean
		sum = sha256.Sum256([]byte(e.row.Source + "\x00" + e.row.ExternalID))
		e.keyHash = uuid.UUID(sum[:16])
	}
	return entries, nil
}

// refuseUnseen refuses events of customers whom the caller does not see.
func (r *Recorder) refuseUnseen(ctx context.Context, entries []*entry) error {
	if sight.Of(ctx).AllRows() {
		return nil
	}
	var ids []int64
	for _, e := range entries {
		if e.err == nil && e.row.CustomerID != nil {
			ids = append(ids, *e.row.CustomerID)
		}
	}
	seen, err := customer.Table.Sees(ctx, r.pool, ids...)
	for _, e := range entries {
		if e.err == nil && e.row.CustomerID != nil && !seen[*e.row.CustomerID] {
			e.err = apperr.New(codes.PermissionDenied, apperr.ReasonOutOfScope,
				"customer_id: the customer is outside of those that you may work for")
		}
	}
	return err
}

// firstOfEachKey takes the entries that are right and whose key did not come earlier; the others follow the earlier one.
func firstOfEachKey(entries []*entry) []*entry {
	seen := map[uuid.UUID]*entry{}
	var out []*entry
	for _, e := range entries {
		if e.err != nil {
			continue
		}
		if e.repeated = seen[e.keyHash]; e.repeated == nil {
			seen[e.keyHash] = e
			out = append(out, e)
		}
	}
	return out
}

func results(entries []*entry) []*crmv1.UpsertResult {
	out := make([]*crmv1.UpsertResult, len(entries))
	for i, e := range entries {
		if first := e.repeated; first != nil && e.err == nil {
			if e.err = first.err; e.err == nil && first.content != e.content {
				e.err = e.conflict()
			}
			e.row.ID, e.outcome = first.row.ID, crmv1.UpsertOutcome_UPSERT_OUTCOME_UNCHANGED
		}
		if e.err != nil {
			out[i] = record.Refused(e.err)
			continue
		}
		out[i] = &crmv1.UpsertResult{Id: e.row.ID, Outcome: e.outcome}
	}
	return out
}

func (e *entry) conflict() error {
	return apperr.Duplicate("key", "%s is already recorded with other content; an event never changes", e.row.key())
}
