package flow

import (
	"encoding/csv"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// berkaCounts are the published numbers of rows, as the data's README gives them.
var berkaCounts = map[string]int64{
	"region": 77, "customer": 5369, "account": 4500, "account_holder": 5369, "card": 892,
	"contract": 682 + 6471, "transaction": 52816 + 30200,
}

// berkaFolder is where the real data lie beside the project; without it the test says so.
func berkaFolder(t *testing.T, root string) string {
	t.Helper()
	folder := filepath.Join(filepath.Dir(root), "shared", "data", "berka")
	if _, err := os.Stat(folder); err != nil {
		t.Skip("the Berka data are not at ../shared/data/berka beside the project") //nolint:forbidigo // data outside the repository
	}
	return folder
}

// value is one customer's recency, frequency and amount.
type value struct {
	recencyDays int64
	frequency   int64
	amount      *big.Rat
}

// movement is one transaction as the files have it.
type movement struct {
	account string
	day     time.Time
	amount  *big.Rat
	bank    bool // booked by the bank: interest and fees
}

// berkaValues computes every client's values straight from the files, in a way of its own: rows into maps, no SQL.
func berkaValues(t *testing.T, folder string, asOf time.Time, windowDays int) map[string]value {
	t.Helper()
	owner := map[string]string{}
	for _, row := range table(t, filepath.Join(folder, "disp.asc"), ';') {
		if row["type"] == "OWNER" {
			owner[row["account_id"]] = row["client_id"]
		}
	}
	return valuesOf(berkaMovements(t, folder), owner, asOf, windowDays)
}

func berkaMovements(t *testing.T, folder string) []movement {
	t.Helper()
	var out []movement
	for _, row := range table(t, filepath.Join(folder, "trans_1993-01-01_1994-04-20.csv"), ',') {
		out = append(out, movement{
			account: strings.TrimLeft(strings.TrimPrefix(row["account_id"], "A"), "0"),
			day:     day(t, time.DateOnly, row["date"]), amount: amount(t, row["amount"]),
			bank: row["operation"] == "interest_pmt" || row["k_symbol"] == "interest_pmt" ||
				row["k_symbol"] == "service" || row["k_symbol"] == "interest_for_negetive_balance",
		})
	}
	for _, row := range table(t, filepath.Join(folder, "trans_354_loan_accounts.csv"), ';') {
		purpose := row["k_symbol"]
		out = append(out, movement{
			account: row["account_id"], day: day(t, "060102", row["date"]), amount: amount(t, row["amount"]),
			bank: purpose == "interest credited" || purpose == "payment for statement" ||
				strings.HasPrefix(purpose, "sanction interest"),
		})
	}
	return out
}

// table reads a file with a header.
func table(t *testing.T, path string, delimiter rune) []map[string]string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	reader := csv.NewReader(file)
	reader.Comma = delimiter
	rows, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	out := make([]map[string]string, 0, len(rows))
	for _, row := range rows[1:] {
		named := make(map[string]string, len(row))
		for i, title := range rows[0] {
			named[title] = row[i]
		}
		out = append(out, named)
	}
	return out
}

func day(t *testing.T, layout, text string) time.Time {
	t.Helper()
	d, err := time.Parse(layout, text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func amount(t *testing.T, text string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is no amount", text)
	}
	return r
}
