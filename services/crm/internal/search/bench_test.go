package search_test

import (
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"tandem.bank/pkg/testkit"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/customer"
)

const (
	// benchSizeVariable chooses how many customers the benchmark has: 1000000 is the goal's number, and takes minutes.
	benchSizeVariable = "TANDEM_BENCH_CUSTOMERS"
	benchSizeDefault  = 100_000
	batchRows         = 5000
	firstPageGoal     = 50 * time.Millisecond
)

var (
	givenNames = []string{"Jan", "Jana", "Petr", "Eva", "Тарас", "Оксана", "Иван", "Ольга", "Robert", "Alice", "Tomáš", "Lucie", "Юлія", "Сергей", "Piotr"}
	stems      = []string{"Novák", "Svobod", "Dvořák", "Шевченк", "Коваль", "Иван", "Smith", "Kowalsk", "Müller", "Hryhorenk", "Петр", "Procházk", "Nagy", "Fischer", "Łukasz"}
	syllables  = []string{"", "ba", "vo", "ri", "me", "lu", "ka", "ze", "do", "ny", "ti", "sha", "cho", "zhe", "pra", "gor", "mil", "stan", "bor", "vin"}
)

// crowd makes customers whose family names are as varied as in a country: some very common, most of them rare.
func crowd(from, to int) []*crmv1.Customer {
	out := make([]*crmv1.Customer, 0, to-from)
	for n := from; n < to; n++ {
		family := stems[n%len(stems)]
		if n%4 != 0 {
			h := uint32(n) * 2654435761
			family += syllables[h>>7%20] + syllables[h>>12%20] + syllables[h>>17%20]
		}
		c := person(fmt.Sprint(n), givenNames[n/7%len(givenNames)], family)
		c.Phone, c.Email = fmt.Sprintf("+420%09d", 600_000_000+n), fmt.Sprintf("c%d@example.org", n)
		out = append(out, c)
	}
	return out
}

// fill loads customers as an import does, and returns how long it took.
func fill(b testing.TB, customers *customer.Server, size int) time.Duration {
	b.Helper()
	took := time.Duration(0)
	for from := 0; from < size; from += batchRows {
		batch := crowd(from, min(from+batchRows, size))
		started := time.Now()
		answer, err := customers.BatchUpsertCustomers(b.Context(), &crmv1.BatchUpsertCustomersRequest{Customers: batch})
		took += time.Since(started)
		taken(b, answer.GetResults(), err)
	}
	return took
}

// texts gives every fifth customer an interaction; the words of one in a thousand are rare.
const texts = `INSERT INTO interaction (customer_id, kind, opened_at, subject, text)
SELECT customer_id, 'call', now(), 'Разговор', CASE WHEN customer_id % 1000 = 0 THEN 'Спрашивал об ипотеке' ELSE 'Asked about cards and rates' END
FROM customer WHERE customer_id % 5 = 0`

// questions are the kinds of searches that the front office makes.
var questions = []struct{ name, query string }{
	{"common name", "Novák"},
	{"common given name", "Jan"},
	{"two common names", "Jan Novák"},
	{"rare name", "Шевченкshabori"},
	{"other script", "Shevchenk"},
	{"given and other script", "Oksana Shevchenk"},
	{"prefix", "Shev*"},
	{"short prefix", "S*"},
	{"misspelt", "Shevhcenkshabori"},
	{"misspelt common", "Dvorrak Petr"},
	{"synonym", "Honza"},
	{"phone", "600 012 345"},
	{"phone and name", "Jan +420 600 012 345"},
	{"nobody", "Xyzzyqwerty"},
	{"nobody together", "Jan Qwertyuiop"},
	{"without", "Novák -Jan"},
	{"either", "Novák OR Смит OR Kowalsk"},
	{"rare text", "ипотека"},
	{"common text", "rates"},
	{"name and text", "Smith rates"},
	{"phrase", `"Jan Novák"`},
	{"e-mail", "c777@example.org"},
}

// BenchmarkSearch reports the first page of each kind of search, and what the words cost an import:
//
//	TANDEM_BENCH_CUSTOMERS=1000000 go test -bench Search -benchtime 30x -run - -timeout 60m ./internal/search
func BenchmarkSearch(b *testing.B) {
	size := benchSizeDefault
	if text := os.Getenv(benchSizeVariable); text != "" {
		var err error
		if size, err = strconv.Atoi(text); err != nil {
			b.Fatalf("%s: %v", benchSizeVariable, err)
		}
	}
	log := slog.New(slog.DiscardHandler)
	plain := fill(b, customer.NewServer(testkit.Postgres(b, template), log), min(size, benchSizeDefault))
	w := newTown(b)
	indexed := fill(b, w.customers, size)
	perPlain, perIndexed := plain/time.Duration(min(size, benchSizeDefault)), indexed/time.Duration(size)
	b.Logf("import: %v a customer, %v with the words: %.2f times", perPlain, perIndexed, float64(perIndexed)/float64(perPlain))
	for _, statement := range []string{texts, "VACUUM ANALYZE customer", "VACUUM ANALYZE customer_search", "VACUUM ANALYZE search_word", "VACUUM ANALYZE interaction"} {
		if _, err := w.pool.Exec(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	for _, q := range questions {
		b.Run(q.name, func(b *testing.B) { w.measure(b, q.query) })
	}
}

func (w *town) measure(b *testing.B, query string) {
	b.Helper()
	var times []time.Duration
	hits := 0
	for b.Loop() {
		started := time.Now()
		answer, err := w.search.SearchCustomers(b.Context(), &crmv1.SearchCustomersRequest{Query: query, PageSize: 25})
		if err != nil {
			b.Fatal(err)
		}
		times, hits = append(times, time.Since(started)), len(answer.GetHits())
	}
	slices.Sort(times)
	p95 := times[len(times)*95/100]
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(p95.Microseconds())/1000, "p95-ms")
	b.ReportMetric(float64(hits), "hits")
	b.ReportMetric(0, "ns/op")
	if p95 > firstPageGoal && len(times) > 1 {
		b.Logf("%s: the first page took %v", query, p95)
	}
}
