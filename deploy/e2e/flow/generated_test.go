package flow

import (
	"encoding/json"
	"fmt"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem.bank/pkg/testkit"
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
	b.comparePartsAtHome(t)
}

// comparePartsAtHome finds the clusters and the cells of the profile scheme that the README ran as segments of crm: all their members
// are there, filters and screens name them, and no result was put aside.
func (b *bank) comparePartsAtHome(t *testing.T) {
	t.Helper()
	var parts []string
	var members []uint64
	if err := b.warehouse(t).QueryRow(t.Context(), "SELECT groupArray(segment), groupArray(customers) FROM (SELECT segment, customers FROM segment_run "+
		"WHERE segment LIKE '%/%' AND customers > 0 ORDER BY computed_time DESC, run_id LIMIT 1 BY segment)").Scan(&parts, &members); err != nil {
		t.Fatal(err)
	}
	if len(parts) < 4 {
		t.Fatalf("clusters and cells are %q", parts)
	}
	postgres := b.postgres(t)
	for i, part := range parts {
		testkit.Eventually(t, testkit.Patience, func() error {
			var there uint64
			err := postgres.QueryRow(t.Context(), "SELECT count(*) FROM customer_segment WHERE member AND segment = $1", part).Scan(&there)
			if err == nil && there != members[i] {
				err = fmt.Errorf("%s has %d members at home and %d in the warehouse", part, there, members[i])
			}
			return err
		})
	}
	var list struct {
		Customers []struct {
			CustomerID string `json:"customer_id"`
		} `json:"customers"`
		Count struct {
			Value string `json:"value"`
		} `json:"count"`
	}
	text := b.tandem(t, 0, "--json", "customer", "list", "--filter", `segments:"`+parts[0]+`"`, "--limit", "1", "--count", "exact")
	if err := json.Unmarshal([]byte(text), &list); err != nil || len(list.Customers) != 1 || list.Count.Value != fmt.Sprint(members[0]) {
		t.Fatalf("%v, %d members of %s in %s", err, members[0], parts[0], text)
	}
	if screen := b.tandem(t, 0, "customer", "360", list.Customers[0].CustomerID); !strings.Contains(screen, parts[0]) {
		t.Errorf("the screen does not show %s:\n%s", parts[0], screen)
	}
	if dead := b.tandem(t, 0, "dlq", "list"); !strings.Contains(dead, "no dead letters") {
		t.Errorf("results were put aside:\n%s", dead)
	}
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
	type view struct {
		RFM struct {
			Cell      string `json:"cell"`
			Frequency string `json:"frequency"`
		} `json:"rfm"`
		Ages map[string]struct {
			Source string `json:"source"`
		} `json:"ages"`
	}
	var screen view
	// Results come home a moment after the run.
	testkit.Eventually(t, testkit.Patience, func() error {
		screen = view{}
		if err := json.Unmarshal([]byte(b.tandem(t, 0, "--json", "customer", "360", best[0])), &screen); err != nil {
			return err
		}
		if screen.RFM.Cell != best[cell] || screen.RFM.Frequency != best[2] {
			return fmt.Errorf("the screen shows %+v, the run has %v", screen.RFM, best)
		}
		return nil
	})
	for _, part := range []string{"customer", "accounts", "rfm"} {
		if screen.Ages[part].Source == "" {
			t.Errorf("the screen does not say where %s come from", part)
		}
	}
}
