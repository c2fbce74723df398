package search_test

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem.bank/pkg/testkit"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/search"
	"tandem.bank/services/crm/internal/search/spelling"
	"tandem.bank/services/crm/migrations"
)

const (
	// benchSizeVariable chooses how many customers the benchmark has: 1000000 is the goal's number, and takes minutes.
	benchSizeVariable = "TANDEM_BENCH_CUSTOMERS"
	benchSizeDefault  = 100_000
	// benchAddressVariable names a database that is kept, so that one filling serves many measurements.
	benchAddressVariable = "TANDEM_BENCH_POSTGRES_URL"
	batchRows            = 5000
	indexRows            = 50_000
	firstPageGoal        = 50 * time.Millisecond
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
func fill(b testing.TB, customers *customer.Server, from, to int) time.Duration {
	b.Helper()
	took := time.Duration(0)
	for ; from < to; from += batchRows {
		batch := crowd(from, min(from+batchRows, to))
		started := time.Now()
		answer, err := customers.BatchUpsertCustomers(b.Context(), &crmv1.BatchUpsertCustomersRequest{Customers: batch})
		took += time.Since(started)
		taken(b, answer.GetResults(), err)
	}
	return took
}

// copyCrowd brings customers in by COPY, with their words: a million of them take a minute, and not half an hour.
func copyCrowd(b testing.TB, pool *pgxpool.Pool, size int) {
	b.Helper()
	known := map[string]bool{}
	for from := 0; from < size; from += 20 * batchRows {
		to := min(from+20*batchRows, size)
		rows, words := make([][]any, 0, to-from), make([][]any, 0, to-from)
		for i, c := range crowd(from, to) {
			id, who := int64(from+i+1), c.GetIndividual()
			row := customer.Row{GivenName: who.GetGivenName(), FamilyName: who.GetFamilyName()}
			rows = append(rows, []any{
				id, c.GetKey().GetSource(), c.GetKey().GetExternalId(), customer.KindIndividual, "active", c.GetPhone(), c.GetEmail(),
				row.GivenName, row.FamilyName, "", "", "", "", "", "", "",
			})
			words = append(words, []any{id, search.Words(&row, nil, known), int16(spelling.Rules)})
		}
		for _, in := range []struct {
			table   string
			columns []string
			rows    [][]any
		}{
			{"customer", []string{
				"customer_id", "source", "external_id", "kind", "state", "phone", "email", "given_name", "family_name", "sex", "occupation",
				"monthly_income_currency", "legal_name", "registration_number", "industry_nace", "annual_turnover_currency",
			}, rows},
			{"customer_search", []string{"customer_id", "words", "rules"}, words},
		} {
			if _, err := pool.CopyFrom(b.Context(), pgx.Identifier{in.table}, in.columns, pgx.CopyFromRows(in.rows)); err != nil {
				b.Fatal(err)
			}
		}
	}
	if _, err := pool.Exec(b.Context(), "INSERT INTO search_word (word) SELECT unnest($1::text[])", slices.Sorted(maps.Keys(known))); err != nil {
		b.Fatal(err)
	}
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
	{"rare short prefix", "w*"},
	{"two short prefixes", "S* K*"},
	{"short prefix of other script", "ш*"},
	{"misspelt", "Shevhcenkshabori"},
	{"misspelt common", "Dvorrak Petr"},
	{"two misspelt", "Shevhcenkshabori Prochazkkamigor"},
	{"misspelt and other", "Svobbodbavorime Oksana"},
	{"synonym", "Honza"},
	{"synonym and name", "Honza Kowalskbavomil"},
	{"synonym without a hit", "Honza Xyzzy"},
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
	{"three together, nobody", "Jan Eva Novák"},
	{"common given names together", "Jan Petr"},
	{"phrase without a hit", `"Novák Eva Jan"`},
	{"e-mail", "c777@example.org"},
}

// benchTown is a bank with so many customers: the one of the address given, filled at the first use, or a new one.
func benchTown(b *testing.B, size int) *town {
	b.Helper()
	address, log := os.Getenv(benchAddressVariable), slog.New(slog.DiscardHandler)
	if address == "" {
		address = testkit.PostgresDatabase(b, template)
	}
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		b.Fatal(err)
	}
	seen := &recorder{}
	config.ConnConfig.Tracer = seen
	pool, err := pgxpool.NewWithConfig(b.Context(), config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	w := settle(pool, log)
	w.seen = seen
	var kept, filled bool
	if err := pool.QueryRow(b.Context(), "SELECT to_regclass('customer') IS NOT NULL").Scan(&kept); err != nil {
		b.Fatal(err)
	}
	if !kept {
		if err := migrations.Migrate(b.Context(), address); err != nil {
			b.Fatal(err)
		}
	}
	if err := pool.QueryRow(b.Context(), "SELECT EXISTS (SELECT FROM customer)").Scan(&filled); err != nil {
		b.Fatal(err)
	}
	if !filled {
		copyCrowd(b, pool, size)
		for _, statement := range []string{texts, "VACUUM ANALYZE customer", "VACUUM ANALYZE customer_search", "VACUUM ANALYZE search_word", "VACUUM ANALYZE interaction"} {
			if _, err := pool.Exec(b.Context(), statement); err != nil {
				b.Fatal(err)
			}
		}
	}
	return w
}

// BenchmarkSearch reports the first page of each kind of search: the time, and what does not depend on the machine, the
// pages of 8 KiB and the rows that Postgres looks at.
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
	w := benchTown(b, size)
	for _, q := range questions {
		b.Run(q.name, func(b *testing.B) { w.measure(b, q.query) })
	}
}

// BenchmarkIndex reports what the words cost an import.
func BenchmarkIndex(b *testing.B) {
	for b.Loop() {
		// Taking turns, so that both see the same machine.
		plain, indexed := time.Duration(0), time.Duration(0)
		log := slog.New(slog.DiscardHandler)
		without, with := customer.NewServer(testkit.Postgres(b, template), log), newTown(b).customers
		for from := 0; from < indexRows; from += batchRows {
			plain += fill(b, without, from, from+batchRows)
			indexed += fill(b, with, from, from+batchRows)
		}
		b.ReportMetric(float64(plain.Microseconds())/indexRows, "us/customer-without")
		b.ReportMetric(float64(indexed.Microseconds())/indexRows, "us/customer-with")
		b.ReportMetric(float64(indexed)/float64(plain), "ratio")
	}
}

func (w *town) measure(b *testing.B, query string) {
	b.Helper()
	var times []time.Duration
	hits := 0
	w.seen.take()
	for b.Loop() {
		started := time.Now()
		answer, err := w.search.SearchCustomers(b.Context(), &crmv1.SearchCustomersRequest{Query: query, PageSize: 25})
		if err != nil {
			b.Fatal(err)
		}
		times, hits = append(times, time.Since(started)), len(answer.GetHits())
	}
	asked := w.seen.take()
	buffers, rows := 0, 0
	for _, s := range asked[len(asked)-len(asked)/len(times):] {
		cost := w.explain(b, s, "ANALYZE, BUFFERS, TIMING OFF")
		buffers, rows = buffers+cost.Buffers+cost.BuffersRead, rows+cost.rows()
	}
	b.ReportMetric(float64(buffers), "buffers")
	b.ReportMetric(float64(rows), "rows")
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
