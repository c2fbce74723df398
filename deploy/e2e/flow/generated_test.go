package flow

import (
	"encoding/json"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// generatedFiles are the files of a generated bank, by the table that each fills.
var generatedFiles = map[string]string{
	"region": "regions", "branch": "branches", "manager": "managers", "product": "products", "customer": "customers",
	"consent": "consents", "relation": "relations",
	"account": "accounts", "account_holder": "account_holders", "card": "cards", "contract": "contracts",
	"interaction": "interactions", "transaction": "transactions",
}

// TestGeneratedBank loads a generated bank, compares it with its files on both sides, fills an emptied ClickHouse
// again from the stream, and follows the README's first ten minutes.
func TestGeneratedBank(t *testing.T) {
	t.Parallel()
	b := open(t)
	folder := filepath.Join(b.work, "bank")
	b.tandem(t, 0, "demo", "generate", "--customers", "1200", "--seed", "7", "--out", folder)
	b.tandem(t, 0, "import", "--mapping", "demo", folder)
	b.tandem(t, 0, "wait", "--timeout", catchUpTimeout)
	b.compareGenerated(t, folder)

	asOf := time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC)
	b.compareRFM(t, asOf, 365, generatedValues(t, folder, asOf, 365))
	b.compareScreen(t)

	// ClickHouse owns no truth: emptied and started anew, it is the same again.
	conn := b.warehouse(t)
	if err := b.Analytics.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := conn.Exec(t.Context(), "DROP DATABASE tandem SYNC"); err != nil {
		t.Fatal(err)
	}
	if err := b.Analytics.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.tandem(t, 0, "wait", "--timeout", catchUpTimeout)
	b.compareGenerated(t, folder)

	b.tandem(t, 0, "facts", "refresh") // they follow in their own time
	b.followReadme(t)
}

// compareGenerated compares the rows of every table, and the sum of all transactions, with the files.
func (b *bank) compareGenerated(t *testing.T, folder string) {
	t.Helper()
	postgres, warehouse := b.postgres(t), b.warehouse(t)
	for entity, file := range generatedFiles {
		want := int64(len(table(t, filepath.Join(folder, file+".csv"), ',')))
		if got := count(t, postgres, entity); got != want {
			t.Errorf("Postgres has %d rows of %s, the file %d", got, entity, want)
		}
		if got := countFinal(t, warehouse, entity); got != want {
			t.Errorf("ClickHouse has %d rows of %s, the file %d", got, entity, want)
		}
	}
	compareSums(t, postgres, warehouse, generatedMovements(t, folder))
}

// generatedMovements are the transactions with their amounts in base currency.
func generatedMovements(t *testing.T, folder string) (out []movement) {
	t.Helper()
	for _, row := range table(t, filepath.Join(folder, "transactions.csv"), ',') {
		base := row["base_amount"]
		if base == "" {
			base = row["amount"]
		}
		out = append(out, movement{
			account: row["account"], day: day(t, time.DateOnly, row["business_date"]), amount: amount(t, base),
			bank: bookedByBank(row["kind"]) || row["state"] != "posted",
		})
	}
	return out
}

func bookedByBank(kind string) bool {
	switch kind {
	case "interest_credited", "interest_charged", "fee", "loan_disbursement":
		return true
	}
	return false
}

// generatedValues computes every customer's values straight from the files.
func generatedValues(t *testing.T, folder string, asOf time.Time, windowDays int) map[string]value {
	t.Helper()
	owner := map[string]string{}
	for _, row := range table(t, filepath.Join(folder, "account_holders.csv"), ',') {
		if row["role"] == "owner" && (row["valid_from"] <= asOf.Format(time.DateOnly)) && (row["valid_to"] == "" || row["valid_to"] >= asOf.Format(time.DateOnly)) {
			owner[row["account"]] = row["customer"]
		}
	}
	return valuesOf(generatedMovements(t, folder), owner, asOf, windowDays)
}

// valuesOf adds movements up by the account's owner.
func valuesOf(movements []movement, owner map[string]string, asOf time.Time, windowDays int) map[string]value {
	first := asOf.AddDate(0, 0, 1-windowDays)
	values := map[string]value{}
	for _, m := range movements {
		customer, owned := owner[m.account]
		if !owned || m.bank || m.day.Before(first) || m.day.After(asOf) {
			continue
		}
		days := int64(asOf.Sub(m.day).Hours() / 24)
		v, seen := values[customer]
		if !seen {
			v = value{recencyDays: days, amount: new(big.Rat)}
		}
		v.recencyDays = min(v.recencyDays, days)
		v.frequency++
		v.amount.Add(v.amount, m.amount)
		values[customer] = v
	}
	return values
}

// compareScreen finds the best customer's values of the newest run on the front office's screen.
func (b *bank) compareScreen(t *testing.T) {
	t.Helper()
	lines := strings.Split(b.tandem(t, 0, "rfm", "list", "--order", "best", "--csv"), "\n")
	best, cell := strings.Split(lines[1], ","), slices.Index(strings.Split(lines[0], ","), "cell")
	var screen struct {
		RFM struct {
			Cell      string `json:"cell"`
			Frequency string `json:"frequency"`
		} `json:"rfm"`
		Ages map[string]struct {
			Source string `json:"source"`
		} `json:"ages"`
	}
	text := b.tandem(t, 0, "--json", "customer", "360", best[0])
	if err := json.Unmarshal([]byte(text), &screen); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if screen.RFM.Cell != best[cell] || screen.RFM.Frequency != best[2] {
		t.Errorf("the screen shows %+v, the run has %v", screen.RFM, best)
	}
	for _, part := range []string{"customer", "accounts", "rfm"} {
		if screen.Ages[part].Source == "" {
			t.Errorf("the screen does not say where %s come from", part)
		}
	}
}
