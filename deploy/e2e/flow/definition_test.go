package flow

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// best is a definition of RFM, in one of two windows.
const best = `name: best
title: The best customers
reader_roles: [marketer]
schedule: {cron: "@monthly"}
spec:
  rfm:
    window_days: DAYS
    transaction_kinds: [KIND]
`

const salesPlan = `unit_kind,unit,indicator,period,period_start,amount,currency
bank,,turnover,month,2026-05-01,1000000,CZK
bank,,turnover,month,2026-06-01,much,CZK
branch,demo/nowhere,turnover,month,2026-06-01,1,CZK
segment,loyal,turnover,quarter,2026-04-01,250000.50,CZK
`

// TestDefinitions follows a definition from the analyst's file to runs by its name: it is compiled before it is saved, old
// versions give what they gave, and while analytics is away only definitions wait.
func TestDefinitions(t *testing.T) {
	t.Parallel()
	b := open(t)
	folder := filepath.Join(b.work, "bank")
	b.tandem(t, 0, "demo", "generate", "--customers", "150", "--seed", "7", "--out", folder)
	b.tandem(t, 0, "import", "--mapping", "demo", folder)

	if out := b.failed(t, "definition", "apply", b.file(t, "best.yaml", best, "DAYS", "90", "KIND", "bribe")); !strings.Contains(out, "definition.spec.rfm.transaction_kinds[0]") {
		t.Errorf("a definition that can't be run:\n%s", out)
	}
	b.apply(t, "90", "created, version 1")
	b.apply(t, "90", "unchanged, version 1")
	b.tandem(t, 0, "wait")
	byName, bySettings := b.runBest(t, "--definition", "best"), b.runBest(t, "--window-days", "90", "--kinds", "card_payment")
	if byName.GetWindowDays() != 90 || byName.GetCustomers() == 0 || !sameRun(byName, bySettings) {
		t.Errorf("by name %v\nby settings %v", byName, bySettings)
	}
	b.apply(t, "700", "changed, version 2")
	b.tandem(t, 0, "wait")
	newest, old := b.runBest(t, "--definition", "best"), b.runBest(t, "--definition", "best", "--version", "1")
	if newest.GetTransactions() <= byName.GetTransactions() || !sameRun(old, byName) {
		t.Errorf("version 2 %v\nversion 1 %v, and before %v", newest, old, byName)
	}
	if out := b.tandem(t, 0, "definition", "history", "best"); strings.Count(out, "\n") != 3 {
		t.Errorf("history:\n%s", out)
	}
	b.byProgram(t)
	b.schedules(t)
	b.reports(t)
	b.withoutAnalytics(t)
	b.plans(t)
	b.comparesPlan(t)
}

// byProgram saves a definition as a service account, which analytics does not know: crm asks in its name, and what is wrong is
// told all the same.
func (b *bank) byProgram(t *testing.T) {
	t.Helper()
	key := filepath.Join(b.work, "planner.key")
	b.tandem(t, 0, "service-account", "create", "planner", "--role", "analyst", "--private-key", key)
	as := []string{"--account", "planner", "--key-file", key, "definition", "apply"}
	if out := b.failed(t, append(as, b.file(t, "planned.yaml", best, "name: best", "name: planned", "DAYS", "90", "KIND", "bribe"))...); !strings.Contains(out, "transaction_kinds[0]") {
		t.Errorf("a definition that can't be run:\n%s", out)
	}
	good := b.file(t, "planned.yaml", best, "name: best", "name: planned", "DAYS", "90", "KIND", "card_payment")
	if out := b.tandem(t, 0, append(as, good)...); out != "planned created, version 1\n" {
		t.Errorf("a program's definition:\n%s", out)
	}
}

// schedules runs the definition as its schedule would: once for a day.
func (b *bank) schedules(t *testing.T) {
	t.Helper()
	first := b.tandem(t, 0, "schedule", "run", "best", "--as-of", "2026-05-31")
	if again := b.tandem(t, 0, "schedule", "run", "best", "--as-of", "2026-05-31"); again != first || !strings.Contains(first, "done") {
		t.Errorf("%s, and again %s", first, again)
	}
	if out := b.tandem(t, 0, "schedule", "list"); !strings.Contains(out, "best") || !strings.Contains(out, "done for 2026-05-31") {
		t.Errorf("schedules:\n%s", out)
	}
}

// withoutAnalytics takes analytics away: no spec is saved, and the front office does not notice.
func (b *bank) withoutAnalytics(t *testing.T) {
	t.Helper()
	if err := b.Analytics.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out := b.failed(t, "definition", "apply", b.file(t, "best.yaml", best, "DAYS", "30", "KIND", "card_payment")); !strings.Contains(out, "analytics") {
		t.Errorf("a change without analytics:\n%s", out)
	}
	b.tandem(t, 0, "customer", "360", "demo/C1")
	if out := b.tandem(t, 0, "definition", "show", "best"); !strings.Contains(out, "window_days: 700") {
		t.Errorf("the definition:\n%s", out)
	}
	if err := b.Analytics.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// plans brings in a plan, with two lines that are wrong.
func (b *bank) plans(t *testing.T) {
	t.Helper()
	file := b.file(t, "plan.csv", salesPlan)
	out, err := b.command(t.Context(), "plan", "import", "--plan", "sales_2026", file).CombinedOutput()
	for _, want := range []string{"version 1, 2 figures changed, 0 unchanged, 2 rejected", "line 3: amount: ", "line 4: unit.branch_key: "} {
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s lacks %s (%v)", out, want, err)
		}
	}
	b.tandem(t, 3, "plan", "import", "--plan", "sales_2026", file)
	if out := b.tandem(t, 0, "plan", "show", "sales_2026"); !strings.Contains(out, "segment loyal") || strings.Count(out, "\n") != 3 {
		t.Errorf("the plan:\n%s", out)
	}
	b.tandem(t, 0, "wait")
	var figures uint64
	var sum string
	const question = "SELECT count(), toString(sum(amount)) FROM plan_value_at(at = '2299-01-01 00:00:00') WHERE name = 'sales_2026'"
	if err := b.warehouse(t).QueryRow(t.Context(), question).Scan(&figures, &sum); err != nil || figures != 2 || sum != "1250000.5" {
		t.Errorf("%d figures, %s, %v", figures, sum, err)
	}
}

// apply applies the definition and wants to be told what was done.
func (b *bank) apply(t *testing.T, days, want string) {
	t.Helper()
	if out := b.tandem(t, 0, "definition", "apply", b.file(t, "best.yaml", best, "DAYS", days, "KIND", "card_payment")); out != "best "+want+"\n" {
		t.Errorf("%s, want %s", out, want)
	}
}

// file writes a file with some words replaced, and returns its path.
func (b *bank) file(t *testing.T, name, text string, replaced ...string) string {
	t.Helper()
	path := filepath.Join(b.work, name)
	if err := os.WriteFile(path, []byte(strings.NewReplacer(replaced...).Replace(text)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// failed runs the command line, which must fail, and returns all that it said.
func (b *bank) failed(t *testing.T, args ...string) string {
	t.Helper()
	out, err := b.command(t.Context(), args...).CombinedOutput()
	if err == nil {
		t.Errorf("tandem %s went well:\n%s", strings.Join(args, " "), out)
	}
	return string(out)
}

// runBest runs RFM as of the last day of the generated bank.
func (b *bank) runBest(t *testing.T, args ...string) *analyticsv1.RfmRun {
	t.Helper()
	answer := &analyticsv1.RunRfmResponse{}
	b.json(t, answer, append([]string{"run", "rfm", "--as-of", "2026-06-30"}, args...)...)
	return answer.GetRun()
}

// sameRun says that two runs found the same.
func sameRun(a, b *analyticsv1.RfmRun) bool {
	return a.GetCustomers() == b.GetCustomers() && a.GetTransactions() == b.GetTransactions() && proto.Equal(a.GetMonetary(), b.GetMonetary()) &&
		len(a.GetGrid()) == len(b.GetGrid())
}
