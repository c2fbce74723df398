package plan

import (
	"cmp"
	"context"
	_ "embed" // the SQL files
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/natsx"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/audit"
	"tandem.bank/services/crm/internal/outbox"
	"tandem.bank/services/crm/internal/record"
)

// rejectionsMax is how many refusals are told one by one.
const rejectionsMax = 10000

var (
	//go:embed known.sql
	knownSQL string
	//go:embed insert.sql
	insertSQL string
)

// errTrial ends a transaction whose work was only checked.
var errTrial = errors.New("validate only")

// importing is an import on its way: one transaction, with the plan locked.
type importing struct {
	tx     pgx.Tx
	header *crmv1.PlanImportHeader
	answer *crmv1.ImportPlanResponse
	// planID and version of the plan's events, and the version of the plan that is being made.
	planID, version, making int64
	now                     time.Time
	bundle                  *eventsv1.PlanBundle
	bytes                   int
}

// begin creates the plan if it has to, and locks it: imports of one plan follow each other. done says that the import was done
// before; the answer is then the first one.
func (i *importing) begin(ctx context.Context) (done bool, err error) {
	// An import waits for another one of the same plan, and a client that stalls loses its transaction: both not for ever.
	const patience = "SELECT set_config('lock_timeout', '60s', true), set_config('idle_in_transaction_session_timeout', '60s', true)"
	if _, err := i.tx.Exec(ctx, patience); err != nil {
		return false, err
	}
	const create = "INSERT INTO plan (name, title) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING"
	if _, err := i.tx.Exec(ctx, create, i.header.GetName(), cmp.Or(i.header.GetTitle(), i.header.GetName())); err != nil {
		return false, busy(err)
	}
	const lock = "SELECT plan_id, title, version, plan_version + 1, created_at, updated_at, now() FROM plan WHERE name = $1 FOR UPDATE"
	var created, updated time.Time
	var title string
	err = i.tx.QueryRow(ctx, lock, i.header.GetName()).Scan(&i.planID, &title, &i.version, &i.making, &created, &updated, &i.now)
	if err != nil {
		return false, busy(err)
	}
	i.answer = &crmv1.ImportPlanResponse{Plan: &crmv1.Plan{
		PlanId: i.planID, Name: i.header.GetName(), Title: title, Version: i.making - 1,
		CreateTime: timestamppb.New(created), UpdateTime: timestamppb.New(updated),
	}}
	if i.header.GetImportId() == "" {
		return false, nil
	}
	var raw []byte
	err = i.tx.QueryRow(ctx, "SELECT answer FROM plan_version WHERE plan_id = $1 AND import_id = $2", i.planID, i.header.GetImportId()).Scan(&raw)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, proto.Unmarshal(raw, i.answer)
}

// row is a row of a chunk on its way.
type row struct {
	line int64
	*value
	refs []record.Reference
	err  error
	// known says that the plan has a version of the figure, unchanged that it is the same.
	known, unchanged bool
}

func (r *row) open() bool { return r.err == nil && !r.unchanged }

// take takes in a chunk: what is wrong in it is noted, the rest is written and bundled.
func (i *importing) take(ctx context.Context, chunk []*crmv1.PlanImportRow) error {
	rows := make([]*row, len(chunk))
	refs := make([][]record.Reference, len(chunk))
	for n, sent := range chunk {
		r := &row{line: sent.GetLine()}
		if r.value, r.refs, r.err = read(sent.GetValue()); r.err == nil {
			refs[n] = r.refs
		}
		rows[n] = r
	}
	unresolved, err := record.Resolve(ctx, i.tx, refs)
	if err != nil {
		return err
	}
	for n, r := range rows {
		if r.err == nil {
			r.err = unresolved[n]
		}
	}
	if err := i.compare(ctx, rows); err != nil {
		return err
	}
	if err := i.insert(ctx, rows); err != nil {
		return err
	}
	for _, r := range rows {
		i.count(r)
	}
	return nil
}

// compare finds the figures that the plan has already, and those that the import set before to something else.
func (i *importing) compare(ctx context.Context, rows []*row) error {
	var asked, repeated []*row
	set := map[named]*value{} // what the import sets each figure to
	for _, r := range rows {
		switch {
		case r.err != nil:
		case set[r.named()] != nil:
			repeated = append(repeated, r)
		default:
			set[r.named()] = r.value
			asked = append(asked, r)
		}
	}
	if err := i.compareStored(ctx, asked, set); err != nil {
		return err
	}
	for _, r := range repeated {
		r.repeats(set[r.named()])
	}
	return nil
}

// compareStored compares rows of different figures with what the plan has, and with what the import set in messages before.
func (i *importing) compareStored(ctx context.Context, asked []*row, set map[named]*value) error {
	document, err := valuesOf(asked)
	if err != nil || len(asked) == 0 {
		return err
	}
	found, err := i.tx.Query(ctx, knownSQL, i.planID, document)
	if err != nil {
		return err
	}
	var place int
	var version int64
	var stored value
	_, err = pgx.ForEachRow(found, []any{&place, &version, &stored.Amount, &stored.Volume, &stored.Price, &stored.Withdrawn}, func() error {
		r, newest := asked[place-1], stored
		r.known = true
		if version == i.making {
			set[r.named()] = &newest
			r.repeats(&newest)
		} else {
			r.unchanged = r.same(&newest)
		}
		return nil
	})
	for _, r := range asked {
		r.unchanged = r.unchanged || r.Withdrawn && !r.known // nothing is planned there, so there is nothing to withdraw
	}
	return err
}

// repeats settles a row whose figure the import has set already.
func (r *row) repeats(before *value) {
	if r.unchanged = r.same(before); !r.unchanged {
		r.err = apperr.Duplicate("indicator", "this figure came before in the import, with other content")
	}
}

// valuesOf renders rows for a statement.
func valuesOf(rows []*row) ([]byte, error) {
	values := make([]*value, len(rows))
	for n, r := range rows {
		values[n] = r.value
	}
	return json.Marshal(values)
}

// insert writes the figures that are new, and puts them into bundles.
func (i *importing) insert(ctx context.Context, rows []*row) error {
	var fresh []*row
	for _, r := range rows {
		if r.open() {
			fresh = append(fresh, r)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	document, err := valuesOf(fresh)
	if err != nil {
		return err
	}
	if _, err := i.tx.Exec(ctx, insertSQL, i.planID, i.making, document); err != nil {
		return err
	}
	for _, r := range fresh {
		if err := i.add(ctx, r.state()); err != nil {
			return err
		}
	}
	return nil
}

// add puts a figure into the bundle, and sends the bundle on its way when it is full.
func (i *importing) add(ctx context.Context, state *eventsv1.PlanValueState) error {
	size := proto.Size(state)
	if i.bundle != nil && i.bytes+size > natsx.BundleBytesTarget {
		if err := i.publish(ctx); err != nil {
			return err
		}
	}
	if i.bundle == nil {
		i.bundle, i.bytes = &eventsv1.PlanBundle{Name: i.header.GetName(), PlanVersion: i.making, PlanTime: timestamppb.New(i.now)}, 0
	}
	i.bundle.Values = append(i.bundle.Values, state)
	i.bytes += size
	return nil
}

// summary is what the audit keeps of a bundle; the figures themselves stay in the plan, in every version.
type summary struct {
	Name        string `json:"name"`
	Title       string `json:"title,omitempty"`
	PlanVersion int64  `json:"plan_version"`
	Values      int    `json:"values"`
	Note        string `json:"note,omitempty"`
}

// publish leaves the bundle as an event, and one entry in the audit.
func (i *importing) publish(ctx context.Context) error {
	if i.bundle == nil {
		return nil
	}
	i.version++
	change := &eventsv1.Change{
		Entity: "plan", EntityId: i.planID, Version: i.version, ChangeTime: timestamppb.New(i.now), Payload: &eventsv1.Change_Plan{Plan: i.bundle},
	}
	after, err := json.Marshal(summary{i.header.GetName(), i.header.GetTitle(), i.making, len(i.bundle.GetValues()), i.header.GetNote()})
	if err != nil {
		return err
	}
	entry := audit.Entry{Action: audit.Update, Entity: "plan", EntityID: i.planID, Version: i.version, After: after}
	if i.version == 1 {
		entry.Action = audit.Create
	}
	i.bundle = nil
	if err := outbox.Append(ctx, i.tx, []*eventsv1.Change{change}); err != nil {
		return err
	}
	return audit.Append(ctx, i.tx, []audit.Entry{entry})
}

func (i *importing) count(r *row) {
	switch {
	case r.err != nil:
		i.answer.Rejected++
		if len(i.answer.GetRejections()) < rejectionsMax {
			i.answer.Rejections = append(i.answer.Rejections, &crmv1.RejectedPlanRow{Line: r.line, Error: record.Refused(r.err).GetError()})
		}
	case r.unchanged:
		i.answer.Unchanged++
	default:
		i.answer.Changed++
	}
}

// end makes the version, if any figure changed.
func (i *importing) end(ctx context.Context) error {
	if err := i.publish(ctx); err != nil {
		return err
	}
	if i.header.GetValidateOnly() {
		return errTrial
	}
	if i.answer.GetChanged() == 0 {
		return nil
	}
	title := cmp.Or(i.header.GetTitle(), i.answer.GetPlan().GetTitle())
	i.answer.Version, i.answer.Plan.Version, i.answer.Plan.Title, i.answer.Plan.UpdateTime = i.making, i.making, title, timestamppb.New(i.now)
	const update = "UPDATE plan SET title = $2, plan_version = $3, version = $4, updated_at = now() WHERE plan_id = $1"
	if _, err := i.tx.Exec(ctx, update, i.planID, title, i.making, i.version); err != nil {
		return err
	}
	raw, err := proto.Marshal(i.answer)
	if err != nil {
		return err
	}
	var importID *uuid.UUID
	if id, err := uuid.Parse(i.header.GetImportId()); err == nil {
		importID = &id
	}
	const insert = `INSERT INTO plan_version (plan_id, plan_version, author, note, import_id, changed, answer) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	_, err = i.tx.Exec(ctx, insert, i.planID, i.making, outbox.Actor(ctx), i.header.GetNote(), importID, i.answer.GetChanged(), raw)
	return err
}

func errNoHeader() error {
	return apperr.InvalidField("header", "must come with the first message, and with no other")
}

// busy tells that another import of the plan did not come to an end in time.
func busy(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == pgerrcode.LockNotAvailable {
		return apperr.Wrap(err, codes.Aborted, apperr.ReasonFailedPrecondition, "another import of this plan is running; try again when it is done")
	}
	return err
}
