package flow

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// readmeClients is what the README's own import finds in files/.
const readmeClients = "id,name,income,currency\n1,Nováková,100,CZK\n"

// drillToken is the token of a value in a report.
var drillToken = regexp.MustCompile(`[A-Za-z0-9_-]{40,}\.[A-Za-z0-9_-]+`)

// The README's customer and its number there; in another bank it has another number, which stands at the head of its screen.
const (
	readmeCustomer = "demo/C1167"
	readmeNumber   = "1167"
)

var customerNumber = regexp.MustCompile(`Customer (\d+)`)

// followReadme runs every command of the README as it stands there. Targets of make are looked up in `make help`:
// running them is what starts this test.
func (b *bank) followReadme(t *testing.T) {
	t.Helper()
	for name, text := range map[string]string{"bank.yaml": readmeMapping(), "files/clients.csv": readmeClients} {
		path := filepath.Join(b.work, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	help, err := exec.CommandContext(t.Context(), "make", "-C", b.root, "help").CombinedOutput()
	if err != nil {
		t.Fatalf("make help: %v\n%s", err, help)
	}
	commands := readmeCommands(t, b.root)
	if len(commands) < 8 {
		t.Fatalf("only %d commands found in the README", len(commands))
	}
	number := customerNumber.FindStringSubmatch(b.tandem(t, 0, "customer", "360", readmeCustomer))[1]
	said := ""
	for _, words := range commands {
		switch words[0] {
		case "bin/tandem":
			for i := range words {
				switch words[i] {
				case "TOKEN": // the command before printed some
					words[i] = drillToken.FindString(said)
				case readmeNumber:
					words[i] = number
				}
			}
			said = b.tandem(t, 0, words[1:]...)
		case "make":
			if !strings.Contains(string(help), words[1]) {
				t.Errorf("the README says %q, which `make help` does not list", strings.Join(words, " "))
			}
		default:
			t.Errorf("the README runs %q, which this test does not know", strings.Join(words, " "))
		}
	}
}

// readmeMapping is the mapping of the refusal test without its second file.
func readmeMapping() string {
	return refusalMapping[:strings.Index(refusalMapping, "  - match: contacts.csv")]
}

// word of a command, which may hold blanks between quotes.
var word = regexp.MustCompile(`'[^']*'|\S+`)

// readmeCommands are the lines that begin with "$ " in the README's console blocks.
func readmeCommands(t *testing.T, root string) (commands [][]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	inside := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "```") {
			inside = line == "```console"
		}
		if command, ok := strings.CutPrefix(line, "$ "); ok && inside {
			words := word.FindAllString(command, -1)
			for i := range words {
				words[i] = strings.Trim(words[i], "'")
			}
			commands = append(commands, words)
		}
	}
	return commands
}
