package logit_test

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"tandem.bank/pkg/logit"
)

func tableOf(t interface{ Fatal(...any) }, columns []string, rows [][]float64, events []bool) *logit.Table {
	table, err := logit.NewTable(columns)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		if err := table.Append(row, events[i]); err != nil {
			t.Fatal(err)
		}
	}
	return table
}

// What separates is named, alone or with others; a ridge fits all the same.
func TestSeparation(t *testing.T) {
	t.Parallel()
	var rows, two [][]float64
	var events, outside []bool
	for i := range 200 {
		x, y := float64(i%20), float64(i/20)
		rows, events = append(rows, []float64{y, x}), append(events, x >= 12)
		two, outside = append(two, []float64{x, y}), append(outside, x+2*y > 19.5)
	}
	for _, test := range []struct {
		table *logit.Table
		want  logit.SeparationError
	}{
		{tableOf(t, []string{"other", "knows"}, rows, events), logit.SeparationError{Column: "knows", Alone: true}},
		{tableOf(t, []string{"x", "y"}, two, outside), logit.SeparationError{Column: "x"}},
	} {
		_, err := logit.Train(test.table, logit.Options{})
		var separation *logit.SeparationError
		if !errors.As(err, &separation) || separation.Alone != test.want.Alone || test.want.Alone && *separation != test.want {
			t.Errorf("%v, want %+v", err, test.want)
		}
		fit, err := logit.Train(test.table, logit.Options{Ridge: 1})
		if err != nil {
			t.Fatal(err)
		}
		if m, err := logit.Evaluate(fit.Apply(test.table)); err != nil || m.AUC < .99 || math.IsNaN(m.LogLikelihood) {
			t.Errorf("%+v %v", m, err)
		}
	}
}

// A column that is made of others, or the same everywhere, is left out, and changes nothing.
func TestLeftOut(t *testing.T) {
	t.Parallel()
	var rows, plain [][]float64
	var events []bool
	for i := range 300 {
		a, b := float64(i%7), float64(i%11)
		rows, plain = append(rows, []float64{a, 3, b, a - 2*b}), append(plain, []float64{a, b})
		events = append(events, (i*i+i/3)%5 < 2)
	}
	all, err := logit.Train(tableOf(t, []string{"a", "three", "b", "made"}, rows, events), logit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	few, err := logit.Train(tableOf(t, []string{"a", "b"}, plain, events), logit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(all.Left) != 2 || all.Left[0] != "three" || all.Left[1] != "made" {
		t.Errorf("left out %v", all.Left)
	}
	if all.LogLikelihood != few.LogLikelihood || all.Parameters[1] != few.Parameters[1] || all.Parameters[3] != few.Parameters[2] {
		t.Errorf("%v, without them %v", all.Parameters, few.Parameters)
	}
}

// Too few rows of an outcome are refused, and so are numbers that are none.
func TestRefused(t *testing.T) {
	t.Parallel()
	table := tableOf(t, []string{"x"}, [][]float64{{1}, {2}, {3}}, []bool{true, false, true})
	if _, err := logit.Train(table, logit.Options{}); !errors.Is(err, logit.ErrTooLittle) {
		t.Errorf("%v", err)
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e39} {
		if err := table.Append([]float64{v}, true); err == nil {
			t.Errorf("%g was taken", v)
		}
	}
	if _, err := logit.Evaluate([]logit.Scored{{LogOdds: 1, Event: true}}); !errors.Is(err, logit.ErrTooLittle) {
		t.Errorf("%v", err)
	}
}

// Whatever the numbers, what comes out is finite or an error.
func TestNeverNaN(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 120).Draw(t, "rows")
		value := rapid.OneOf(rapid.SampledFrom([]float64{0, 1, -1, 1e-30, 1e30, -3e38, 3e38}), rapid.Float64Range(-10, 10))
		var rows [][]float64
		var events []bool
		for range n {
			rows = append(rows, []float64{value.Draw(t, "x"), value.Draw(t, "y"), float64(rapid.IntRange(0, 1).Draw(t, "z"))})
			events = append(events, rapid.Bool().Draw(t, "event"))
		}
		table := tableOf(t, []string{"x", "y", "z"}, rows, events)
		ridge := rapid.SampledFrom([]float64{0, 1e-6, 1, 1e6}).Draw(t, "ridge")
		fit, err := logit.Train(table, logit.Options{Ridge: ridge, EventsMin: 1})
		if err != nil {
			return
		}
		for _, p := range fit.Parameters {
			if !finite(p.Value, p.StandardError, p.Low, p.High) {
				t.Fatalf("%+v", p)
			}
		}
		m, err := logit.Evaluate(fit.Apply(table))
		if err != nil {
			t.Fatal(err)
		}
		if !finite(fit.LogLikelihood, m.LogLikelihood, m.Brier, m.AUC, m.KS, m.HosmerLemeshow.ChiSquare, m.HosmerLemeshow.P) {
			t.Fatalf("%+v", m)
		}
	})
}

func finite(values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}
