package conformance

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// benchFolder holds the bare SQL that the benchmark measures the calls against.
const benchFolder = "../../../../deploy/e2e/bench"

// TestTheBenchmarkMeasuresTheSameStatements as the calls send.
func TestTheBenchmarkMeasuresTheSameStatements(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	config := b.pool.Config()
	sent := &listener{}
	config.ConnConfig.Tracer = sent
	traced, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(traced.Close)
	watched := &bank{pool: traced}
	watched.serve(t, traced)
	sent.take()
	changes := 0 // none may be the one that is there already
	for file, call := range map[string]func(context.Context) error{
		"screen.sql": func(ctx context.Context) error {
			_, err := crmv1.NewCustomer360ServiceClient(watched.conn).GetCustomer360(ctx, &crmv1.GetCustomer360Request{CustomerId: 1})
			return err
		},
		"list.sql": func(ctx context.Context) error {
			req := &crmv1.ListCustomersRequest{Filter: `manager_id = 1 AND state = "active"`}
			_, err := crmv1.NewCustomerServiceClient(watched.conn).ListCustomers(ctx, req)
			return err
		},
		"update_call.sql": func(ctx context.Context) error {
			changes++
			_, err := crmv1.NewCustomerServiceClient(watched.conn).UpdateCustomer(ctx, &crmv1.UpdateCustomerRequest{
				RequestId: uuid.NewString(), UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"phone"}},
				Customer: &crmv1.Customer{CustomerId: 1, Phone: fmt.Sprintf("+4207%08d", changes)},
			})
			return err
		},
		"create_call.sql": func(ctx context.Context) error {
			_, err := crmv1.NewInteractionServiceClient(watched.conn).CreateInteraction(ctx, &crmv1.CreateInteractionRequest{
				RequestId: uuid.NewString(),
				Interaction: &crmv1.Interaction{
					CustomerId: 1, ManagerId: 1, Kind: crmv1.InteractionKind_INTERACTION_KIND_CALL,
					Channel: crmv1.Channel_CHANNEL_PHONE, OpenedTime: timestamppb.Now(),
					Subject: "Loan", Text: "x", Outcome: "call again", DurationSeconds: 240,
				},
			})
			return err
		},
		"insight.sql": func(ctx context.Context) error {
			req := &crmv1.ListCustomersRequest{Filter: `scores:(name = "fit" AND value >= 0.99)`}
			_, err := crmv1.NewCustomerServiceClient(watched.conn).ListCustomers(ctx, req)
			return err
		},
	} {
		var heard []string
		// A call also reads what the server keeps for some seconds, when that is not there or too old: the shortest is meant.
		for range 3 {
			if err := call(t.Context()); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if last := sent.take(); heard == nil || len(last) < len(heard) {
				heard = last
			}
		}
		for i, sql := range heard {
			heard[i] = ended(sql)
		}
		if strings.HasSuffix(file, "_call.sql") { // every write ends with the same statements
			benchHas(t, "kept.sql", heard[len(heard)-kept:])
			heard = heard[:len(heard)-kept]
		}
		benchHas(t, file, heard)
	}
	// The entry about a read is committed apart, before the answer is sent, by the statement of a change.
	entry, err := os.ReadFile("../audit/append_one.sql")
	if err != nil {
		t.Fatal(err)
	}
	ends, err := os.ReadFile(filepath.Join(benchFolder, "kept.sql"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Split(string(ends), ";\n")[1] != ended(string(entry)) {
		t.Error("kept.sql does not have the entry of the audit as its second statement")
	}
}

// kept is how many statements end a write: the event, the entry of the audit, the answer for repeated calls, and the commit.
const kept = 4

// ended is a statement without what ends it in a file.
func ended(sql string) string { return strings.TrimRight(sql, ";\n") }

// benchHas compares a file of the benchmark with what crm sends, or writes it where UPDATE_BENCH is set.
func benchHas(t *testing.T, file string, statements []string) {
	t.Helper()
	sent, path := strings.Join(statements, ";\n")+"\n", filepath.Join(benchFolder, file)
	if os.Getenv("UPDATE_BENCH") != "" {
		if err := os.WriteFile(path, []byte(sent), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if known, err := os.ReadFile(path); err != nil || string(known) != sent {
		t.Errorf("%s is not what crm sends (%v); run this test with UPDATE_BENCH=1 and commit the file:\n%s", path, err, sent)
	}
}

// listener hears the statements of a pool in their order.
type listener struct {
	mu         sync.Mutex
	statements []string
}

// take returns what was heard since it was asked last.
func (l *listener) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	heard := l.statements
	l.statements = nil
	return heard
}

func (l *listener) hear(sql string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.statements = append(l.statements, sql)
}

// TraceQueryStart implements pgx.QueryTracer.
func (l *listener) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	l.hear(data.SQL)
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (l *listener) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements pgx.BatchTracer.
func (l *listener) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	for _, query := range data.Batch.QueuedQueries {
		l.hear(query.SQL)
	}
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (l *listener) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (l *listener) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}
