package flow

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tandem.bank/pkg/testkit"
)

// relationMapping reads people and companies, and who is what to whom.
const relationMapping = `mapping: kin
source: kin
format: {delimiter: ",", header: true}
files:
  - match: parties.csv
    columns: [id, kind, name]
    feeds:
      - entity: customer
        when: kind == "P"
        key: {id: id}
        fields: {individual.family_name: name}
      - entity: customer
        when: kind == "O"
        key: {id: id}
        fields: {organisation.legal_name: name}
  - match: relations.csv
    columns: [id, customer, type, other, name, born, from, to, share]
    feeds:
      - entity: relation
        key: {id: id}
        fields:
          customer_key: {id: customer}
          type: type
          other_customer_key: {id: other}
          other_name: name
          other_birth_date: date(born)
          valid_from: date(from)
          valid_to: date(to)
          share: share
`

const relationParties = `id,kind,name
1,P,Nováková
2,P,Novák
3,O,Acme s.r.o.
`

const relationRows = `id,customer,type,other,name,born,from,to,share
1,1,spouse,2,,,2010-05-05,,
2,1,child,,Adam,2015-06-07,2015-06-07,,
3,3,shareholder,1,,,2001-01-01,,0.25
4,3,shareholder,2,,,2001-01-01,2002-01-01,0.75
5,2,spouse,1,,,2012-01-01,,
6,1,parent_company,3,,,,,
`

// TestRelations loads relations by the command line, sees them on the screen, and finds them without names in the warehouse. The
// same people then get what else files can hold.
func TestRelations(t *testing.T) {
	t.Parallel()
	b := open(t)
	for name, text := range map[string]string{"kin.yaml": relationMapping, "parties.csv": relationParties, "relations.csv": relationRows} {
		if err := os.WriteFile(filepath.Join(b.work, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.tandem(t, 3, "import", "--mapping", "kin.yaml", "--errors-dir", "refused", "parties.csv", "relations.csv")
	refused := b.refused(t, "refused")
	for line, reason := range map[string]string{"relations.csv:6": "taken", "relations.csv:7": "must be an organisation"} {
		if !strings.Contains(refused[line], reason) || len(refused) != 2 {
			t.Errorf("%s: refused with %q, want %q; all: %v", line, refused[line], reason, refused)
		}
	}
	screen := b.tandem(t, 0, "customer", "360", "kin/1")
	for _, want := range []string{"Relations: 3", "spouse", "since 2010-05-05", "child", "born 2015-06-07", "holding", "share 0.25", "Acme s.r.o."} {
		if !strings.Contains(screen, want) {
			t.Errorf("the screen lacks %q:\n%s", want, screen)
		}
	}
	warehouse := b.warehouse(t)
	testkit.Eventually(t, time.Minute, func() error {
		if n := countFinal(t, warehouse, "relation"); n != 4 {
			return fmt.Errorf("%d relations in the warehouse, want 4", n)
		}
		return nil
	})
	var shares string
	if err := warehouse.QueryRow(t.Context(), "SELECT toString(sum(share)) FROM relation FINAL WHERE type = 'shareholder'").Scan(&shares); err != nil || shares != "1" {
		t.Errorf("shares sum to %s, %v", shares, err)
	}
	b.importsHoldings(t)
}
