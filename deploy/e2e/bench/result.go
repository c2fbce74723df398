package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
)

// Result is one line of the table.
type Result struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	// Baseline is what bare SQL did in the same run, and Ratio the value against it; 0 where there is none.
	Baseline float64 `json:"baseline"`
	Ratio    float64 `json:"ratio"`
	// Goal is the least ratio or, without a baseline, the largest value.
	Goal float64 `json:"goal"`
	OK   bool    `json:"ok"`
}

// atLeast is a throughput, whose ratio must reach the goal.
func atLeast(name string, value, baseline float64, unit string, goal float64) Result {
	ratio := value / baseline
	return Result{name, value, unit, baseline, ratio, goal, ratio >= goal}
}

// atMost is a value that must not exceed the goal.
func atMost(name string, value float64, unit string, goal float64) Result {
	return Result{Name: name, Value: value, Unit: unit, Goal: goal, OK: value <= goal}
}

func printTable(out io.Writer, results []Result) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprint(w, "value\tunit\tbaseline\tratio\tgoal\t\t  measurement\n")
	for _, r := range results {
		baseline, ratio, goal := "", "", fmt.Sprintf("≤ %g", r.Goal)
		if r.Baseline != 0 {
			baseline, ratio, goal = fmt.Sprintf("%.0f", r.Baseline), fmt.Sprintf("%.2f", r.Ratio), fmt.Sprintf("≥ %g", r.Goal)
		}
		verdict := "missed"
		if r.OK {
			verdict = "ok"
		}
		_, _ = fmt.Fprintf(w, "%.5g\t%s\t%s\t%s\t%s\t%s\t  %s\n", r.Value, r.Unit, baseline, ratio, goal, verdict, r.Name)
	}
	_ = w.Flush() // to the same place as the table, nobody could be told
}

// writeResults leaves the results for machines.
func writeResults(path string, results []Result) error {
	text, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
