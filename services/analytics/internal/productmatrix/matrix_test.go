package productmatrix_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/auth"
	"tandem.bank/pkg/date"
	"tandem.bank/pkg/money"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/productmatrix"
	"tandem.bank/services/analytics/internal/warehousetest"
)

const (
	today   = "2026-03-10"
	earlier = "2025-12-01"
)

// bank is a warehouse with the service over it, and all that was put into it.
type bank struct {
	conn     driver.Conn
	server   *productmatrix.Server
	accounts []account
	segments map[string][]int64
}

// account is one with its owner, its product, and its balance on the two days; an empty one is not known.
type account struct {
	id, owner       int64
	product         int
	opened          string
	now, before     string
	newest          string // balance of a day after today: it must not count
	balanceCurrency string
}

// products by number: none, two of one family, one without a margin.
var products = []struct{ code, family, margin string }{
	{}, {"giro", "current_account", "0.01"}, {"gold", "current_account", "0.025"}, {"save", "deposit", ""},
}

func newBank(t *testing.T) *bank {
	t.Helper()
	conn := warehousetest.Open(t)
	facts := warehousetest.Facts(t, conn, func() time.Time { return warehousetest.Day(today).Add(12 * time.Hour) })
	return &bank{conn: conn, server: productmatrix.NewServer(productmatrix.New(conn, facts)), segments: map[string][]int64{}}
}

func change(entity string, id int64) *eventsv1.Change {
	return &eventsv1.Change{Entity: entity, EntityId: id, Version: 1, ChangeTime: timestamppb.New(warehousetest.Day("2024-01-01"))}
}

func (b *bank) insert(t *testing.T, changes ...*eventsv1.Change) {
	t.Helper()
	warehousetest.Load(t, b.conn, changes...)
}

// load puts products, customers and accounts into the warehouse; balances are those after transactions.
func (b *bank) load(t *testing.T, customers int64) {
	t.Helper()
	var changes []*eventsv1.Change
	for i, p := range products[1:] {
		c := change("product", int64(i+1))
		c.Payload = &eventsv1.Change_Product{Product: &eventsv1.ProductState{Code: p.code, Name: p.code, Family: p.family, Margin: p.margin}}
		changes = append(changes, c)
	}
	for id := range customers {
		c := change("customer", id+1)
		c.Payload = &eventsv1.Change_Customer{Customer: &eventsv1.CustomerState{
			Kind: "individual", State: "active", CustomerSince: "2020-01-01", BranchId: id%2 + 1,
		}}
		changes = append(changes, c)
	}
	for _, a := range b.accounts {
		c := change("account", a.id)
		c.Payload = &eventsv1.Change_Account{Account: &eventsv1.AccountState{
			Currency: a.balanceCurrency, ProductId: int64(a.product), State: "open", Opened: a.opened,
		}}
		h := change("account_holder", a.id)
		h.Payload = &eventsv1.Change_AccountHolder{AccountHolder: &eventsv1.AccountHolderState{AccountId: a.id, CustomerId: a.owner, Role: "owner"}}
		changes = append(changes, c, h)
		for i, at := range [][2]string{{"2025-11-30", a.before}, {"2026-03-09", a.now}, {"2026-03-11", a.newest}} {
			if at[1] != "" {
				changes = append(changes, entry(10*a.id+int64(i), a, at[0], at[1]))
			}
		}
	}
	b.insert(t, changes...)
}

// entry is a transaction of 10 in the account's currency; a dollar is worth two euros.
func entry(id int64, a account, on, balance string) *eventsv1.Change {
	value := "10"
	if a.balanceCurrency == "USD" {
		value = "20"
	}
	c := change("transaction_bundle", id)
	c.Payload = &eventsv1.Change_TransactionBundle{TransactionBundle: &eventsv1.TransactionBundle{
		BaseCurrency: "EUR",
		Transactions: []*eventsv1.TransactionState{{
			TransactionId: id, Version: 1, AccountId: a.id, BusinessDate: on, Direction: "credit", Kind: "transfer_in", State: "posted",
			Amount: &eventsv1.Amount{Currency: a.balanceCurrency, Value: "10"}, BaseValue: value, RateDate: on, BalanceAfter: balance,
		}},
	}}
	return c
}

// segment stores a snapshot.
func (b *bank) segment(t *testing.T, name, asOf string, members ...int64) {
	t.Helper()
	id := uuid.New()
	if err := b.conn.Exec(t.Context(), `INSERT INTO segment_run (run_id, segment, definition_version, as_of, customers, computed_time, newest_event_time)
		VALUES (?, ?, 1, ?, ?, ?, ?)`, id, name, asOf, uint64(len(members)), warehousetest.Day(asOf), warehousetest.Day(asOf)); err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		if err := b.conn.Exec(t.Context(), "INSERT INTO segment_member (segment, as_of, run_id, customer_id) VALUES (?, ?, ?, ?)", name, asOf, id, uint64(m)); err != nil {
			t.Fatal(err)
		}
	}
	b.segments[name] = members
}

func caller(t *testing.T, role string, branches ...int64) context.Context {
	return auth.WithPrincipal(t.Context(), auth.Principal{Subject: "ada", Roles: []string{role}, Branches: branches})
}

// expected is a cell computed by hand.
type expected struct {
	holders, before        map[int64]bool
	balance, earlier, year decimal.Decimal
}

// byHand goes through all accounts of some members, row by row.
func (b *bank) byHand(members []int64, name func(product int) string) map[string]*expected {
	out := map[string]*expected{}
	in := map[int64]bool{}
	for _, m := range members {
		in[m] = true
	}
	for _, a := range b.accounts {
		if !in[a.owner] || name(a.product) == "" {
			continue
		}
		cell := out[name(a.product)]
		if cell == nil {
			cell = &expected{holders: map[int64]bool{}, before: map[int64]bool{}}
			out[name(a.product)] = cell
		}
		rate := decimal.NewFromInt(1)
		if a.balanceCurrency == "USD" {
			rate = decimal.NewFromInt(2)
		}
		if a.opened <= earlier {
			cell.before[a.owner] = true
		}
		cell.holders[a.owner] = true
		last := a.now
		if last == "" {
			last = a.before
		}
		if last != "" {
			balance := decimal.RequireFromString(last).Mul(rate)
			cell.balance = cell.balance.Add(balance)
			if margin := products[a.product].margin; margin != "" {
				cell.year = cell.year.Add(balance.Abs().Mul(decimal.RequireFromString(margin)).Truncate(4))
			}
		}
		if a.before != "" {
			cell.earlier = cell.earlier.Add(decimal.RequireFromString(a.before).Mul(rate))
		}
	}
	return out
}

func random(seed uint64, customers, n int) []account {
	r := rand.New(rand.NewPCG(seed, 2))
	balance := func() string {
		if r.IntN(4) == 0 {
			return ""
		}
		return decimal.New(r.Int64N(2_000_000)-200_000, -2).String()
	}
	out := make([]account, n)
	for i := range out {
		out[i] = account{
			id: int64(i + 1), owner: int64(r.IntN(customers) + 1), product: r.IntN(4), opened: "2024-02-01", now: balance(), before: balance(),
			newest: "999999", balanceCurrency: "EUR",
		}
		if r.IntN(3) == 0 {
			out[i].opened, out[i].before = "2026-01-15", ""
		}
		if r.IntN(5) == 0 {
			out[i].balanceCurrency = "USD"
		}
	}
	return out
}

// The matrix is what going through the accounts one by one gives, by family and by product, also for who sees one branch only.
func TestMatrixAgainstHand(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.accounts = random(1, 40, 120)
	b.load(t, 40)
	b.segment(t, "all", "2026-02-01", 1) // replaced by a newer one
	var everybody, odd []int64
	for id := range int64(40) {
		everybody = append(everybody, id+1)
		if id%2 == 0 {
			odd = append(odd, id+1)
		}
	}
	b.segment(t, "all", "2026-03-01", everybody...)
	b.segment(t, "habits/2", "2026-03-01", 3, 4, 5, 6, 7)
	b.segment(t, "nobody", "2026-03-01")
	for by, name := range map[analyticsv1.ProductMatrixBy]func(int) string{
		0: func(p int) string {
			if products[p].family == "" {
				return "current_account"
			}
			return products[p].family
		},
		analyticsv1.ProductMatrixBy_PRODUCT_MATRIX_BY_PRODUCT: func(p int) string { return products[p].code },
	} {
		req := &analyticsv1.GetProductMatrixRequest{
			Segments: []string{"all", "habits/2", "nobody"}, AsOf: date.Proto(warehousetest.Day(today)), ComparedAsOf: date.Proto(warehousetest.Day(earlier)), By: by,
		}
		answer, err := b.server.GetProductMatrix(caller(t, auth.RoleAnalyst), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range answer.GetSegments() {
			b.check(t, row, b.segments[row.GetSegment()], name)
		}
		answer, err = b.server.GetProductMatrix(caller(t, auth.RoleManager, 1), req)
		if err != nil {
			t.Fatal(err)
		}
		b.check(t, answer.GetSegments()[0], odd, name)
	}
}

func (b *bank) check(t *testing.T, row *analyticsv1.ProductMatrixSegment, members []int64, name func(int) string) {
	t.Helper()
	want := b.byHand(members, name)
	if row.GetCustomers() != int64(len(members)) || len(row.GetProducts()) != len(want) {
		t.Errorf("%s has %d customers and %d products, by hand %d and %d", row.GetSegment(), row.GetCustomers(), len(row.GetProducts()), len(members), len(want))
	}
	for _, p := range row.GetProducts() {
		w := want[p.GetProduct()]
		if w == nil {
			t.Errorf("%s: nobody has %v", row.GetSegment(), p)
			continue
		}
		holders := int64(len(w.holders))
		if p.GetHolders() != holders || p.GetHoldersBefore() != int64(len(w.before)) || p.GetPenetration() != float64(holders)/float64(len(members)) {
			t.Errorf("%s, %s: %d holders, %d before; by hand %d and %d", row.GetSegment(), p.GetProduct(), p.GetHolders(), p.GetHoldersBefore(), holders, len(w.before))
		}
		for what, amounts := range map[string][2]fmt.Stringer{
			"balance": {p.GetBalance(), money.Proto(w.balance, "EUR")}, "before": {p.GetBalanceBefore(), money.Proto(w.earlier, "EUR")},
			"margin": {p.GetMargin(), money.Proto(w.year, "EUR")}, "average": {p.GetAverageBalance(), money.Proto(w.balance.DivRound(decimal.NewFromInt(holders), 4), "EUR")},
		} {
			if plain(amounts[0]) != plain(amounts[1]) {
				t.Errorf("%s, %s: %s is %v, by hand %v", row.GetSegment(), p.GetProduct(), what, amounts[0], amounts[1])
			}
		}
		if before := len(w.before); before > 0 && math.Abs(p.GetHoldersGrowth()-float64(int(holders)-before)/float64(before)) > 1e-12 || before == 0 && p.HoldersGrowth != nil {
			t.Errorf("%s, %s: holders grow by %v", row.GetSegment(), p.GetProduct(), p.HoldersGrowth)
		}
		if w.earlier.IsZero() != (p.BalanceGrowth == nil) {
			t.Errorf("%s, %s: balance grows by %v", row.GetSegment(), p.GetProduct(), p.BalanceGrowth)
		} else if !w.earlier.IsZero() && math.Abs(p.GetBalanceGrowth()-w.balance.Sub(w.earlier).Div(w.earlier.Abs()).InexactFloat64()) > 1e-9 {
			t.Errorf("%s, %s: balance grows by %v", row.GetSegment(), p.GetProduct(), p.GetBalanceGrowth())
		}
	}
}

// plain is a message without the spaces that vary.
func plain(m fmt.Stringer) string { return strings.Join(strings.Fields(m.String()), " ") }

func TestRefusals(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.segment(t, "habits/2", "2026-03-01", 3)
	ask := func(segment, asOf, before string) error {
		req := &analyticsv1.GetProductMatrixRequest{Segments: []string{segment}, AsOf: date.Proto(warehousetest.Day(asOf))}
		if before != "" {
			req.ComparedAsOf = date.Proto(warehousetest.Day(before))
		}
		_, err := b.server.GetProductMatrix(caller(t, auth.RoleAnalyst), req)
		return err
	}
	if err := ask("habits/3", today, ""); status.Code(err) != codes.NotFound || !strings.Contains(err.Error(), `did you mean "habits/2"?`) {
		t.Errorf("a segment that is not there: %v", err)
	}
	if err := ask("habits/2", "2026-02-01", ""); status.Code(err) != codes.NotFound {
		t.Errorf("a day before the first snapshot: %v", err)
	}
	if err := ask("habits/2", today, today); status.Code(err) != codes.InvalidArgument {
		t.Errorf("the same day twice: %v", err)
	}
	if err := ask("habits/2", today, ""); err != nil {
		t.Errorf("a member of whom nothing is known: %v", err)
	}
}
