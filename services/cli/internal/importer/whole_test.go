package importer

import (
	"cmp"
	"encoding/csv"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	moneypb "google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/money"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	demobank "tandem.bank/services/cli/internal/demo/bank"
	"tandem.bank/services/cli/internal/mapping"
)

// whole is a bank to import: the Czech one of the 1990s, whose files lie beside the project, or else a generated one.
type whole struct {
	mapping, folder string
	// rows of each file.
	rows map[string]int64
	// ignored is how many files of the folder are no records.
	ignored int
	// counts and sums of what a service gets, in the words of tally.
	counts map[string]int
	sums   map[string]string
}

// openWhole finds the Czech bank or generates another; the log of the test says which.
func openWhole(t *testing.T) *whole {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir := here; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		data := filepath.Join(dir, "..", "shared", "data", "berka")
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err != nil {
			continue
		}
		if _, err := os.Stat(data); err == nil {
			t.Log("the bank is Berka")
			return berka(data)
		}
	}
	t.Log("no Berka bank in ../shared/data/berka beside the project: the bank is generated")
	return generated(t)
}

// berka is the bank with what its own description says of it.
func berka(folder string) *whole {
	return &whole{
		mapping: "berka", folder: folder, ignored: 1,
		rows: map[string]int64{
			"district.asc": 77, "berka (mapping)": 6, "client.asc": 5369, "account.asc": 4500, "disp.asc": 5369, "card.asc": 892,
			"loan.asc": 682, "order.asc": 6471, "trans_1993-01-01_1994-04-20.csv": 52816, "trans_354_loan_accounts.csv": 30200,
		},
		counts: map[string]int{
			"sex female": 2645, "sex male": 2724,
			"role owner": 4500, "role authorised_user": 869,
			"frequency monthly": 4167, "frequency weekly": 240, "frequency per_transaction": 93,
			"card classic": 659, "card junior": 145, "card gold": 88,
			"loan finished": 203, "loan defaulted": 31, "loan running": 403, "loan in_arrears": 45,
			"order ": 1379, "order household": 3502, "order insurance": 532, "order loan": 717, "order leasing": 341,
			"cash_deposit credit": 10631 + 5304, "cash_withdrawal debit": 14403 + 738 + 133 + 9757 + 856 + 47, "card_withdrawal debit": 15 + 54,
			"fee debit": 5508 + 3186, "interest_charged debit": 64 + 43, "interest_credited credit": 9493 + 5130,
			"transfer_in credit": 2238 + 1990 + 1448, "transfer_out debit": 4319 + 2358 + 763 + 2145 + 1549 + 681, "loan_repayment debit": 163,
			"region without unemployment of 1995": 1,
		},
		sums: map[string]string{"loan": "103261740", "order": "21228993.6"},
	}
}

// generated is a bank with what plain reading of its files says of it.
func generated(t *testing.T) *whole {
	t.Helper()
	w := &whole{mapping: demobank.Source, folder: t.TempDir(), rows: map[string]int64{}, counts: map[string]int{}, sums: map[string]string{}}
	made, err := demobank.Generate(t.Context(), demobank.Config{Customers: 300, Seed: 36, Dir: w.folder})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range made.Files {
		if file.Name != "truth" {
			w.rows[file.Name+".csv"] = file.Rows
		}
	}
	w.ignored = 2 // truth.csv and parameters.json
	sums := map[string]decimal.Decimal{}
	for _, row := range csvRows(t, filepath.Join(w.folder, "customers.csv")) {
		w.counts["sex "+cmp.Or(row["sex"], "unspecified")]++
	}
	for _, row := range csvRows(t, filepath.Join(w.folder, "accounts.csv")) {
		w.counts["frequency "+cmp.Or(row["statement_frequency"], "unspecified")]++
	}
	for _, row := range csvRows(t, filepath.Join(w.folder, "account_holders.csv")) {
		w.counts["role "+row["role"]]++
	}
	for _, row := range csvRows(t, filepath.Join(w.folder, "cards.csv")) {
		w.counts["card "+row["scheme"]]++
	}
	for _, row := range csvRows(t, filepath.Join(w.folder, "contracts.csv")) {
		name, what := "order", "order "+row["purpose"]
		if row["kind"] == "loan" {
			name, what = "loan", "loan "+row["state"]
		}
		w.counts[what]++
		if row["amount"] != "" {
			sums[name] = sums[name].Add(decimal.RequireFromString(row["amount"]))
		}
	}
	for _, row := range csvRows(t, filepath.Join(w.folder, "transactions.csv")) {
		w.counts[row["kind"]+" "+row["direction"]]++
	}
	for _, row := range csvRows(t, filepath.Join(w.folder, "regions.csv")) {
		if row["unemployment_percent_1995"] == "" {
			w.counts["region without unemployment of 1995"]++
		}
	}
	for name, sum := range sums {
		w.sums[name] = sum.String()
	}
	return w
}

// csvRows reads a file with a header.
func csvRows(t *testing.T, path string) (out []map[string]string) {
	t.Helper()
	file, err := os.Open(filepath.Clean(path))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		named := make(map[string]string, len(row))
		for i, title := range rows[0] {
			named[title] = row[i]
		}
		out = append(out, named)
	}
	return out
}

func (w *whole) config(t *testing.T) Config {
	t.Helper()
	m, err := mapping.Open(w.mapping)
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Mapping: m, Paths: []string{w.folder}, BatchRows: 1000, InFlight: 4, ErrorsDir: t.TempDir(), StateDir: t.TempDir(),
		RetryFor: time.Minute, Progress: NewLines(io.Discard, time.Second),
	}
}

// TestWholeBankOffline reads a whole bank without a service.
func TestWholeBankOffline(t *testing.T) {
	t.Parallel()
	w := openWhole(t)
	config := w.config(t)
	config.Offline = true
	summary := run(t, config)
	got, want := map[string]Counts{}, map[string]Counts{}
	for _, job := range summary.Jobs {
		got[job.File] = job.Counts
	}
	for file, rows := range w.rows {
		want[file] = Counts{Created: rows}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if summary.UnknownReferences != 0 || len(summary.Unmatched) != 0 || len(summary.Missing) != 0 || len(summary.Ignored) != w.ignored {
		t.Errorf("summary: %+v", summary)
	}
}

// TestWholeBankSends looks at what a service would get of a whole bank.
func TestWholeBankSends(t *testing.T) {
	t.Parallel()
	w := openWhole(t)
	config := w.config(t)
	r, conn := startRecorder(t, nil)
	config.Conn = conn
	run(t, config)

	counts := map[string]int{}
	sums := map[string]decimal.Decimal{}
	keys := map[string]bool{}
	rows := 0
	for _, c := range r.recorded() {
		for _, row := range c.rows {
			rows++
			keys[c.method+keyOf(row)] = true
			tally(t, row, counts, sums)
		}
	}
	if len(keys) != rows {
		t.Errorf("%d keys of %d rows", len(keys), rows)
	}
	if diff := gocmp.Diff(w.counts, counts); diff != "" {
		t.Error(diff)
	}
	for name, want := range w.sums {
		if sums[name].String() != want {
			t.Errorf("sum of %s: %s instead of %s", name, sums[name], want)
		}
	}
}

// tally counts a record by what the description of the data tells about it.
func tally(t *testing.T, row proto.Message, counts map[string]int, sums map[string]decimal.Decimal) {
	t.Helper()
	short := func(name, prefix string) string { return strings.ToLower(strings.TrimPrefix(name, prefix)) }
	add := func(name string, m *moneypb.Money) {
		value, err := money.Decimal(m)
		if err != nil {
			t.Fatal(err)
		}
		sums[name] = sums[name].Add(value)
	}
	switch r := row.(type) {
	case *crmv1.Region:
		if _, ok := r.GetIndicators()["unemployment_percent_1995"]; !ok {
			counts["region without unemployment of 1995"]++
		}
	case *crmv1.Customer:
		counts["sex "+short(r.GetIndividual().GetSex().String(), "SEX_")]++
	case *crmv1.Account:
		counts["frequency "+short(r.GetStatementFrequency().String(), "STATEMENT_FREQUENCY_")]++
	case *crmv1.AccountHolder:
		counts["role "+short(r.GetRole().String(), "HOLDER_ROLE_")]++
	case *crmv1.Card:
		counts["card "+r.GetScheme()]++
	case *crmv1.Contract:
		if r.GetKind() == crmv1.ContractKind_CONTRACT_KIND_LOAN {
			counts["loan "+short(r.GetState().String(), "CONTRACT_STATE_")]++
			add("loan", r.GetAmount())
			return
		}
		counts["order "+r.GetPurpose()]++
		add("order", r.GetAmount())
	case *crmv1.Transaction:
		kind := short(r.GetKind().String(), "TRANSACTION_KIND_")
		counts[kind+" "+short(r.GetDirection().String(), "DIRECTION_")]++
	}
}
