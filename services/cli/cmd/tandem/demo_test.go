package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tandem.bank/services/cli/internal/demo/bank"
)

func TestDemoGenerateUsesTheDefaultsOfTheGenerator(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "bank")
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"demo", "generate", "--customers", "25", "--out", dir, "--json"}, &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	var made bank.Summary
	if err := json.Unmarshal(out.Bytes(), &made); err != nil {
		t.Fatal(err)
	}
	if made.End != bank.DefaultEnd.Format(time.DateOnly) || made.Months != bank.DefaultMonths || made.Rows("customers") != 25 {
		t.Errorf("made %+v", made)
	}
	if _, ok := bank.Complete(bank.Config{Customers: 25, Seed: 1, Dir: dir}); !ok {
		t.Error("the folder does not hold the bank of the default seed")
	}
}

func TestDemoParametersPrintsTheProcess(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"demo", "parameters", "--json"}, &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	var model bank.PurchaseModel
	if err := json.Unmarshal(out.Bytes(), &model); err != nil {
		t.Fatal(err)
	}
	if model.Parameters != bank.Process {
		t.Errorf("parameters are %+v, want %+v", model.Parameters, bank.Process)
	}
	out.Reset()
	if code := run(t.Context(), []string{"demo", "parameters"}, &out, &errs); code != 0 || !strings.Contains(out.String(), "α = 5") {
		t.Errorf("exit code %d, output %s", code, out.String())
	}
}

func TestDemoRefusesWhatCanNotBe(t *testing.T) {
	t.Parallel()
	for _, arguments := range [][]string{
		{"demo", "generate", "--customers", "0", "--out", t.TempDir()},
		{"demo", "generate", "--end", "30.6.2026", "--out", t.TempDir()},
		{"demo", "run", "--data", filepath.Join(t.TempDir(), "missing")},
	} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), arguments, &out, &errs); code == 0 || errs.Len() == 0 {
			t.Errorf("%v: exit code %d, message %q", arguments, code, errs.String())
		}
	}
}
