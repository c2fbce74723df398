package flow

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// refusalMapping reads two small files: clients and their contacts with the bank.
const refusalMapping = `mapping: refusal
source: refusal
format: {delimiter: ",", header: true}
records:
  - entity: product
    key: {id: account}
    constants: {code: REFUSAL, name: Account, family: current_account}
files:
  - match: clients.csv
    columns: [id, name, income, currency]
    feeds:
      - entity: customer
        key: {id: id}
        constants: {state: active}
        fields:
          individual.family_name: name
          individual.monthly_income: money(income, currency)
  - match: contacts.csv
    columns: [id, client, text]
    feeds:
      - entity: interaction
        key: {id: id}
        constants: {kind: call, channel: phone}
        fields:
          customer_key: {id: client}
          opened_time: datetime("2026-05-04T10:00:00Z")
          text: text
`

const refusalClients = `id,name,income,currency
1,Nováková,100,CZK
2,Svoboda,200,ZZZ
3,"Dvo"řák,300,CZK
4,Černá,400,CZK
4,Malá,400,CZK
5,Procházka,500
6,Veselá,600,EUR
`

const refusalContacts = `id,client,text
1,1,asked for a new card
2,1,my card is 4111 1111 1111 1111
3,99,unknown client
4,6,"two
lines"
`

// TestRefusals sends bad rows among good ones: each bad row is named with its reason, and every good row goes in.
func TestRefusals(t *testing.T) {
	t.Parallel()
	b := open(t)
	for name, text := range map[string]string{"refusal.yaml": refusalMapping, "clients.csv": refusalClients, "contacts.csv": refusalContacts} {
		if err := os.WriteFile(filepath.Join(b.work, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// 3 is the exit code for "done, with rows refused".
	b.tandem(t, 3, "import", "--mapping", "refusal.yaml", "--errors-dir", "refused", "clients.csv", "contacts.csv")

	refused := b.refused(t, "refused")
	want := []struct{ file, line, reason string }{
		{"clients.csv", "3", "ISO 4217"},
		{"clients.csv", "4", "quot"},
		{"clients.csv", "6", "other content"},
		{"clients.csv", "7", ""},
		{"contacts.csv", "3", "card number"},
		{"contacts.csv", "4", "does not exist"},
	}
	if len(refused) != len(want) {
		t.Errorf("%d rows refused, want %d: %v", len(refused), len(want), refused)
	}
	for _, w := range want {
		if reason, ok := refused[w.file+":"+w.line]; !ok || !strings.Contains(reason, w.reason) {
			t.Errorf("%s line %s: refused with %q, want a reason with %q", w.file, w.line, reason, w.reason)
		}
	}
	if strings.Contains(strings.Join(b.files(t, "refused"), ""), "4111 1111 1111 1111") {
		t.Error("an error file repeats a full card number")
	}
	postgres := b.postgres(t)
	if got := count(t, postgres, "customer"); got != 3 {
		t.Errorf("%d customers went in, want 3", got)
	}
	if got := count(t, postgres, "interaction"); got != 2 {
		t.Errorf("%d interactions went in, want 2", got)
	}
}

// refused reads the error files: the reason by file and line.
func (b *bank) refused(t *testing.T, folder string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, text := range b.files(t, folder) {
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[1:] {
			out[row[0]+":"+row[1]] = strings.Join(row[2:], " ")
		}
	}
	return out
}

func (b *bank) files(t *testing.T, folder string) (texts []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(b.work, folder, "*.csv"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(raw))
	}
	return texts
}
