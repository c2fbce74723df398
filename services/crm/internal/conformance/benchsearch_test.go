package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/attribute"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/search"
)

// dictated is a statement with its arguments as texts, as search.json keeps it for the benchmark.
type dictated struct {
	SQL string `json:"sql"`
	// Once says that the statement is not prepared.
	Once bool     `json:"once,omitempty"`
	Args []string `json:"args,omitempty"`
}

// dictation takes down the statements of a pool in their order.
type dictation struct {
	mu         sync.Mutex
	statements []dictated
}

// TraceQueryStart implements pgx.QueryTracer.
func (d *dictation) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	heard := dictated{SQL: data.SQL}
	for _, arg := range data.Args {
		if mode, ok := arg.(pgx.QueryExecMode); ok {
			heard.Once = mode == pgx.QueryExecModeExec
			continue
		}
		heard.Args = append(heard.Args, argText(arg))
	}
	d.statements = append(d.statements, heard)
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (d *dictation) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (d *dictation) take() []dictated {
	d.mu.Lock()
	defer d.mu.Unlock()
	heard := d.statements
	d.statements = nil
	return heard
}

// argText writes an argument as Postgres reads it from a text.
func argText(arg any) string {
	var items []string
	switch list := arg.(type) {
	case []int32:
		for _, n := range list {
			items = append(items, fmt.Sprint(n))
		}
	case []int64:
		for _, n := range list {
			items = append(items, fmt.Sprint(n))
		}
	case []string:
		for _, text := range list {
			items = append(items, strconv.Quote(text))
		}
	default:
		return fmt.Sprint(arg)
	}
	return "{" + strings.Join(items, ",") + "}"
}

// TestTheBenchmarkSearchesByTheSameStatements as a search for a customer's e-mail does. Where the e-mail's number and the
// customer's stand, search.json has {n} and {id}.
func TestTheBenchmarkSearchesByTheSameStatements(t *testing.T) {
	t.Parallel()
	const number = 737373
	b := newBank(t)
	config, sent := b.pool.Config(), &dictation{}
	config.ConnConfig.Tracer = sent
	traced, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(traced.Close)
	customers := customer.NewServer(traced, slog.New(slog.DiscardHandler), search.NewIndex(attribute.NewCatalogue()).Customers)
	created, err := customers.CreateCustomer(t.Context(), &crmv1.CreateCustomerRequest{Customer: &crmv1.Customer{
		Email: fmt.Sprintf("c%d@example.org", number),
		Party: &crmv1.Customer_Individual{Individual: &crmv1.Individual{GivenName: "Jana", FamilyName: "Nováková"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	id := created.GetCustomer().GetCustomerId()
	server := search.NewServer(traced)
	var heard []dictated
	for range 2 { // the first reads what the server keeps, too
		sent.take()
		answer, err := server.SearchCustomers(t.Context(), &crmv1.SearchCustomersRequest{Query: fmt.Sprintf("c%d@example.org", number)})
		if err != nil || len(answer.GetHits()) != 1 {
			t.Fatalf("%v, %v", answer, err)
		}
		heard = sent.take()
	}
	for i := range heard {
		for j, arg := range heard[i].Args {
			arg = strings.ReplaceAll(arg, fmt.Sprint(number), "{n}")
			if arg == fmt.Sprintf("{%d}", id) {
				arg = "{{id}}"
			}
			heard[i].Args[j] = arg
		}
	}
	want, err := json.MarshalIndent(heard, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	path := filepath.Join(benchFolder, "search.json")
	if os.Getenv("UPDATE_BENCH") != "" {
		if err := os.WriteFile(path, want, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if known, err := os.ReadFile(path); err != nil || !bytes.Equal(known, want) {
		t.Errorf("%s is not what crm sends (%v); run this test with UPDATE_BENCH=1 and commit the file:\n%s", path, err, want)
	}
}
