package importer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// ledger counts rows that a server accepted, each once, as an upsert does.
type ledger struct {
	mu   sync.Mutex
	seen map[string]int
}

func (l *ledger) accept(c call) []*crmv1.UpsertResult {
	l.mu.Lock()
	defer l.mu.Unlock()
	results := created(c)
	for i, id := range ids(c.rows) {
		key := c.method + " " + id
		if l.seen[key]++; l.seen[key] > 1 {
			results[i].Outcome = crmv1.UpsertOutcome_UPSERT_OUTCOME_UNCHANGED
		}
	}
	return results
}

func (l *ledger) count(method string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for key := range l.seen {
		if strings.HasPrefix(key, method+" ") {
			n++
		}
	}
	return n
}

// TestUnavailable answers every third call with an error that passes, in the four ways in which that may happen.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	l := &ledger{seen: map[string]int{}}
	var calls atomic.Int64
	_, conn := startRecorder(t, func(c call) ([]*crmv1.UpsertResult, error) {
		switch calls.Add(1) % 12 {
		case 3:
			return nil, errDown // not done
		case 6:
			l.accept(c)
			return nil, status.Error(codes.DeadlineExceeded, "done, but the answer is lost")
		case 9:
			results := l.accept(c)
			results[0] = &crmv1.UpsertResult{Error: status.New(codes.Unavailable, "row by row").Proto()}
			return results, nil
		default:
			return l.accept(c), nil
		}
	})
	b := newBank(t, map[string]string{"customers.csv": customers(30), "transactions.csv": transactions(30)})
	b.config.Conn = conn
	summary := run(t, b.config)
	for method, want := range map[string]int{"BatchUpsertCustomers": 30, "BatchUpsertAccounts": 30, "StreamTransactions": 30} {
		if got := l.count(method); got != want {
			t.Errorf("%s: %d of %d rows arrived", method, got, want)
		}
	}
	if total := summary.Total(); total.Created+total.Unchanged != 91 || total.Rejected != 0 {
		t.Errorf("counts: %+v", total)
	}
	if !strings.Contains(b.heard.heard(), "the operational service does not answer") {
		t.Errorf("nothing was said: %q", b.heard.heard())
	}
}

// TestRestart stops the server in the middle of the stream and starts it again at the same address.
func TestRestart(t *testing.T) {
	t.Parallel()
	l := &ledger{seen: map[string]int{}}
	down := make(chan struct{})
	var calls atomic.Int64
	r, conn := startRecorder(t, func(c call) ([]*crmv1.UpsertResult, error) {
		results := l.accept(c)
		if c.method == "StreamTransactions" && calls.Add(1) == 4 {
			close(down) // the row is in, the answer never leaves
			return nil, errDown
		}
		return results, nil
	})
	b := newBank(t, map[string]string{"transactions.csv": transactions(60)})
	b.config.Conn, b.config.InFlight = conn, 3
	go func() {
		<-down
		r.server.Stop()
		r.start(t)
	}()
	summary := run(t, b.config)
	if got := l.count("StreamTransactions"); got != 60 {
		t.Errorf("%d of 60 rows arrived", got)
	}
	if counts := summary.Jobs[1].Counts; counts.Rows() != 60 || counts.Unchanged == 0 {
		t.Errorf("counts: %+v", counts)
	}
}

// TestSilence is a server that takes a bundle and never answers.
func TestSilence(t *testing.T) {
	t.Parallel()
	l := &ledger{seen: map[string]int{}}
	var calls atomic.Int64
	forever := make(chan struct{})
	defer close(forever)
	_, conn := startRecorder(t, func(c call) ([]*crmv1.UpsertResult, error) {
		if calls.Add(1)%5 == 0 {
			<-forever
		}
		return l.accept(c), nil
	})
	b := newBank(t, map[string]string{"customers.csv": customers(12), "transactions.csv": transactions(12)})
	b.config.Conn, b.config.AnswerTimeout = conn, 300*time.Millisecond
	if total := run(t, b.config).Total(); total.Rows() != 37 {
		t.Errorf("counts: %+v", total)
	}
}

func TestGivesUp(t *testing.T) {
	t.Parallel()
	_, conn := startRecorder(t, func(call) ([]*crmv1.UpsertResult, error) { return nil, errDown })
	b := newBank(t, map[string]string{"transactions.csv": transactions(1)})
	b.config.Conn, b.config.RetryFor = conn, 300*time.Millisecond
	_, err := Run(t.Context(), b.config)
	if err == nil || !strings.Contains(err.Error(), "did not come back within 300ms") || status.Code(err) != codes.Unavailable {
		t.Errorf("got %v", err)
	}
}

// TestNobodyThere gives up in time also when there is nothing to connect to.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	r, conn := startRecorder(t, nil)
	r.server.Stop()
	b := newBank(t, map[string]string{"customers.csv": customers(1), "transactions.csv": transactions(1)})
	b.config.Conn, b.config.RetryFor = conn, 500*time.Millisecond
	begun := time.Now()
	_, err := Run(t.Context(), b.config)
	if status.Code(err) != codes.Unavailable || time.Since(begun) > 20*time.Second {
		t.Errorf("after %s: %v", time.Since(begun), err)
	}
	if heard := b.heard.heard(); !strings.Contains(heard, "does not answer (dial tcp 127.0.0.1:") {
		t.Errorf("heard: %s", heard)
	}
}

// TestResume fails in the middle of each kind of delivery, and goes on.
func TestResume(t *testing.T) {
	t.Parallel()
	content := strings.Replace(transactions(40), "t3,1,3.50,CZK", "t3,1,x,CZK", 1)
	content = strings.Replace(content, "t33,1,33.50,CZK", "t33,1,x,CZK", 1)
	// By the method that fails: the jobs up to and with its own.
	for method, jobs := range map[string]int{"BatchUpsertCustomers": 2, "StreamTransactions": 4} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			l := &ledger{seen: map[string]int{}}
			var calls atomic.Int64
			r, conn := startRecorder(t, func(c call) ([]*crmv1.UpsertResult, error) {
				if c.method == method && calls.Add(1) == 6 {
					return nil, status.Error(codes.FailedPrecondition, "disk full")
				}
				return l.accept(c), nil
			})
			b := newBank(t, map[string]string{"customers.csv": customers(40), "transactions.csv": content})
			b.config.Conn = conn
			first, err := Run(t.Context(), b.config)
			if err == nil || !strings.Contains(err.Error(), "disk full") {
				t.Fatalf("got %v", err)
			}
			before := len(r.recorded())
			// Batches travel side by side: in a rare run the first one was not settled when the sixth failed, and is sent again.
			settled := settledJobs(checkpointOf(t, b))
			// What was written behind the checkpoint must not stay.
			for name, size := range checkpointOf(t, b).ErrorBytes {
				if size > 0 {
					appendTo(t, filepath.Join(b.config.ErrorsDir, name), "half a line")
				}
			}
			second := run(t, b.config)
			if !second.Resumed || second.ImportID != first.ImportID {
				t.Errorf("the second run must go on with the first: %+v", second)
			}
			for _, c := range r.recorded()[before:] {
				if slices.Contains(ids(c.rows), "1") || slices.Contains(ids(c.rows), "t1") {
					if c.method == method && settled == jobs || c.method == "BatchUpsertProducts" {
						t.Errorf("%s began anew", c.method)
					}
				}
			}
			if l.count("BatchUpsertCustomers") != 40 || l.count("StreamTransactions") != 38 {
				t.Errorf("arrived: %d customers, %d transactions", l.count("BatchUpsertCustomers"), l.count("StreamTransactions"))
			}
			if total := second.Total(); total.Rows() != 121 || total.Rejected != 2 {
				t.Errorf("counts: %+v", total)
			}
			file := b.errorFileOf(t, "transactions.csv")
			if strings.Count(file, "\n") != 3 || strings.Contains(file, "half") || !strings.Contains(file, "transactions.csv,34,") {
				t.Error(file)
			}
		})
	}
}

// TestInterrupt ends the context in the middle; the batches under way are still settled.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	l := &ledger{seen: map[string]int{}}
	ctx, cancel := context.WithCancel(t.Context())
	var calls atomic.Int64
	_, conn := startRecorder(t, func(c call) ([]*crmv1.UpsertResult, error) {
		if calls.Add(1) == 8 {
			cancel()
		}
		return l.accept(c), nil
	})
	b := newBank(t, map[string]string{"customers.csv": customers(60)})
	b.config.Conn = conn
	first, err := Run(ctx, b.config)
	if !errors.Is(err, ErrInterrupted) {
		t.Fatalf("got %v", err)
	}
	if rows := first.Jobs[1].Rows(); rows == 0 || rows == 60 || int(rows) != l.count("BatchUpsertCustomers") {
		t.Errorf("%d rows settled, %d arrived", rows, l.count("BatchUpsertCustomers"))
	}
	second := run(t, b.config)
	if total := second.Total(); !second.Resumed || total.Created != 121 || total.Unchanged != 0 {
		t.Errorf("counts: %+v", total)
	}
	// With --restart it would begin anew.
	b.config.Restart = true
	if third := run(t, b.config); third.Resumed || third.Total().Unchanged != 121 {
		t.Errorf("restart: %+v", third.Total())
	}
}

func TestBrokenCheckpoint(t *testing.T) {
	t.Parallel()
	_, conn := startRecorder(t, nil)
	b := newBank(t, map[string]string{"customers.csv": customers(1)})
	b.config.Conn = conn
	plan, err := NewPlan(b.config.Mapping, b.config.Paths)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(b.config.StateDir, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.config.StateDir, plan.ImportID+".json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), b.config); err == nil || !strings.Contains(err.Error(), "--restart begins anew") {
		t.Errorf("got %v", err)
	}
	b.config.Restart = true
	run(t, b.config)
}

// TestServiceRefusesBatch ends the import with the service's own words.
func TestServiceRefusesBatch(t *testing.T) {
	t.Parallel()
	short := func(c call) ([]*crmv1.UpsertResult, error) { return created(c)[1:], nil }
	for name, answer := range map[string]func(call) ([]*crmv1.UpsertResult, error){
		"rows of a b": short,
		"too large": func(call) ([]*crmv1.UpsertResult, error) {
			return nil, status.Error(codes.InvalidArgument, "too large")
		},
	} {
		for _, file := range []string{"customers.csv", "transactions.csv"} {
			t.Run(name+" "+file, func(t *testing.T) {
				t.Parallel()
				_, conn := startRecorder(t, func(c call) ([]*crmv1.UpsertResult, error) {
					if c.method == "BatchUpsertProducts" {
						return created(c), nil
					}
					return answer(c)
				})
				content := customers(2)
				if file == "transactions.csv" {
					content = transactions(2)
				}
				b := newBank(t, map[string]string{file: content})
				b.config.Conn = conn
				_, err := Run(t.Context(), b.config)
				if err == nil || !strings.Contains(err.Error(), name) || !strings.HasPrefix(err.Error(), file+", ") {
					t.Errorf("got %v", err)
				}
			})
		}
	}
}

// settledJobs counts the jobs of which at least the first batch is settled.
func settledJobs(c *checkpoint) (n int) {
	for _, job := range c.Jobs {
		if job.Done || job.Place.Offset > 0 {
			n++
		}
	}
	return n
}

func checkpointOf(t *testing.T, b *bank) *checkpoint {
	t.Helper()
	plan, err := NewPlan(b.config.Mapping, b.config.Paths)
	if err != nil {
		t.Fatal(err)
	}
	c, resumed, err := openCheckpoint(b.config.StateDir, plan.ImportID, "bank", false)
	if err != nil || !resumed {
		t.Fatalf("resumed %t, %v", resumed, err)
	}
	return c
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, append(content, text...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	b := newBank(t, map[string]string{"customers.csv": customers(1), "customers2.csv": customers(2), "other.csv": ""})
	plan, err := NewPlan(b.config.Mapping, []string{b.dir, filepath.Join(b.dir, "customers.csv")})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, job := range plan.Jobs {
		got = append(got, fmt.Sprintf("%s %s", job.Entity, job.Name))
	}
	want := []string{"product bank (mapping)", "customer customers.csv", "customer customers2.csv", "account customers.csv", "account customers2.csv"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"transactions.csv"}, plan.Missing); diff != "" {
		t.Error(diff)
	}
	for path, want := range map[string]string{
		filepath.Join(b.dir, "other.csv"):  "the mapping bank says nothing about this file",
		filepath.Join(b.dir, "nobody.csv"): "there is no such file or folder",
		t.TempDir():                        "the mapping bank knows none of the files in",
	} {
		if _, err := NewPlan(b.config.Mapping, []string{path}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", path, err)
		}
	}
	// Files of one name in two folders keep their rejected rows apart.
	twin := filepath.Join(t.TempDir(), "customers.csv")
	if err := os.WriteFile(twin, []byte(customers(3)), 0o600); err != nil {
		t.Fatal(err)
	}
	plan, err = NewPlan(b.config.Mapping, []string{b.dir, twin})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, job := range plan.Jobs {
		if job.Entity == "customer" {
			names[job.errorName] = true
		}
	}
	if !names["customers.csv.errors.csv"] || !names["customers.csv~2.errors.csv"] || len(names) != 3 {
		t.Errorf("error files: %v", names)
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"":                      "the file is empty: not even a header",
		"id;name;kind\n1;2;3\n": "the header lacks id, name, kind; it has id;name;kind (is the delimiter ',' right?)",
		"id,name,kind,name\n":   `the header has the column "name" twice`,
		"id,na\"me,kind\n":      "a quote at character 6 stands inside a value that is not quoted",
	} {
		b := newBank(t, map[string]string{"customers.csv": content})
		b.config.Offline, b.config.StateDir = true, ""
		if _, err := Run(t.Context(), b.config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v", content, err)
		}
	}
	// Columns may stand in any order, with others between them.
	b := newBank(t, map[string]string{"customers.csv": "x,kind,name,id\n,person,Name,7\n"})
	r, conn := startRecorder(t, nil)
	b.config.Conn = conn
	run(t, b.config)
	if got := r.recorded()[1].rows[0].(*crmv1.Customer); got.GetKey().GetExternalId() != "7" || got.GetIndividual().GetFamilyName() != "Name" {
		t.Errorf("got %v", got)
	}
}
