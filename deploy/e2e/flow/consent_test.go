package flow

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// consentMapping reads customers and what they allow.
const consentMapping = `mapping: consent
source: consent
format: {delimiter: ",", header: true}
files:
  - match: people.csv
    columns: [id, name]
    feeds:
      - entity: customer
        key: {id: id}
        constants: {state: active}
        fields: {individual.family_name: name}
  - match: consents*.csv
    columns: [id, person, purpose, channel, granted, withdrawn]
    feeds:
      - entity: consent
        key: {id: id}
        fields:
          customer_key: {id: person}
          purpose: purpose
          channel: channel
          granted_time: granted
          withdrawn_time: withdrawn
`

const consentPeople = "id,name\n1,Nováková\n2,Svoboda\n"

const consentGranted = `id,person,purpose,channel,granted,withdrawn
a,1,marketing,any,2026-01-05T10:00:00Z,
b,1,third_party_sharing,any,2026-01-05T10:00:00Z,
c,2,marketing,email,2026-02-01T10:00:00Z,
d,2,Marketing,email,2026-02-01T10:00:00Z,
`

// The sharing ends, and text messages are taken out of the consent for marketing.
const consentWithdrawn = `id,person,purpose,channel,granted,withdrawn
b,1,third_party_sharing,any,2026-01-05T10:00:00Z,2026-03-01T10:00:00Z
e,1,marketing,sms,,2026-03-01T10:00:00Z
`

// TestConsents follows consents from a file to the screen and to the warehouse, and their withdrawal after them.
func TestConsents(t *testing.T) {
	t.Parallel()
	b := open(t)
	for name, text := range map[string]string{
		"consent.yaml": consentMapping, "people.csv": consentPeople, "consents1.csv": consentGranted, "consents2.csv": consentWithdrawn,
	} {
		if err := os.WriteFile(filepath.Join(b.work, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// 3 is the exit code for "done, with rows refused": a purpose is a code in lower case.
	b.tandem(t, 3, "import", "--mapping", "consent.yaml", "--errors-dir", "refused", "people.csv", "consents1.csv")
	if refused := b.refused(t, "refused"); len(refused) != 1 || !strings.Contains(refused["consents1.csv:5"], "purpose") {
		t.Errorf("refused: %v", refused)
	}
	b.wantOnScreen(t, "Consents: 2", "marketing            any channel ", "third party sharing  any channel ")
	b.tandem(t, 0, "import", "--mapping", "consent.yaml", "consents2.csv")
	b.wantOnScreen(t, "Consents: 1", "marketing  any channel except sms ")

	b.tandem(t, 0, "wait", "--timeout", catchUpTimeout)
	warehouse := b.warehouse(t)
	if got := countFinal(t, warehouse, "consent"); got != 4 {
		t.Errorf("the warehouse has %d consents, want 4", got)
	}
	var withdrawn uint64
	err := warehouse.QueryRow(t.Context(), "SELECT count() FROM consent FINAL WHERE withdrawn_time = '2026-03-01 10:00:00'").Scan(&withdrawn)
	if err != nil || withdrawn != 2 {
		t.Errorf("the warehouse has %d withdrawals, want 2 (%v)", withdrawn, err)
	}
}

// wantOnScreen checks that the first customer's screen has certain texts.
func (b *bank) wantOnScreen(t *testing.T, texts ...string) {
	t.Helper()
	screen := b.tandem(t, 0, "customer", "360", "consent/1")
	for _, text := range texts {
		if !strings.Contains(screen, text) {
			t.Errorf("the screen lacks %q:\n%s", text, screen)
		}
	}
}
