package importer

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem.bank/services/cli/internal/mapping"
)

// bankMapping loads customers and their transactions from files of two columns and more.
const bankMapping = `mapping: bank
source: bank
records:
  - {entity: product, key: {id: account}, constants: {code: A, name: Account, family: current_account}}
ignore:
  - {match: old.csv, reason: out of date}
files:
  - match: customers*.csv
    columns: [id, name, kind]
    feeds:
      - entity: customer
        when: kind != "lead"
        key: {id: id}
        fields: {individual.family_name: name}
      - entity: account
        when: kind != "lead"
        key: {id: id}
        constants: {currency: CZK, product_key: {id: account}}
  - match: transactions.csv
    columns: {id: Id, account: Account, amount: Amount, currency: Currency}
    feeds:
      - entity: transaction
        key: {id: id}
        constants: {business_date: 1998-01-01, direction: credit}
        fields:
          account_key: {id: account}
          amount: money(amount, currency)
          description: '"payment " + id'
`

// hearer is a progress that keeps what it hears.
type hearer struct {
	mu    sync.Mutex
	notes []string
}

func (*hearer) Begin(*Job, int64, Counts) {}
func (*hearer) Advance(int64, Counts)     {}
func (*hearer) End(Counts, bool)          {}

func (h *hearer) Note(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.notes = append(h.notes, text)
}

func (h *hearer) heard() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.notes, "\n")
}

// bank is a folder of files with a configuration to import them.
type bank struct {
	dir    string
	heard  *hearer
	config Config
}

// newBank writes the files and makes a configuration whose folders belong to the test.
func newBank(t *testing.T, files map[string]string) *bank {
	t.Helper()
	b := &bank{dir: t.TempDir(), heard: &hearer{}}
	for name, content := range files {
		b.write(t, name, content)
	}
	b.config = Config{
		Mapping: mapped(t, bankMapping), Paths: []string{b.dir}, BatchRows: 3, InFlight: 2, ErrorsDir: filepath.Join(t.TempDir(), "errors"),
		StateDir: filepath.Join(t.TempDir(), "state"), RetryFor: 30 * time.Second, Progress: b.heard,
	}
	return b
}

func mapped(t *testing.T, content string) *mapping.Mapping {
	t.Helper()
	m, err := mapping.Load("bank.yaml", []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (b *bank) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// errorFileOf reads a file of rejected rows.
func (b *bank) errorFileOf(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(b.config.ErrorsDir, name+".errors.csv"))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// lines makes a file of a header and numbered rows.
func lines(header string, count int, row func(int) string) string {
	var out strings.Builder
	out.WriteString(header + "\n")
	for i := 1; i <= count; i++ {
		out.WriteString(row(i) + "\n")
	}
	return out.String()
}
