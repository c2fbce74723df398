package audit_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/audit"
	"tandem.bank/services/crm/internal/outbox"
)

// dumb replaces the writing of entries by nothing, so that the same service runs without audit.
const dumb = `CREATE FUNCTION audit_nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER audit_nothing BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_nothing()`

// callers work at once, which is about the saturation of a small machine.
const callers = 8

// rate runs calls from several callers for a while and returns how many a second were done.
func rate(b *testing.B, d time.Duration, call func(caller, i int) error) float64 {
	b.Helper()
	var done atomic.Int64
	var failed atomic.Pointer[error]
	var group sync.WaitGroup
	started := time.Now()
	for c := range callers {
		group.Go(func() {
			for i := 0; time.Since(started) < d; i++ {
				if err := call(c, i); err != nil {
					failed.Store(&err)
					return
				}
				done.Add(1)
			}
		})
	}
	group.Wait()
	if err := failed.Load(); err != nil {
		b.Fatal(*err)
	}
	return float64(done.Load()) / time.Since(started).Seconds()
}

const turn = 1500 * time.Millisecond

// BenchmarkUpdateCustomer measures what the audit costs a change: the same call on two databases in turns, one of which
// drops entries before they are stored. What stays in both is the making of the entry; the statement itself goes along
// with the outbox's and costs no round trip.
func BenchmarkUpdateCustomer(b *testing.B) {
	with, without := newBank(b, 2000), newBank(b, 2000)
	if _, err := without.pool.Exec(b.Context(), dumb); err != nil {
		b.Fatal(err)
	}
	update := func(bank *bank) func(caller, i int) error {
		ids := make([]int64, callers)
		for c := range ids {
			ids[c] = bank.create(b, "Eva").GetCustomerId()
		}
		ctx := bank.as(b, "eva")
		return func(caller, i int) error {
			_, err := bank.customers.UpdateCustomer(ctx, &crmv1.UpdateCustomerRequest{
				Customer: &crmv1.Customer{CustomerId: ids[caller], Phone: fmt.Sprintf("+4201%08d", i)},
			})
			return err
		}
	}
	audited, plain := update(with), update(without)
	compare(b, audited, plain)
}

// BenchmarkStatements measures the same without service and gRPC, where the entry weighs most: lock, change and event of a
// row, with the audit's statement in the same round trip as the event's, and without it.
func BenchmarkStatements(b *testing.B) {
	bank := newBank(b, 2000)
	ids := make([]int64, callers)
	for c := range ids {
		ids[c] = bank.create(b, "Eva").GetCustomerId()
	}
	change := func(audited bool) func(caller, i int) error {
		return func(caller, i int) error {
			return pgx.BeginFunc(b.Context(), bank.pool, func(tx pgx.Tx) error {
				if _, err := tx.Exec(b.Context(), "SELECT * FROM customer WHERE customer_id = $1 FOR NO KEY UPDATE", ids[caller]); err != nil {
					return err
				}
				phone := fmt.Sprintf("+4201%08d", i)
				if _, err := tx.Exec(b.Context(), "UPDATE customer SET phone = $2, version = version + 1 WHERE customer_id = $1", ids[caller], phone); err != nil {
					return err
				}
				batch := &pgx.Batch{}
				err := outbox.Queue(b.Context(), batch, []*eventsv1.Change{{
					EntityId: ids[caller], Version: int64(i + 2), ChangeTime: timestamppb.Now(),
					Payload: &eventsv1.Change_Customer{Customer: &eventsv1.CustomerState{Kind: "individual", State: "active"}},
				}})
				if err != nil {
					return err
				}
				if audited {
					audit.Queue(b.Context(), batch, []audit.Entry{{
						Action: audit.Update, Entity: "customer", EntityID: ids[caller], CustomerID: ids[caller], Version: int64(i + 2),
						Before: []byte(`{"phone":"+420100000000"}`), After: []byte(`{"phone":"` + phone + `"}`),
					}})
				}
				return tx.SendBatch(b.Context(), batch).Close()
			})
		}
	}
	compare(b, change(true), change(false))
}

// BenchmarkGetCustomer measures what the record of a read costs, as the service does it (shared commits), against one
// insert for each read and against none.
func BenchmarkGetCustomer(b *testing.B) {
	with, without := newBank(b, 2000), newBank(b, 2000)
	if _, err := without.pool.Exec(b.Context(), dumb); err != nil {
		b.Fatal(err)
	}
	id, other := with.create(b, "Eva").GetCustomerId(), without.create(b, "Eva").GetCustomerId()
	ctx := with.as(b, "eva")
	read := func(bank *bank, id int64) func(int, int) error {
		return func(int, int) error {
			_, err := bank.customers.GetCustomer(ctx, &crmv1.GetCustomerRequest{CustomerId: id})
			return err
		}
	}
	// The bank without entries still commits an empty transaction, which writes nothing.
	b.Run("shared commits", func(b *testing.B) { compare(b, read(with, id), read(without, other)) })
	b.Run("a commit each", func(b *testing.B) {
		compare(b, func(c, i int) error {
			if err := read(without, other)(c, i); err != nil {
				return err
			}
			return pgx.BeginFunc(b.Context(), with.pool, func(tx pgx.Tx) error {
				return audit.Append(b.Context(), tx, []audit.Entry{{Action: audit.Read, Entity: "customer", EntityID: id, CustomerID: id}})
			})
		}, read(without, other))
	})
}

// BenchmarkRecord measures the recorder alone, with many readers at once.
func BenchmarkRecord(b *testing.B) {
	const readers = 16
	bank := newBank(b, 2000)
	recorder := audit.NewRecorder(bank.pool)
	ctx := outbox.WithActor(audit.WithCaller(b.Context(), audit.Caller{Peer: "bench", Method: "/m", RequestID: "r"}), "eva")
	b.SetParallelism(readers)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := recorder.Record(ctx, audit.Entry{Action: audit.Read, Entity: "customer", EntityID: 1, CustomerID: 1}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// compare measures two calls in turns and reports their rates and the ratio.
func compare(b *testing.B, audited, plain func(int, int) error) {
	b.Helper()
	rate(b, turn/3, audited)
	rate(b, turn/3, plain)
	var a, p float64
	rounds := 0
	for b.Loop() {
		p += rate(b, turn, plain)
		a += rate(b, turn, audited)
		rounds++
	}
	b.ReportMetric(a/float64(rounds), "audited/s")
	b.ReportMetric(p/float64(rounds), "plain/s")
	b.ReportMetric(a/p, "ratio")
	b.ReportMetric(0, "ns/op")
}
