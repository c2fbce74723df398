package customerfact_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/warehouse"
	"tandem.bank/services/analytics/internal/warehousetest"
	"tandem.bank/services/analytics/migrations"
)

// bank is a warehouse with the service over it, and a clock.
type bank struct {
	conn    driver.Conn
	service *customerfact.Service
	now     time.Time
	// bi is the database for analysts.
	bi string
}

func newBank(t testing.TB) *bank {
	t.Helper()
	url := warehousetest.Migrated(t)
	conn := warehousetest.Connect(t, url)
	database, err := warehouse.Database(url)
	if err != nil {
		t.Fatal(err)
	}
	b := &bank{conn: conn, now: moment("2026-03-10 12:00"), bi: migrations.BIDatabase(database)}
	b.service, err = customerfact.New(customerfact.Config{
		Warehouse: conn, TimeZone: time.UTC, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return b.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// load stores changes as ingestion does.
func (b *bank) load(t testing.TB, changes ...*eventsv1.Change) {
	t.Helper()
	warehousetest.Load(t, b.conn, changes...)
}

// facts reads facts of all customers, or of some, as text by customer and name.
func (b *bank) facts(t testing.TB, on string, customers []uint64, names ...string) map[uint64]map[string]string {
	t.Helper()
	source, err := b.service.Source(t.Context(), names, day(on), customers)
	if err != nil {
		t.Fatal(err)
	}
	return b.read(t, source, names...)
}

// computed are the facts of all customers without those that are kept.
func (b *bank) computed(t testing.TB, on string, names ...string) map[uint64]map[string]string {
	t.Helper()
	source, err := b.service.Computed(t.Context(), names, day(on))
	if err != nil {
		t.Fatal(err)
	}
	return b.read(t, source, names...)
}

func (b *bank) read(t testing.TB, source customerfact.Source, names ...string) map[uint64]map[string]string {
	t.Helper()
	columns := make([]string, len(names))
	for i, name := range names {
		columns[i] = "'" + name + "', ifNull(CAST(toString(f.`" + name + "`), 'Nullable(String)'), 'unknown')"
	}
	rows, err := b.conn.Query(t.Context(), "SELECT f.customer_id, map("+strings.Join(columns, ", ")+") FROM "+source.SQL+" AS f", source.Parameters...)
	if err != nil {
		t.Fatalf("%v\n%s", err, source.SQL)
	}
	defer func() { _ = rows.Close() }()
	out := map[uint64]map[string]string{}
	for rows.Next() {
		var id uint64
		var values map[string]string
		if err := rows.Scan(&id, &values); err != nil {
			t.Fatal(err)
		}
		if out[id] != nil {
			t.Errorf("customer %d comes twice", id)
		}
		out[id] = values
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%v\n%s", err, source.SQL)
	}
	return out
}

// day and moment read their text; the bank's zone is UTC here.
func day(text string) time.Time    { return parsed(time.DateOnly, text) }
func moment(text string) time.Time { return parsed("2006-01-02 15:04", text) }

func parsed(layout, text string) time.Time {
	t, err := time.Parse(layout, text)
	if err != nil {
		panic(err)
	}
	return t
}

// change is what every change has.
func change(entity string, id, version int64, at string) *eventsv1.Change {
	return &eventsv1.Change{Entity: entity, EntityId: id, Version: version, ChangeTime: timestamppb.New(moment(at))}
}

func customer(id, version int64, at string, state *eventsv1.CustomerState) *eventsv1.Change {
	c := change("customer", id, version, at)
	c.Payload = &eventsv1.Change_Customer{Customer: state}
	return c
}

func account(id, version int64, at string, state *eventsv1.AccountState) *eventsv1.Change {
	c := change("account", id, version, at)
	c.Payload = &eventsv1.Change_Account{Account: state}
	return c
}

// owner holds an account for ever.
func owner(account, customer int64, at string) *eventsv1.Change {
	c := change("account_holder", account, 1, at)
	c.Payload = &eventsv1.Change_AccountHolder{AccountHolder: &eventsv1.AccountHolderState{AccountId: account, CustomerId: customer, Role: "owner"}}
	return c
}

// entry is a transaction of an account.
func entry(id, account int64, on, direction, kind, value, at string) *eventsv1.Change {
	c := change("transaction_bundle", id, 1, at)
	c.Payload = &eventsv1.Change_TransactionBundle{TransactionBundle: &eventsv1.TransactionBundle{
		BaseCurrency: "EUR",
		Transactions: []*eventsv1.TransactionState{{
			TransactionId: id, Version: 1, AccountId: account, BusinessDate: on, Direction: direction, Kind: kind,
			Amount: &eventsv1.Amount{Currency: "EUR", Value: value}, BaseValue: value, State: "posted",
		}},
	}}
	return c
}

func interaction(id, customer int64, kind, opened string) *eventsv1.Change {
	c := change("interaction", id, 1, opened)
	c.Payload = &eventsv1.Change_Interaction{Interaction: &eventsv1.InteractionState{
		CustomerId: customer, Kind: kind, Channel: "phone", OpenedTime: timestamppb.New(moment(opened)), BusinessDate: opened[:10],
	}}
	return c
}
