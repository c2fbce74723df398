package transaction

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/account"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// passesMax bounds how often one bundle is gone through: a key that comes again in the bundle, or that another call
// inserted at the same moment, waits for the next pass.
const passesMax = 100

// errRollback ends a transaction whose work was only a trial.
var errRollback = errors.New("validate only")

// errLate refuses what comes for a month that is no longer kept.
var errLate = &apperr.Error{
	Code: codes.FailedPrecondition, Reason: apperr.ReasonFailedPrecondition,
	Message: "business_date: transactions of that month are no longer kept; only repetitions of recorded ones are recognised",
	Violations: []apperr.Violation{{
		Field: "business_date", Description: "transactions of that month are no longer kept; only repetitions of recorded ones are recognised",
	}},
}

// Ledger records transactions.
type Ledger struct {
	pool         *pgxpool.Pool
	baseCurrency string
	months       *months
}

// NewLedger binds the ledger to its database and the bank's base currency.
func NewLedger(pool *pgxpool.Pool, baseCurrency string) *Ledger {
	return &Ledger{pool: pool, baseCurrency: baseCurrency, months: newMonths(pool)}
}

// entry is one message of a bundle on its way.
type entry struct {
	row     *Row
	refs    []record.Reference
	hash    []byte
	err     error
	outcome crmv1.UpsertOutcome
	// old is the stored version that this one corrects.
	old *known
	// late says that the month has left the window: what is known of it is known, and nothing else is taken.
	late bool
}

func (e *entry) open() bool { return e.err == nil && e.outcome == 0 }

// Record takes in a bundle in one transaction; what is wrong with one entry is in its result, and the others go in.
func (l *Ledger) Record(ctx context.Context, messages []*crmv1.Transaction, validateOnly bool) ([]*crmv1.UpsertResult, error) {
	entries, err := l.record(ctx, messages, validateOnly)
	if err != nil {
		return nil, err
	}
	return results(entries), nil
}

func (l *Ledger) record(ctx context.Context, messages []*crmv1.Transaction, validateOnly bool) ([]*entry, error) {
	entries, err := l.read(ctx, messages)
	if err != nil {
		return nil, err
	}
	err = l.take(ctx, entries, validateOnly)
	if sqlState(err) == pgerrcode.CheckViolation {
		// A month that this bundle wants left the window at this very moment: now that is known.
		l.months.forget()
		if entries, err = l.read(ctx, messages); err == nil {
			err = l.take(ctx, entries, validateOnly)
		}
	}
	if err != nil && !errors.Is(err, errRollback) {
		return nil, err
	}
	return entries, nil
}

// take writes entries in one transaction.
func (l *Ledger) take(ctx context.Context, entries []*entry, validateOnly bool) error {
	kept, err := keptFrom(ctx, l.pool)
	if err != nil {
		return err
	}
	for _, e := range entries {
		e.late = e.err == nil && e.row.BusinessDate.Time.Before(kept)
	}
	if err := l.months.ensure(ctx, entries); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		if err := l.write(ctx, tx, entries); err != nil {
			return err
		}
		if validateOnly {
			return errRollback
		}
		return nil
	})
}

func (l *Ledger) read(ctx context.Context, messages []*crmv1.Transaction) ([]*entry, error) {
	now := time.Now()
	entries, refs := make([]*entry, len(messages)), make([][]record.Reference, len(messages))
	for i, m := range messages {
		e := &entry{}
		if e.row, e.refs, e.err = read(m, l.baseCurrency, now); e.err == nil {
			refs[i] = e.refs
		}
		entries[i] = e
	}
	unresolved, err := record.Resolve(ctx, l.pool, refs)
	if err != nil {
		return nil, err
	}
	for i, e := range entries {
		if e.err == nil {
			e.err = unresolved[i]
		}
		if e.err == nil {
			if e.hash, err = contentHash(e.row); err != nil {
				return nil, err
			}
		}
	}
	return entries, l.refuseUnseen(ctx, entries)
}

// refuseUnseen refuses movements on accounts that the caller does not see.
func (l *Ledger) refuseUnseen(ctx context.Context, entries []*entry) error {
	if sight.Of(ctx).AllRows() {
		return nil
	}
	var accounts []int64
	for _, e := range entries {
		if e.err == nil {
			accounts = append(accounts, *e.row.AccountID)
		}
	}
	seen, err := account.Table.Sees(ctx, l.pool, accounts...)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.err == nil && !seen[*e.row.AccountID] {
			e.err = apperr.New(codes.PermissionDenied, apperr.ReasonOutOfScope,
				"account_id: the account belongs to customers outside of those that you may work for")
		}
	}
	return nil
}

func contentHash(row *Row) ([]byte, error) {
	raw, err := json.Marshal(row)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(raw)
	return sum[:16], nil
}

func (l *Ledger) write(ctx context.Context, tx pgx.Tx, entries []*entry) error {
	var written []*entry
	for pass := 0; ; pass++ {
		batch := firstOfEachKey(entries)
		if len(batch) == 0 {
			break
		}
		if pass == passesMax {
			return apperr.New(codes.Aborted, apperr.ReasonFailedPrecondition,
				"one key comes more than %d times in the bundle, or is being written by others", passesMax)
		}
		done, err := l.pass(ctx, tx, batch)
		if err != nil {
			return err
		}
		written = append(written, done...)
	}
	if err := l.updateBalances(ctx, tx, written); err != nil {
		return err
	}
	return l.publish(ctx, tx, written)
}

// pass writes entries of different keys: new ones are inserted, later versions correct what is there.
func (l *Ledger) pass(ctx context.Context, tx pgx.Tx, batch []*entry) ([]*entry, error) {
	stored, err := lockKeys(ctx, tx, batch)
	if err != nil {
		return nil, err
	}
	var added, corrections []*entry
	for _, e := range batch {
		if e.old = stored[e.row.key()]; e.old != nil {
			e.classify()
		}
		switch {
		case !e.open():
		case e.late:
			e.err = errLate
		case e.old == nil:
			added = append(added, e)
		default:
			corrections = append(corrections, e)
		}
	}
	added, err = insert(ctx, tx, added)
	if err != nil {
		return nil, err
	}
	if err := correct(ctx, tx, corrections); err != nil {
		return nil, err
	}
	return append(added, corrections...), nil
}

// classify settles an entry whose key is known, unless it is a correction, which stays open.
func (e *entry) classify() {
	e.row.TransactionID = e.old.transactionID
	switch {
	case e.row.Version < e.old.version:
		// A later version is already there: the late one changes nothing.
		e.outcome = crmv1.UpsertOutcome_UPSERT_OUTCOME_UNCHANGED
	case e.row.Version > e.old.version:
		e.err = e.row.correct(e.old)
	case bytes.Equal(e.hash, e.old.hash):
		e.outcome = crmv1.UpsertOutcome_UPSERT_OUTCOME_UNCHANGED
	default:
		e.err = apperr.Duplicate("key", "%s version %d is already recorded with other content", e.row.key(), e.row.Version)
	}
}

// firstOfEachKey takes the open entries whose key did not come earlier among them.
func firstOfEachKey(entries []*entry) []*entry {
	seen := map[string]bool{}
	var out []*entry
	for _, e := range entries {
		if e.open() && !seen[e.row.key()] {
			seen[e.row.key()] = true
			out = append(out, e)
		}
	}
	return out
}

func results(entries []*entry) []*crmv1.UpsertResult {
	out := make([]*crmv1.UpsertResult, len(entries))
	for i, e := range entries {
		if e.err != nil {
			out[i] = record.Refused(e.err)
			continue
		}
		out[i] = &crmv1.UpsertResult{Id: e.row.TransactionID, Outcome: e.outcome}
	}
	return out
}
