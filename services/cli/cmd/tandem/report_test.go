package main

import (
	"strings"
	"testing"
)

// No option of a report does nothing.
func TestReportOptions(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"report run": "give either the name of a report or --measures",
		"report run sales-by-branch --measures turnover":  "give either the name of a report or --measures",
		"report run sales-by-branch --last 3":             "only --as-of and --version go with its name",
		"report export sales-by-branch --filter sex=male": "only --as-of and --version go with its name",
		"report run --measures turnover --version 2":      "--version goes with the name of a report",
		"report run --measures turnover --others":         "--others needs --top",
		"report run --measures turnover --to 2026-06-30":  "--to needs --from",
	} {
		if code, _, errs := tandem(t, strings.Fields(line)...); code == 0 || !strings.Contains(errs, want) {
			t.Errorf("%s: %d %q", line, code, errs)
		}
	}
}
