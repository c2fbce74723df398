package logit_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"tandem.bank/pkg/logit"
)

// world draws rows with known parameters.
func world(seed uint64, n int, constant float64, effects []float64) *logit.Table {
	random := rand.New(rand.NewPCG(seed, 9))
	names := make([]string, len(effects))
	for j := range names {
		names[j] = "x" + string(rune('a'+j%26)) + string(rune('a'+j/26))
	}
	table, err := logit.NewTable(names)
	if err != nil {
		panic(err)
	}
	row := make([]float64, len(effects))
	for range n {
		eta := constant
		for j, effect := range effects {
			row[j] = random.NormFloat64()
			if j%3 == 2 { // a column of zeros and ones
				row[j] = float64(random.IntN(2))
			}
			eta += effect * row[j]
		}
		if err := table.Append(row, random.Float64() < logit.Probability(eta)); err != nil {
			panic(err)
		}
	}
	return table
}

// 95 % intervals hold the truth in about 95 of 100 drawn worlds.
func TestIntervalsCover(t *testing.T) {
	t.Parallel()
	const worlds = 400
	truth := []float64{-1, 0.5, -0.8, 0.3, 0}
	held := make([]int, len(truth))
	for seed := range uint64(worlds) {
		fit, err := logit.Train(world(seed, 800, truth[0], truth[1:]), logit.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for j, p := range fit.Parameters {
			if p.Low <= truth[j] && truth[j] <= p.High {
				held[j]++
			}
		}
	}
	for j, n := range held {
		// Within three and a half deviations of 95 % of 400.
		if n < 365 || n > 395 {
			t.Errorf("the interval of parameter %d held %d of %d times", j, n, worlds)
		}
	}
}

// A long climb that starts at the end of a short one ends where the slope vanishes, to the same bits each time.
func TestTrainManyRows(t *testing.T) {
	t.Parallel()
	truth := []float64{-2, 0.5, -0.8, 0.3}
	table := world(1, 200_000, truth[0], truth[1:])
	fit, err := logit.Train(table, logit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	again, err := logit.Train(table, logit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if fit.Iterations > 4 || !slices.Equal(fit.Parameters, again.Parameters) {
		t.Errorf("%d iterations, %v and %v", fit.Iterations, fit.Parameters, again.Parameters)
	}
	for j, p := range fit.Parameters {
		if p.Value < truth[j]-4*p.StandardError || p.Value > truth[j]+4*p.StandardError {
			t.Errorf("%+v, want %g", p, truth[j])
		}
	}
}

// BenchmarkTrainMillion trains on 1 000 000 rows of 50 columns.
func BenchmarkTrainMillion(b *testing.B) {
	effects := make([]float64, 50)
	for j := range effects {
		effects[j] = float64(j%7-3) / 20
	}
	table := world(1, 1_000_000, -2, effects)
	b.ResetTimer()
	for range b.N {
		fit, err := logit.Train(table, logit.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(fit.Iterations), "iterations")
	}
}
