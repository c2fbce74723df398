// Package benchkit is what the benchmarks share: the command, a stack, results, who calls, and how busy the machine is.
package benchkit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
)

// Signs between a figure and its goal.
const (
	signAtLeast = "≥"
	signAtMost  = "≤"
)

// Result is one line of the table.
type Result struct {
	// Bench that measured it.
	Bench string  `json:"bench"`
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	// Baseline is what was measured beside it in the same run, and Ratio the value against it; 0 where there is none.
	Baseline float64 `json:"baseline"`
	Ratio    float64 `json:"ratio"`
	// Sign says how the ratio or, without a baseline, the value has to stand to Goal; empty where there is no goal.
	Sign string  `json:"sign"`
	Goal float64 `json:"goal"`
	OK   bool    `json:"ok"`
}

// RatioAtLeast is a throughput, whose ratio to the baseline must reach the goal.
func RatioAtLeast(name string, value, baseline float64, unit string, goal float64) Result {
	r := Beside(name, value, baseline, unit)
	r.Sign, r.Goal, r.OK = signAtLeast, goal, r.Ratio >= goal
	return r
}

// RatioAtMost is a time, whose ratio to the baseline must not exceed the goal.
func RatioAtMost(name string, value, baseline float64, unit string, goal float64) Result {
	r := Beside(name, value, baseline, unit)
	r.Sign, r.Goal, r.OK = signAtMost, goal, r.Ratio <= goal
	return r
}

// Beside is a value beside another one, for comparison only.
func Beside(name string, value, baseline float64, unit string) Result {
	return Result{Name: name, Value: value, Unit: unit, Baseline: baseline, Ratio: value / baseline, OK: true}
}

// AtMost is a value that must not exceed the goal.
func AtMost(name string, value float64, unit string, goal float64) Result {
	return Result{Name: name, Value: value, Unit: unit, Sign: signAtMost, Goal: goal, OK: value <= goal}
}

// Plain is a value without a goal.
func Plain(name string, value float64, unit string) Result {
	return Result{Name: name, Value: value, Unit: unit, OK: true}
}

// Results are what a benchmark found, in the order of its measurements.
type Results []Result

// Add keeps results and shows them at once.
func (rs *Results) Add(found ...Result) {
	*rs = append(*rs, found...)
	for _, r := range found {
		beside := ""
		if r.Baseline != 0 {
			beside = fmt.Sprintf(", %.2f of %.4g", r.Ratio, r.Baseline)
		}
		Say("%s: %.4g %s%s", r.Name, r.Value, r.Unit, beside)
	}
}

// Publish prints the table, and writes the results of a bench into a file for machines.
func (rs Results) Publish(path, bench string) error {
	Say("load average %s", LoadAverage())
	if err := write(os.Stdout, rs); err != nil {
		return err
	}
	return store(path, bench, rs)
}

// write is the table for readers.
func write(out io.Writer, results []Result) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprint(w, "value\tunit\tbaseline\tratio\tgoal\t\t  measurement\n")
	for _, r := range results {
		baseline, ratio, goal, verdict := "", "", "", ""
		if r.Baseline != 0 {
			baseline, ratio = fmt.Sprintf("%.4g", r.Baseline), fmt.Sprintf("%.2f", r.Ratio)
		}
		if r.Sign != "" {
			goal, verdict = fmt.Sprintf("%s %g", r.Sign, r.Goal), map[bool]string{true: "ok", false: "missed"}[r.OK]
		}
		_, _ = fmt.Fprintf(w, "%.5g\t%s\t%s\t%s\t%s\t%s\t  %s\n", r.Value, r.Unit, baseline, ratio, goal, verdict, r.Name)
	}
	return w.Flush()
}

// store leaves the results of a bench for machines; those of other benches in the file stay.
func store(path, bench string, results []Result) error {
	var all []Result
	text, err := os.ReadFile(path)
	switch {
	case err == nil:
		if err := json.Unmarshal(text, &all); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	all = slices.DeleteFunc(all, func(r Result) bool { return r.Bench == bench || r.Bench == "" })
	for _, r := range results {
		r.Bench = bench
		all = append(all, r)
	}
	if text, err = json.MarshalIndent(all, "", "  "); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
