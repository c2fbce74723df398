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

// imported is a bank that is imported while the parts of the stack are killed: the Czech one of the 1990s, whose files lie
// beside the project, or else a generated one.
type imported struct {
	mapping, folder string
	// rows of each table.
	rows map[string]int64
	// movements of all accounts.
	movements []movement
	// values of the customers, straight from the files.
	values func(asOf time.Time, windowDays int) map[string]value
	// contracts are the sums of the amounts of each kind.
	contracts map[string]*big.Rat
	// windows in which the values are compared.
	windows []window
}

// window is so many days that end with a day.
type window struct {
	asOf time.Time
	days int
}

// toImport finds the Czech bank or generates another; the log of the test says which.
func (b *bank) toImport(t *testing.T) *imported {
	t.Helper()
	date := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	folder := filepath.Join(filepath.Dir(b.root), "shared", "data", "berka")
	if _, err := os.Stat(folder); err == nil {
		t.Log("the bank is Berka")
		return &imported{
			mapping: "berka", folder: folder, rows: berkaCounts, movements: berkaMovements(t, folder),
			values:    func(asOf time.Time, days int) map[string]value { return berkaValues(t, folder, asOf, days) },
			contracts: map[string]*big.Rat{"loan": amount(t, "103261740"), "standing_order": amount(t, "21228993.6")},
			windows:   []window{{date(1998, 12, 31), wholeWindowDays}, {date(1994, 4, 20), 365}},
		}
	}
	t.Log("no Berka bank in ../shared/data/berka beside the project: the bank is generated")
	folder = filepath.Join(b.work, "generated")
	b.tandem(t, 0, "demo", "generate", "--customers", "2000", "--seed", "24", "--out", folder)
	made := &imported{
		mapping: "demo", folder: folder, rows: map[string]int64{}, movements: generatedMovements(t, folder),
		values:    func(asOf time.Time, days int) map[string]value { return generatedValues(t, folder, asOf, days) },
		contracts: map[string]*big.Rat{},
		windows:   []window{{date(2026, 6, 30), 365}, {date(2025, 12, 31), 90}},
	}
	for entity, file := range generatedFiles {
		made.rows[entity] = int64(len(table(t, filepath.Join(folder, file+".csv"), ',')))
	}
	for _, row := range table(t, filepath.Join(folder, "contracts.csv"), ',') {
		if row["amount"] == "" {
			continue
		}
		sum := made.contracts[row["kind"]]
		if sum == nil {
			sum = new(big.Rat)
			made.contracts[row["kind"]] = sum
		}
		sum.Add(sum, amount(t, row["amount"]))
	}
	return made
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
