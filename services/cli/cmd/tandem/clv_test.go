package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shop writes purchases of 600 customers, regular on purpose: how often and how long differ.
func shop(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	text.WriteString("id,date,amount\n")
	for i := range 600 {
		for n := range 1 + i%7*(i%3) {
			day := 1 + i%28 + n*(20+i%60)
			if day > 600 {
				break
			}
			fmt.Fprintf(&text, "C%d,%d-%02d-%02d,%d.50\n", i, 2024+day/336, 1+day%336/28, 1+day%28, 10+i%90+n)
		}
	}
	path := filepath.Join(t.TempDir(), "shop.csv")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestClvFit(t *testing.T) {
	t.Parallel()
	file := shop(t)
	predictions := filepath.Join(t.TempDir(), "predictions.csv")
	code, out, errs := tandem(t, "--json", "clv", "fit", file, "--calibration-end", "2024-12-31", "--predictions", predictions)
	if code != 0 {
		t.Fatalf("%d %s", code, errs)
	}
	var result struct {
		Customers int
		Counts    struct {
			Model      string
			Parameters []struct{ Value float64 }
		}
		Spend   struct{ Parameters []struct{ Value float64 } }
		Holdout struct {
			Weeks   float64
			Classes []struct{ Customers int }
		}
	}
	if err := json.Unmarshal([]byte(out), &result); err != nil {
		t.Fatal(err)
	}
	if result.Customers != 600 || len(result.Counts.Parameters) != 4 || len(result.Spend.Parameters) != 3 || len(result.Holdout.Classes) != 8 {
		t.Errorf("%+v", result)
	}
	written, err := os.ReadFile(predictions)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(written), "\n"); lines != 601 {
		t.Errorf("%d lines of predictions", lines)
	}
	code, text, _ := tandem(t, "clv", "fit", file, "--model", "bg_nbd")
	if code != 0 || !strings.Contains(text, "bg_nbd, log-likelihood") || !strings.Contains(text, "gamma_gamma of") {
		t.Errorf("%d %s", code, text)
	}
}

func TestClvFitRefuses(t *testing.T) {
	t.Parallel()
	file := shop(t)
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--calibration-end", "2030-01-01"}, "must end within the file's days"},
		{[]string{"--calibration-end", "soon"}, `--calibration-end: "soon" is not a date`},
		{[]string{"--columns", "1"}, "must be numbers such as"},
		{[]string{"--columns", "1,2,9"}, "has 3 columns; 9 are needed"},
		{[]string{"--horizon", "0"}, "--horizon"},
		{[]string{"--model", "naive"}, "--model must be one of"},
	} {
		code, _, errs := tandem(t, append([]string{"clv", "fit", file}, test.args...)...)
		if code == 0 || !strings.Contains(errs, test.want) {
			t.Errorf("%v: %d %s", test.args, code, errs)
		}
	}
}
