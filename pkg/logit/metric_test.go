package logit_test

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tandem.bank/pkg/logit"
)

// Figures of ten rows, reckoned by hand; three of them have the same score.
func TestEvaluate(t *testing.T) {
	t.Parallel()
	rows := []logit.Scored{
		{-3, false}, {-2, false}, {-1, false}, {0, true}, {0, false}, {0, false}, {1, true}, {2, false}, {3, true}, {4, true},
	}
	m, err := logit.Evaluate(rows)
	if err != nil {
		t.Fatal(err)
	}
	// Of 4·6 pairs: 4 beats 6, 3 beats 6, 1 beats 5, 0 beats 3 and ties with 2.
	same(t, "AUC", m.AUC, (6+6+5+3+1)/24., 12)
	same(t, "Gini", m.Gini, 2*21/24.-1, 12)
	same(t, "KS", m.KS, 5/6.-1/4., 12)
	// The highest 30 %: two of the three had the event, of all four in ten.
	same(t, "lift", m.Lifts[4].Lift, (2/3.)/(4/10.), 12)
	// The highest half: 4, 3, 2, 1 and a third of the tie, which has one event.
	same(t, "lift over a tie", m.Lifts[5].Lift, (3+1/3.)/5/.4, 12)
	if len(m.Calibration) != 10 || m.Calibration[9].Events != 1 {
		t.Errorf("%+v", m.Calibration)
	}
}

// The area under the curve is the share of pairs in the right order, whatever the ties; the order of rows does not matter.
func TestRankByPairs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 60).Draw(t, "rows")
		rows := make([]logit.Scored, n)
		for i := range rows {
			rows[i] = logit.Scored{LogOdds: float64(rapid.IntRange(-3, 3).Draw(t, "score")), Event: i == 0 || i > 1 && rapid.Bool().Draw(t, "event")}
		}
		won, pairs := 0.0, 0.0
		for _, a := range rows {
			for _, b := range rows {
				if a.Event && !b.Event {
					pairs++
					switch {
					case a.LogOdds > b.LogOdds:
						won++
					case a.LogOdds == b.LogOdds:
						won += .5
					}
				}
			}
		}
		turned := slices.Clone(rows)
		slices.Reverse(turned)
		m, err := logit.Evaluate(rows)
		if err != nil {
			t.Fatal(err)
		}
		again, err := logit.Evaluate(turned)
		if err != nil || !reflect.DeepEqual(m, again) {
			t.Fatalf("%+v and %+v, %v", m, again, err)
		}
		if math.Abs(m.AUC-won/pairs) > 1e-12 {
			t.Fatalf("%g, by pairs %g", m.AUC, won/pairs)
		}
	})
}

// A model that tells the truth is calibrated; one that exaggerates is not.
func TestHosmerLemeshow(t *testing.T) {
	t.Parallel()
	table := world(3, 20_000, -1, []float64{1, -1})
	fit, err := logit.Train(table, logit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	right, err := logit.Evaluate(fit.Apply(table))
	if err != nil {
		t.Fatal(err)
	}
	wrong := fit.Apply(table)
	for i := range wrong {
		wrong[i].LogOdds *= 1.5
	}
	exaggerated, err := logit.Evaluate(wrong)
	if err != nil {
		t.Fatal(err)
	}
	if right.HosmerLemeshow.P < 1e-3 || exaggerated.HosmerLemeshow.P > 1e-6 || right.Brier >= exaggerated.Brier || right.AUC != exaggerated.AUC {
		t.Errorf("%+v and %+v", right, exaggerated)
	}
}

// The stability index of figures reckoned by hand.
func TestStability(t *testing.T) {
	t.Parallel()
	s := logit.Stability{Edges: []float64{1, 2}, Shares: []float64{.2, .3, .5}}
	counts := s.Count(slices.Values([]float64{0, 1, 1.5, 1.7, 2, 3, 4, 5, 6, 7}))
	if !slices.Equal(counts, []int{2, 3, 5}) || s.Index(counts) != 0 {
		t.Errorf("%v %g", counts, s.Index(counts))
	}
	same(t, "index", s.Index([]int{5, 3, 2}), .3*math.Log(2.5)-.3*math.Log(.4), 12)
	if moved := s.Index([]int{10, 0, 0}); !(moved > 1 && !math.IsInf(moved, 0)) {
		t.Errorf("%g", moved)
	}
	few := logit.NewStability([]float64{1, 1, 1, 2})
	if len(few.Shares) != 2 || few.Shares[0] != .75 {
		t.Errorf("%+v", few)
	}
}

// Weights of evidence, reckoned by hand, survive being written down; numbers that differ little share a bin.
func TestEvidence(t *testing.T) {
	t.Parallel()
	var levels []string
	var numbers []float64
	var events []bool
	for i := range 200 {
		level := []string{"a", "b"}[i%2]
		if i == 7 {
			level = "rare"
		}
		number := float64(i % 40)
		if i%40 == 39 {
			number = math.NaN()
		}
		levels, numbers = append(levels, level), append(numbers, number)
		events = append(events, i%40 >= 20 && i%4 > 0 || i%8 == 0)
	}
	e, err := logit.NewLevelEvidence(levels, events)
	if err != nil {
		t.Fatal(err)
	}
	had, others := 0, 0
	for i, event := range events {
		if levels[i] == "a" && event {
			had++
		} else if levels[i] == "a" {
			others++
		}
	}
	n, all := float64(len(events)), 0.0
	for _, event := range events {
		if event {
			all++
		}
	}
	same(t, "weight", e.Of(logit.Value{Text: "a"}), math.Log((float64(had)+.5)/(all+.5)/((float64(others)+.5)/(n-all+.5))), 12)
	if e.Place(logit.Value{Text: "rare"}) != 2 || e.Place(logit.Value{Text: "new"}) != 2 {
		t.Errorf("%+v", e)
	}
	of, err := logit.NewNumberEvidence(numbers, events, 2)
	if err != nil {
		t.Fatal(err)
	}
	if len(of.Edges) != 1 || of.Edges[0] < 16 || of.Edges[0] > 22 || of.Place(logit.Value{Number: math.NaN()}) != 2 || of.Information < .5 {
		t.Errorf("%+v", of)
	}
	text, err := json.Marshal(logit.Encoder{Woe: e})
	if err != nil {
		t.Fatal(err)
	}
	var back logit.Encoder
	if err := json.Unmarshal(text, &back); err != nil || back.Woe.Of(logit.Value{Text: "a"}) != e.Of(logit.Value{Text: "a"}) {
		t.Errorf("%s %v", text, err)
	}
}

// Levels have a column each but the reference, numbers that are not known have the mean and a column that says so.
func TestEncode(t *testing.T) {
	t.Parallel()
	levels, err := logit.NewLevels([]string{"b", "a", "c", ""}, "b")
	if err != nil {
		t.Fatal(err)
	}
	linear, err := logit.NewLinear([]float64{1, math.NaN(), 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		encoder logit.Encoder
		value   logit.Value
		columns []string
		want    []float64
	}{
		{logit.Encoder{Levels: levels}, logit.Value{Text: "c"}, []string{"x = unknown", "x = a", "x = c"}, []float64{0, 0, 1}},
		{logit.Encoder{Levels: levels}, logit.Value{Text: "b"}, []string{"x = unknown", "x = a", "x = c"}, []float64{0, 0, 0}},
		{logit.Encoder{Levels: levels}, logit.Value{Text: "new"}, []string{"x = unknown", "x = a", "x = c"}, []float64{0, 0, 0}},
		{logit.Encoder{Linear: linear}, logit.Value{Number: 2.5}, []string{"x", "x unknown"}, []float64{2.5, 0}},
		{logit.Encoder{Linear: linear}, logit.Value{Number: math.Inf(1)}, []string{"x", "x unknown"}, []float64{3, 0}},
		{logit.Encoder{Linear: linear}, logit.Value{Number: math.NaN()}, []string{"x", "x unknown"}, []float64{2, 1}},
	} {
		out := make([]float64, len(test.want))
		test.encoder.Encode(test.value, out)
		if !slices.Equal(out, test.want) || !slices.Equal(test.encoder.Columns("x"), test.columns) {
			t.Errorf("%+v: %v in %v", test.value, out, test.encoder.Columns("x"))
		}
	}
}
