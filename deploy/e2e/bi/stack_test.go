// Package bi tries the database for analysts from outside: as its users, through the clients and tools that they have, on
// a bank that came through the real services.
package bi

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tandem.bank/deploy/local/engine"
	"tandem.bank/deploy/local/project"
	"tandem.bank/deploy/local/stack"
)

// star is the bank of all tests here: they only read it.
var star *bank

func TestMain(m *testing.M) {
	engine.RunIfChild()
	os.Exit(run(m))
}

func run(m *testing.M) (code int) {
	work, err := os.MkdirTemp("", "tandem-bi-")
	if err == nil {
		defer func() { _ = os.RemoveAll(work) }()
		star, err = open(context.Background(), work)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := star.Stop(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	return m.Run()
}

// bank is a running stack with a small bank in it.
type bank struct {
	*stack.Stack

	root, work string
	admin      driver.Conn // the user default
	password   string      // of bi
}

// customers is the size of the bank.
const customers = "150"

// open starts the stack, loads a bank full of words that must not get through, and values its customers.
func open(ctx context.Context, work string) (*bank, error) {
	root, err := project.Root(".")
	if err != nil {
		return nil, err
	}
	config := filepath.Join(work, "clickhouse")
	if err := configure(config, filepath.Join(root, "deploy", "clickhouse")); err != nil {
		return nil, err
	}
	s, err := stack.New(stack.Config{
		Engines: stack.EnginesConfig{
			Root: root, DataDir: filepath.Join(work, "data"), Throwaway: true, ClickHouseConfigDir: config,
		},
		CRMProgram: filepath.Join(root, "bin", "crm"), AnalyticsProgram: filepath.Join(root, "bin", "analytics"),
		BaseCurrency: "CZK", TimeZone: "Europe/Prague",
	})
	if err != nil {
		return nil, err
	}
	if err := s.Start(ctx); err != nil {
		return nil, err
	}
	b := &bank{Stack: s, root: root, work: work}
	if err := b.load(ctx); err != nil {
		return nil, errors.Join(err, s.Stop(ctx))
	}
	return b, nil
}

// branchLine is a line as an operator writes it into users.d/bi.xml. The passwords of tests are the names.
const branchLine = `<%s><password>%[1]s</password><include incl="branch_analyst"/></%[1]s>`

// Users of the tests beside bi.
const (
	oneBranch   = "bi_branch_3"
	twoBranches = "bi_branch_3_7"
	fewQueries  = "bi_few"
)

// fewLine is an analyst with the quota of bi, but for the queries of an hour: those that fewQuota lets through.
const fewLine = `<bi_few><password>bi_few</password><networks><ip>::/0</ip></networks><profile>bi</profile><quota>bi_few</quota>` +
	`<grants><query>GRANT SELECT ON bi.*</query></grants></bi_few>`

// fewQuota is the number of queries.
const fewQuota = 3

// configure copies the configuration and adds users in the way that its comments tell.
func configure(target, source string) error {
	if err := os.CopyFS(target, os.DirFS(source)); err != nil {
		return err
	}
	file := filepath.Join(target, "users.d", "bi.xml")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var lines strings.Builder
	for _, name := range []string{oneBranch, twoBranches} {
		fmt.Fprintf(&lines, branchLine+"\n", name)
	}
	users := strings.Replace(string(text), "</users>", lines.String()+fewLine+"</users>", 1)
	_, quotas, _ := strings.Cut(users, "<quotas>")
	quotas, _, _ = strings.Cut(quotas, "</quotas>")
	few := strings.NewReplacer("<bi>", "<bi_few>", "</bi>", "</bi_few>", "<queries>20000<", fmt.Sprintf("<queries>%d<", fewQuota)).Replace(quotas)
	users = strings.Replace(users, "</quotas>", few+"</quotas>", 1)
	return os.WriteFile(file, []byte(users), 0o600)
}

// load fills the bank.
func (b *bank) load(ctx context.Context) error {
	password, err := os.ReadFile(b.Engines.BIPasswordFile())
	if err != nil {
		return err
	}
	b.password = strings.TrimSpace(string(password))
	options, err := clickhouse.ParseDSN(b.Engines.ClickHouse.URL())
	if err != nil {
		return err
	}
	if b.admin, err = clickhouse.Open(options); err != nil {
		return err
	}
	folder := b.folder()
	if err := b.tandem(ctx, "demo", "generate", "--customers", customers, "--seed", "7", "--out", folder); err != nil {
		return err
	}
	for file, columns := range personalColumns {
		if err := plant(filepath.Join(folder, file+".csv"), columns); err != nil {
			return err
		}
	}
	for _, args := range [][]string{
		{"import", "--mapping", "demo", folder},
		{"wait", "--timeout", "2m"},
		{"facts", "refresh"}, // they follow ingestion in their own time
		{"run", "rfm", "--as-of", "2026-03-31"},
		{"run", "rfm", "--as-of", "2026-06-30"},
	} {
		if err := b.tandem(ctx, args...); err != nil {
			return err
		}
	}
	// Runs of segments and scores, as their owners write them.
	for _, statement := range []string{
		`INSERT INTO tandem.segment_member (segment, as_of, run_id, customer_id) SELECT 'savers', '2026-06-30', toUUID('00000000-0000-0000-0000-000000000001'), customer_id FROM tandem.customer FINAL`,
		`INSERT INTO tandem.segment_run (run_id, segment, definition_version, as_of, customers, computed_time, newest_event_time) SELECT '00000000-0000-0000-0000-000000000001', 'savers', 1, '2026-06-30', 1, now(), now()`,
		`INSERT INTO tandem.score (score, as_of, run_id, customer_id, value, band) SELECT 'churn', '2026-06-30', toUUID('00000000-0000-0000-0000-000000000002'), customer_id, 0.5, 'middle' FROM tandem.customer FINAL`,
		`INSERT INTO tandem.score_run (run_id, score, definition_version, as_of, customers, computed_time, newest_event_time) SELECT '00000000-0000-0000-0000-000000000002', 'churn', 1, '2026-06-30', 1, now(), now()`,
		`SYSTEM RELOAD DICTIONARIES`,
	} {
		if err := b.admin.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func (b *bank) folder() string { return filepath.Join(b.work, "bank") }

// tandem runs the command line.
func (b *bank) tandem(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(b.root, "bin", "tandem"), args...)
	cmd.Dir, cmd.Env = b.work, append(os.Environ(), b.Addresses()...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("tandem %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// personalColumns are columns of the generated files into which canaries are planted: words that nobody else uses.
var personalColumns = map[string][]string{
	"customers": {
		"given_name", "family_name", "legal_name", "given_name_latin", "family_name_latin", "employer_name", "position", "street", "city",
	},
	"managers":     {"name"},
	"interactions": {"subject", "text", "topic"},
	"transactions": {"description"},
	"relations":    {"other_name"},
}

// canary is part of every planted word.
const canary = "Kanarek"

// plant puts canaries into the columns of a file wherever they have a value.
func plant(file string, columns []string) error {
	rows, err := readCSV(file)
	if err != nil {
		return err
	}
	for i, name := range rows[0] {
		if !slices.Contains(columns, name) {
			continue
		}
		for n, row := range rows[1:] {
			if row[i] != "" {
				row[i] = canary + " " + letters(n)
			}
		}
	}
	var out bytes.Buffer
	if err := csv.NewWriter(&out).WriteAll(rows); err != nil {
		return err
	}
	return os.WriteFile(file, out.Bytes(), 0o600)
}

// letters writes a number without digits, as names are.
func letters(n int) string {
	return strings.Map(func(r rune) rune { return 'a' + r - '0' }, fmt.Sprint(n))
}

func readCSV(file string) ([][]string, error) {
	opened, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = opened.Close() }()
	return csv.NewReader(opened).ReadAll()
}

// ask sends a query over HTTP as a user and returns the answer as text, or what the server had against it.
func (b *bank) ask(ctx context.Context, user, sql string, settings ...string) (string, error) {
	address := b.Engines.ClickHouseHTTPURL() + "/?" + url.Values{"database": {"bi"}}.Encode()
	for i := 0; i+1 < len(settings); i += 2 {
		address += "&" + url.QueryEscape(settings[i]) + "=" + url.QueryEscape(settings[i+1])
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(sql))
	if err != nil {
		return "", err
	}
	request.Header.Set("X-ClickHouse-User", user)
	request.Header.Set("X-ClickHouse-Key", map[bool]string{true: b.password, false: user}[user == "bi"])
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	if code := response.Header.Get("X-ClickHouse-Exception-Code"); code != "" {
		return "", &refusal{code: code, text: string(body)}
	}
	return string(body), nil
}

// refusal is an exception of the server.
type refusal struct{ code, text string }

// Error begins with the code.
func (r *refusal) Error() string { return "code " + r.code + ": " + strings.TrimSpace(r.text) }

// must is ask for what is expected to work.
func (b *bank) must(t *testing.T, user, sql string) string {
	t.Helper()
	out, err := b.ask(t.Context(), user, sql)
	if err != nil {
		t.Fatalf("%s as %s: %v", sql, user, err)
	}
	return out
}

// views lists the views of bi.
func (b *bank) views(t *testing.T) []string {
	t.Helper()
	// As the administrator, who also sees what somebody forgot to let analysts see.
	var names []string
	if err := b.admin.QueryRow(t.Context(), "SELECT groupArray(name) FROM (SELECT name FROM system.tables WHERE database = 'bi' ORDER BY name)").Scan(&names); err != nil {
		t.Fatal(err)
	}
	if len(names) < 16 {
		t.Fatalf("only %d views: %s", len(names), names)
	}
	return names
}

// codeOf is the code of a refusal; empty when it was none.
func codeOf(err error) string {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.code
	}
	return ""
}
