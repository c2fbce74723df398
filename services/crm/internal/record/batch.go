package record

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// batchTriesMax bounds how often a batch that Postgres ended in favour of another one starts again.
const batchTriesMax = 5

// errRollback ends a transaction whose work was only a trial.
var errRollback = errors.New("validate only")

// Batch says how a batch upsert is to be done.
type Batch struct {
	// ImportID, a UUID, or empty: within one import a key may come again only with the same content.
	ImportID string
	// ValidateOnly checks the rows and writes nothing.
	ValidateOnly bool
}

// row is one message of a batch on its way.
type row[R any] struct {
	*item
	record *Record[R]
	// sent is the row as the message gave it, before Change filled anything in.
	sent R
	// old is the stored row, nil while none is known.
	old     *R
	outcome crmv1.UpsertOutcome
	// repeats is the earlier row of the batch with the same key and content; only that one is written.
	repeats *row[R]
}

// open says that the row still has to be written.
func (r *row[R]) open() bool { return r.err == nil && r.outcome == 0 && r.repeats == nil }

// BatchUpsert creates or changes records by external key. Each row stands for itself: what is wrong with one is in its
// result, and the others are written, all in one transaction.
func (s *Store[P, R]) BatchUpsert(ctx context.Context, messages []P, batch Batch) ([]*crmv1.UpsertResult, error) {
	write, apart := s.writeOpen, false
	for try := 1; ; try++ {
		rows := make([]*row[R], len(messages))
		for i, message := range messages {
			rows[i] = s.newRow(message)
		}
		err := s.upsertRows(ctx, rows, batch, write)
		switch {
		case err == nil:
			return results(rows), nil
		case Broken(err) && !apart:
			// A row broke a constraint that only the table knows. Refusals are rare: only now it is worth finding out which.
			write, apart = s.writeApart, true
		case !contended(err):
			return nil, err
		case try >= batchTriesMax:
			return nil, apperr.Wrap(err, codes.Aborted, apperr.ReasonFailedPrecondition, "the same records are being written by others; try again")
		}
	}
}

func (s *Store[P, R]) newRow(message P) *row[R] {
	r, it := s.prepare(message)
	if it.err == nil && r.Source == nil {
		it.err = apperr.InvalidField("key", "is required in a batch")
	}
	return &row[R]{item: it, record: r}
}

// writer writes the open rows of a batch.
type writer[R any] func(ctx context.Context, tx pgx.Tx, rows []*row[R], importID *uuid.UUID) error

func (s *Store[P, R]) upsertRows(ctx context.Context, rows []*row[R], batch Batch, write writer[R]) error {
	importID, err := parseImportID(batch.ImportID)
	if err != nil {
		return err
	}
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := s.upsertIn(ctx, tx, rows, importID, write); err != nil {
			return err
		}
		if batch.ValidateOnly {
			return errRollback
		}
		return nil
	})
	if !errors.Is(err, errRollback) {
		return err
	}
	for _, r := range rows {
		created := r.outcome == crmv1.UpsertOutcome_UPSERT_OUTCOME_CREATED
		if created || (r.repeats != nil && r.repeats.outcome == crmv1.UpsertOutcome_UPSERT_OUTCOME_CREATED) {
			r.record.ID = 0 // the number that was drawn belongs to nobody
		}
	}
	return nil
}

// upsertIn resolves references, then compares with what is stored, then writes what differs.
func (s *Store[P, R]) upsertIn(ctx context.Context, tx pgx.Tx, rows []*row[R], importID *uuid.UUID, write writer[R]) error {
	items := make([]*item, len(rows))
	for i, r := range rows {
		items[i] = r.item
	}
	if err := s.complete(ctx, tx, recordsOf(rows), items); err != nil {
		return err
	}
	for _, r := range rows {
		if r.err != nil {
			continue
		}
		hash, err := content(r.record.Row)
		if err != nil {
			return err
		}
		r.record.Hash, r.record.ImportID, r.sent = hash, importID, r.record.Row
	}
	findRepeats(rows)
	if err := write(ctx, tx, openRows(rows), importID); err != nil {
		return err
	}
	for _, r := range rows {
		if r.repeats != nil {
			r.err, r.record.ID = r.repeats.err, r.repeats.record.ID
			r.outcome = crmv1.UpsertOutcome_UPSERT_OUTCOME_UNCHANGED
		}
	}
	return nil
}

// writeOpen adds what is new, then changes what is there. Adding goes first and in the order of keys, locking in the
// order of ids, so that batches over the same records wait for each other in one direction only and never deadlock.
func (s *Store[P, R]) writeOpen(ctx context.Context, tx pgx.Tx, rows []*row[R], importID *uuid.UUID) error {
	open := openRows(rows)
	known, err := s.room.Table.knownKeys(ctx, tx, recordsOf(open))
	if err != nil {
		return err
	}
	var added []*row[R]
	for _, r := range open {
		if known[keyText(r.record.Key())] {
			continue
		}
		r.record.Row = r.sent
		if r.err = s.change(nil, &r.record.Row); r.err == nil {
			added = append(added, r)
		}
	}
	if err := s.store(ctx, tx, added, s.room.Table.insert, crmv1.UpsertOutcome_UPSERT_OUTCOME_CREATED); err != nil {
		return err
	}
	// A row that another call added at the same moment is still open: by now it can be read.
	if err := s.writeKnown(ctx, tx, openRows(rows), importID); err != nil {
		return err
	}
	return s.checkDeferred(ctx, tx)
}

// writeApart writes rows under savepoints, in halves of halves, until those that the table refuses stand alone.
func (s *Store[P, R]) writeApart(ctx context.Context, tx pgx.Tx, rows []*row[R], importID *uuid.UUID) error {
	err := pgx.BeginFunc(ctx, tx, func(savepoint pgx.Tx) error { return s.writeOpen(ctx, savepoint, rows, importID) })
	if !Broken(err) {
		return err
	}
	if len(rows) == 1 {
		rows[0].err = s.constraint(err)
		return nil
	}
	for _, r := range rows {
		r.outcome, r.record.ID, r.record.Version, r.old = 0, 0, 0, nil
	}
	half := len(rows) / 2
	if err := s.writeApart(ctx, tx, rows[:half], importID); err != nil {
		return err
	}
	return s.writeApart(ctx, tx, rows[half:], importID)
}

// findRepeats finds keys that come more than once in the batch: the same content is one row, other content is an error.
func findRepeats[R any](rows []*row[R]) {
	first := map[string]*row[R]{}
	for _, r := range rows {
		if !r.open() {
			continue
		}
		key := keyText(r.record.Key())
		before, seen := first[key]
		switch {
		case !seen:
			first[key] = r
		case bytes.Equal(before.record.Hash, r.record.Hash):
			r.repeats = before
		default:
			r.err = conflict(key)
		}
	}
}

func conflict(key string) error {
	return apperr.Duplicate("key", "%s came before in this import with other content", key)
}

// writeKnown compares rows with the stored records and changes those that differ.
func (s *Store[P, R]) writeKnown(ctx context.Context, tx pgx.Tx, rows []*row[R], importID *uuid.UUID) error {
	if len(rows) == 0 {
		return nil
	}
	stored, err := s.room.Table.lockKeys(ctx, tx, recordsOf(rows))
	if err != nil {
		return err
	}
	if err := s.checkStored(ctx, tx, rows, stored); err != nil {
		return err
	}
	var changed []*row[R]
	var same []int64
	for _, r := range openRows(rows) {
		old := stored[keyText(r.record.Key())]
		if old == nil {
			return fmt.Errorf("%s %s is neither new nor stored", s.room.Table.entity, keyText(r.record.Key()))
		}
		switch s.compare(r, old) {
		case crmv1.UpsertOutcome_UPSERT_OUTCOME_UPDATED:
			changed = append(changed, r)
		case crmv1.UpsertOutcome_UPSERT_OUTCOME_UNCHANGED:
			r.outcome = crmv1.UpsertOutcome_UPSERT_OUTCOME_UNCHANGED
			if importID != nil && (old.ImportID == nil || *old.ImportID != *importID) {
				same = append(same, old.ID)
			}
		default: // refused: the error is set
		}
	}
	if len(same) > 0 {
		if err := s.room.Table.touch(ctx, tx, same, *importID); err != nil {
			return err
		}
	}
	return s.store(ctx, tx, changed, s.room.Table.update, crmv1.UpsertOutcome_UPSERT_OUTCOME_UPDATED)
}

// compare says what is to be done with a row whose record is stored; a refusal sets the row's error.
func (s *Store[P, R]) compare(r *row[R], old *Record[R]) crmv1.UpsertOutcome {
	r.record.Row, r.record.ID, r.record.CreatedAt, r.old = r.sent, old.ID, old.CreatedAt, &old.Row
	sameImport := old.ImportID != nil && r.record.ImportID != nil && *old.ImportID == *r.record.ImportID
	switch {
	case bytes.Equal(old.Hash, r.record.Hash):
		return crmv1.UpsertOutcome_UPSERT_OUTCOME_UNCHANGED
	case sameImport:
		r.err = conflict(keyText(old.Key()))
	default:
		r.err = s.change(&old.Row, &r.record.Row)
	}
	if r.err != nil {
		return crmv1.UpsertOutcome_UPSERT_OUTCOME_UNSPECIFIED
	}
	return crmv1.UpsertOutcome_UPSERT_OUTCOME_UPDATED
}

// statement writes records and fills in their versions.
type statement[R any] func(context.Context, pgx.Tx, []*Record[R]) error

// store writes rows by a statement and leaves their events. A row that was not written stays open.
func (s *Store[P, R]) store(ctx context.Context, tx pgx.Tx, rows []*row[R], write statement[R], outcome crmv1.UpsertOutcome) error {
	if len(rows) == 0 {
		return nil
	}
	if err := write(ctx, tx, recordsOf(rows)); err != nil {
		return err
	}
	written := slices.DeleteFunc(slices.Clone(rows), func(r *row[R]) bool { return r.record.Version == 0 })
	old := make([]*R, len(written))
	for i, r := range written {
		r.outcome, old[i] = outcome, r.old
	}
	return s.publish(ctx, tx, recordsOf(written), old)
}

func parseImportID(text string) (*uuid.UUID, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // no import is not an error
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return nil, apperr.InvalidField("import_id", "must be a UUID")
	}
	return &id, nil
}

func openRows[R any](rows []*row[R]) []*row[R] {
	return slices.DeleteFunc(slices.Clone(rows), func(r *row[R]) bool { return !r.open() })
}

func recordsOf[R any](rows []*row[R]) []*Record[R] {
	out := make([]*Record[R], len(rows))
	for i, r := range rows {
		out[i] = r.record
	}
	return out
}

func results[R any](rows []*row[R]) []*crmv1.UpsertResult {
	out := make([]*crmv1.UpsertResult, len(rows))
	for i, r := range rows {
		if r.err != nil {
			out[i] = Refused(r.err)
			continue
		}
		out[i] = &crmv1.UpsertResult{Id: r.record.ID, Outcome: r.outcome}
	}
	return out
}

// Refused renders the result of a row that was not taken.
func Refused(err error) *crmv1.UpsertResult {
	st, _ := apperr.Public(err)
	return &crmv1.UpsertResult{Error: st.Proto()}
}
