package transaction

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/natsx"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/audit"
	"tandem.bank/services/crm/internal/outbox"
)

// known is what the key table says of a recorded transaction.
type known struct {
	source, externalID string
	transactionID      int64
	accountID          int64
	businessDate       time.Time
	version            int32
	hash               []byte
}

// keys are the columns of a set of external keys.
func keys(entries []*entry) (sources, externalIDs []string) {
	for _, e := range entries {
		sources, externalIDs = append(sources, e.row.Source), append(externalIDs, e.row.ExternalID)
	}
	return sources, externalIDs
}

// lockKeys returns what is recorded under the entries' keys, locked in one order so that bundles can't deadlock.
func lockKeys(ctx context.Context, tx pgx.Tx, entries []*entry) (map[string]*known, error) {
	sources, externalIDs := keys(entries)
	rows, err := tx.Query(ctx, `SELECT source, external_id, transaction_id, account_id, business_date, version, content_hash
FROM transaction_key WHERE (source, external_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
ORDER BY source, external_id FOR UPDATE`, sources, externalIDs)
	if err != nil {
		return nil, err
	}
	out := map[string]*known{}
	var k known
	_, err = pgx.ForEachRow(rows, []any{&k.source, &k.externalID, &k.transactionID, &k.accountID, &k.businessDate, &k.version, &k.hash}, func() error {
		found := k
		out[k.source+"/"+k.externalID] = &found
		return nil
	})
	return out, err
}

// insert claims the keys and adds the rows. An entry whose key another call claimed at the same moment stays open.
func insert(ctx context.Context, tx pgx.Tx, entries []*entry) ([]*entry, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	if err := claim(ctx, tx, entries); err != nil {
		return nil, err
	}
	var claimed []*entry
	for _, e := range entries {
		if e.row.TransactionID != 0 {
			e.outcome = crmv1.UpsertOutcome_UPSERT_OUTCOME_CREATED
			claimed = append(claimed, e)
		}
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"transaction"}, columns, pgx.CopyFromSlice(len(claimed), func(i int) ([]any, error) {
		return claimed[i].row.values(), nil
	}))
	return claimed, err
}

// claim gives each new key its transaction id, in the order of the bundle.
func claim(ctx context.Context, tx pgx.Tx, entries []*entry) error {
	sources, externalIDs := keys(entries)
	byKey := make(map[string]*entry, len(entries))
	accounts, dates := make([]int64, len(entries)), make([]time.Time, len(entries))
	versions, hashes := make([]int32, len(entries)), make([][]byte, len(entries))
	for i, e := range entries {
		byKey[e.row.key()] = e
		accounts[i], dates[i] = *e.row.AccountID, e.row.BusinessDate.Time
		versions[i], hashes[i] = e.row.Version, e.hash
	}
	// Ids follow the order of the bundle; locks follow the order of the keys, so that two bundles can't deadlock.
	rows, err := tx.Query(ctx, `WITH numbered AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('transaction_key', 'transaction_id')) AS transaction_id, k.*
    FROM unnest($1::text[], $2::text[], $3::bigint[], $4::date[], $5::integer[], $6::bytea[])
         WITH ORDINALITY AS k (source, external_id, account_id, business_date, version, content_hash, position)
    ORDER BY position
)
INSERT INTO transaction_key (transaction_id, source, external_id, account_id, business_date, version, content_hash)
OVERRIDING SYSTEM VALUE
SELECT transaction_id, source, external_id, account_id, business_date, version, content_hash
FROM numbered ORDER BY source, external_id
ON CONFLICT DO NOTHING RETURNING source, external_id, transaction_id`, sources, externalIDs, accounts, dates, versions, hashes)
	if err != nil {
		return err
	}
	var source, externalID string
	var id int64
	_, err = pgx.ForEachRow(rows, []any{&source, &externalID, &id}, func() error {
		byKey[source+"/"+externalID].row.TransactionID = id
		return nil
	})
	return err
}

// correct puts later versions in the place of earlier ones.
func correct(ctx context.Context, tx pgx.Tx, entries []*entry) error {
	if len(entries) == 0 {
		return nil
	}
	doc := make([]*Row, len(entries))
	versions, hashes := make([]int32, len(entries)), make([][]byte, len(entries))
	for i, e := range entries {
		doc[i] = e.row
		versions[i], hashes[i] = e.row.Version, e.hash
		e.outcome = crmv1.UpsertOutcome_UPSERT_OUTCOME_UPDATED
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, correctionSQL, raw); err != nil {
		return err
	}
	sources, externalIDs := keys(entries)
	_, err = tx.Exec(ctx, `UPDATE transaction_key k SET version = c.version, content_hash = c.content_hash
FROM unnest($1::text[], $2::text[], $3::integer[], $4::bytea[]) AS c (source, external_id, version, content_hash)
WHERE (k.source, k.external_id) = (c.source, c.external_id)`, sources, externalIDs, versions, hashes)
	return err
}

// updateBalances shows on each account the balance after its newest transaction that stated one. It is no change of the
// account's own record: the transactions carry it to analysis. A correction may have taken the newest statement away, or
// have come for an earlier one of the day: after it the newest is looked up among the rows.
func (l *Ledger) updateBalances(ctx context.Context, tx pgx.Tx, entries []*entry) error {
	newest := map[int64]*Row{}
	var corrected []int64
	for _, e := range entries {
		r := e.row
		if e.old != nil {
			corrected = append(corrected, *r.AccountID)
			continue
		}
		if !r.BalanceAfter.Valid || r.State != statePosted {
			continue
		}
		if seen := newest[*r.AccountID]; seen == nil || !r.BusinessDate.Time.Before(seen.BusinessDate.Time) {
			newest[*r.AccountID] = r
		}
	}
	if len(newest) > 0 {
		var accounts []int64
		var dates []time.Time
		var balances []string
		for id, r := range newest {
			accounts, dates, balances = append(accounts, id), append(dates, r.BusinessDate.Time), append(balances, r.BalanceAfter.Decimal.String())
		}
		if _, err := tx.Exec(ctx, balanceSQL, accounts, dates, balances); err != nil {
			return err
		}
	}
	if len(corrected) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, correctedBalanceSQL, corrected)
	return err
}

// publish leaves the entries in the outbox of the same transaction, in bundles of a size that a message can hold.
func (l *Ledger) publish(ctx context.Context, tx pgx.Tx, entries []*entry) error {
	var changes []*eventsv1.Change
	var bundle *eventsv1.TransactionBundle
	bytes := 0
	for _, e := range entries {
		state := event(e.row)
		size := proto.Size(state)
		if bundle == nil || bytes+size > natsx.BundleBytesTarget {
			bundle, bytes = &eventsv1.TransactionBundle{BaseCurrency: l.baseCurrency}, 0
			changes = append(changes, &eventsv1.Change{
				Entity: "transaction_bundle", EntityId: e.row.TransactionID, Version: 1,
				Payload: &eventsv1.Change_TransactionBundle{TransactionBundle: bundle},
			})
		}
		bundle.Transactions = append(bundle.Transactions, state)
		bytes += size
	}
	if len(changes) == 0 {
		return nil
	}
	if err := outbox.Append(ctx, tx, changes); err != nil {
		return err
	}
	entry, err := auditEntry(entries)
	if err != nil {
		return err
	}
	return audit.Append(ctx, tx, []audit.Entry{entry})
}
