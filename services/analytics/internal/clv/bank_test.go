package clv_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/clv"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/warehouse"
	"tandem.bank/services/analytics/internal/warehousetest"
)

// bank is a warehouse with the service over it.
type bank struct {
	conn   driver.Conn
	server *clv.Server
	// newest is the change time of the newest change.
	newest time.Time
	next   uint64
}

func newBank(t testing.TB) *bank {
	t.Helper()
	conn := warehousetest.Open(t)
	b := &bank{conn: conn, newest: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)}
	service, err := clv.New(clv.Config{Warehouse: conn, NewestChange: func() time.Time { return b.newest }, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	b.server = clv.NewServer(service, warehousetest.Published{}, definition.NewStore(conn))
	return b
}

// movement is a transaction of a customer, whose only account has the customer's number.
type movement struct {
	customer             uint64
	day                  time.Time
	value                string
	kind, state, back    string
	account              uint64
	currency             string
	baseCurrency, amount string
}

// load stores transactions and, for customers not known yet, their accounts.
func (b *bank) load(t testing.TB, movements ...movement) {
	t.Helper()
	batch, err := b.conn.PrepareBatch(t.Context(), `INSERT INTO transaction (transaction_id, account_id, business_date, direction, kind,
		amount, currency, base_value, base_currency, rate_date, state, version, deleted, change_time)`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = batch.Close() }()
	owners := map[uint64]uint64{}
	for _, m := range movements {
		b.next++
		or := func(text, otherwise string) string {
			if text == "" {
				return otherwise
			}
			return text
		}
		account := m.account
		if account == 0 {
			account = m.customer
		}
		owners[account] = m.customer
		value := decimal.RequireFromString(m.value)
		amount := decimal.RequireFromString(or(m.amount, m.value))
		base := or(m.baseCurrency, "CZK")
		if err := batch.Append(b.next, account, m.day, or(m.back, "debit"), or(m.kind, "card_payment"), amount, or(m.currency, base), value,
			base, m.day, or(m.state, "posted"), uint64(1), uint8(0), b.newest); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
	holders, err := b.conn.PrepareBatch(t.Context(), "INSERT INTO account_holder (account_holder_id, account_id, customer_id, role, version, deleted)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holders.Close() }()
	for account, customer := range owners {
		if err := holders.Append(account, account, customer, "owner", uint64(1), uint8(0)); err != nil {
			t.Fatal(err)
		}
	}
	if err := holders.Send(); err != nil {
		t.Fatal(err)
	}
}

func (b *bank) exec(t testing.TB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if err := b.conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

// onParts runs statements about tables themselves.
func (b *bank) onParts(t testing.TB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if err := warehouse.OnParts(t.Context(), b.conn, statement); err != nil {
			t.Fatal(err)
		}
	}
}

// clear empties the tables that a run reads.
func (b *bank) clear(t testing.TB) {
	t.Helper()
	b.onParts(t, "TRUNCATE TABLE transaction", "TRUNCATE TABLE account_holder")
	b.newest = b.newest.Add(time.Second)
}

func (b *bank) run(t testing.TB, asOf string, settings *definitionv1.ClvDefinition) *analyticsv1.ClvRun {
	t.Helper()
	answer, err := b.tryRun(t, asOf, settings)
	if err != nil {
		t.Fatal(err)
	}
	return answer.GetRun()
}

func (b *bank) tryRun(t testing.TB, asOf string, settings *definitionv1.ClvDefinition) (*analyticsv1.RunClvResponse, error) {
	t.Helper()
	return b.server.RunClv(t.Context(), &analyticsv1.RunClvRequest{AsOf: date.Proto(warehousetest.Day(asOf)), Settings: settings})
}

// values reads a list page by page.
func (b *bank) values(t testing.TB, run *analyticsv1.ClvRun, order analyticsv1.ClvOrder, size int32) []*analyticsv1.ClvValue {
	t.Helper()
	var out []*analyticsv1.ClvValue
	token := ""
	for {
		page, err := b.server.ListClvValues(t.Context(), &analyticsv1.ListClvValuesRequest{
			RunId: run.GetRunId(), Order: order, PageSize: size, PageToken: token,
		})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, page.GetValues()...)
		if token = page.GetNextPageToken(); token == "" {
			return out
		}
	}
}

func (b *bank) model(t testing.TB, run *analyticsv1.ClvRun, purpose analyticsv1.ClvModelPurpose, group string) *analyticsv1.ClvFittedModel {
	t.Helper()
	answer, err := b.server.GetClvModel(t.Context(), &analyticsv1.GetClvModelRequest{RunId: run.GetRunId(), Purpose: purpose, Group: group})
	if err != nil {
		t.Fatal(err)
	}
	return answer.GetModel()
}

func code(err error) codes.Code {
	st, _ := apperr.Public(err)
	return st.Code()
}
