package rfm_test

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/kind"
	"tandem.bank/services/analytics/internal/rfm"
	"tandem.bank/services/analytics/internal/warehouse"
	"tandem.bank/services/analytics/internal/warehousetest"
)

var newestChange = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

// bank is a warehouse with the service over it.
type bank struct {
	conn    driver.Conn
	service *rfm.Service
	// newest is the change time of the newest change.
	newest time.Time
}

func newBank(t testing.TB) *bank {
	t.Helper()
	conn := warehousetest.Open(t)
	b := &bank{conn: conn, newest: newestChange}
	service, err := rfm.New(rfm.Config{
		Warehouse: conn, NewestChange: func() time.Time { return b.newest }, TimeZone: time.UTC, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	b.service = service
	return b
}

// load stores changes as ingestion does.
func (b *bank) load(t testing.TB, changes ...*eventsv1.Change) {
	t.Helper()
	b.newest = b.newest.Add(time.Second)
	warehousetest.Load(t, b.conn, changes...)
}

// clear empties the tables that a run reads.
func (b *bank) clear(t testing.TB) {
	t.Helper()
	for _, table := range []string{"transaction", "account_holder"} {
		if err := warehouse.OnParts(t.Context(), b.conn, "TRUNCATE TABLE "+table); err != nil {
			t.Fatal(err)
		}
	}
}

// holding is a row of account_holder; days may be empty.
type holding struct {
	id, account, customer int64
	role, from, to        string
	version               int64
	deleted               bool
}

func (h holding) change() *eventsv1.Change {
	return &eventsv1.Change{
		Entity: "account_holder", EntityId: h.id, Version: h.version, Deleted: h.deleted, ChangeTime: timestamppb.New(newestChange),
		Payload: &eventsv1.Change_AccountHolder{AccountHolder: &eventsv1.AccountHolderState{
			AccountId: h.account, CustomerId: h.customer, Role: h.role, ValidFrom: h.from, ValidTo: h.to,
		}},
	}
}

// owner holds an account for ever.
func owner(account, customer int64) *eventsv1.Change {
	return holding{id: account, account: account, customer: customer, role: "owner", version: 1}.change()
}

// entry is a row of transaction.
type entry struct {
	id, version, account    int64
	day, kind, state, value string
	deleted                 bool
	// back is money back: it goes the other way than the kind says.
	back bool
}

func (e entry) proto() *eventsv1.TransactionState {
	direction := "debit"
	if slices.Contains(kind.Incoming, e.kind) != e.back {
		direction = "credit"
	}
	return &eventsv1.TransactionState{
		TransactionId: e.id, Version: e.version, AccountId: e.account, BusinessDate: e.day, Direction: direction, Kind: e.kind,
		Amount: &eventsv1.Amount{Currency: "EUR", Value: "1"}, BaseValue: e.value, State: e.state,
	}
}

func bundle(deleted bool, currency string, entries ...entry) *eventsv1.Change {
	rows := make([]*eventsv1.TransactionState, len(entries))
	for i, e := range entries {
		rows[i] = e.proto()
	}
	return &eventsv1.Change{
		Entity: "transaction_bundle", EntityId: 1, Version: 1, Deleted: deleted, ChangeTime: timestamppb.New(newestChange),
		Payload: &eventsv1.Change_TransactionBundle{TransactionBundle: &eventsv1.TransactionBundle{Transactions: rows, BaseCurrency: currency}},
	}
}

func payment(id, account int64, day, value string) entry {
	return entry{id: id, version: 1, account: account, day: day, kind: "card_payment", state: "posted", value: value}
}

func dateProto(text string) *date.Date {
	t := warehousetest.Day(text)
	return &date.Date{Year: int32(t.Year()), Month: int32(t.Month()), Day: int32(t.Day())}
}
