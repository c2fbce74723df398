package importer

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	moneypb "google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/money"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/mapping"
)

// berkaFolder finds the real files of the Berka bank, which lie beside the project, or skips the test.
func berkaFolder(t *testing.T) string {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir := here; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			data := filepath.Join(dir, "..", "shared", "data", "berka")
			if _, err := os.Stat(data); err == nil {
				return data
			}
		}
	}
	t.Skip("skipped: the files of the Berka bank are not in ../shared/data/berka beside the project") //nolint:forbidigo // data outside the repository
	return ""
}

func berkaConfig(t *testing.T) Config {
	t.Helper()
	m, err := mapping.Open("berka")
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Mapping: m, Paths: []string{berkaFolder(t)}, BatchRows: 1000, InFlight: 4, ErrorsDir: t.TempDir(), StateDir: t.TempDir(),
		RetryFor: time.Minute, Progress: NewLines(io.Discard, time.Second),
	}
}

// TestBerkaOffline reads the whole bank without a service; the counts are those of the data's own description.
func TestBerkaOffline(t *testing.T) {
	t.Parallel()
	config := berkaConfig(t)
	config.Offline = true
	summary := run(t, config)
	got := map[string]Counts{}
	for _, job := range summary.Jobs {
		got[job.File] = job.Counts
	}
	want := map[string]Counts{}
	for file, rows := range map[string]int64{
		"district.asc": 77, "berka (mapping)": 6, "client.asc": 5369, "account.asc": 4500, "disp.asc": 5369, "card.asc": 892,
		"loan.asc": 682, "order.asc": 6471, "trans_1993-01-01_1994-04-20.csv": 52816, "trans_354_loan_accounts.csv": 30200,
	} {
		want[file] = Counts{Created: rows}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if summary.UnknownReferences != 0 || len(summary.Unmatched) != 0 || len(summary.Missing) != 0 || len(summary.Ignored) != 1 {
		t.Errorf("summary: %+v", summary)
	}
}

// TestBerkaSends looks at what a service would get of the whole bank.
func TestBerkaSends(t *testing.T) {
	t.Parallel()
	config := berkaConfig(t)
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
	wantCounts := map[string]int{
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
	}
	if diff := cmp.Diff(wantCounts, counts); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]string{"loan": "103261740", "order": "21228993.6"} {
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
