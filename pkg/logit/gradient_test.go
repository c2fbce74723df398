package logit

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Slope and curvature are those of the likelihood by differences, with a ridge and without.
func TestSlopeAndCurvature(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 5))
	table, err := NewTable([]string{"a", "b", "c"})
	if err != nil {
		t.Fatal(err)
	}
	for range 3000 {
		a, b := random.NormFloat64(), random.ExpFloat64()
		if err := table.Append([]float64{a, b, a*b + random.NormFloat64()}, random.IntN(3) == 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, ridge := range []float64{0, 7} {
		d := newDesign(table, table.moments(), ridge)
		at := []float64{-0.4, 0.3, -0.2, 0.7}
		here := d.at(at)
		for j := range at {
			const h = 1e-5
			up, down := append([]float64(nil), at...), append([]float64(nil), at...)
			up[j], down[j] = up[j]+h, down[j]-h
			above, below := d.at(up), d.at(down)
			if slope := (above.value - below.value) / (2 * h); math.Abs(slope-here.slope[j]) > 1e-4 {
				t.Errorf("ridge %g: slope %d is %g, by differences %g", ridge, j, here.slope[j], slope)
			}
			for k := range at {
				if curve := -(above.slope[k] - below.slope[k]) / (2 * h); math.Abs(curve-here.symmetric().At(j, k)) > 1e-4 {
					t.Errorf("ridge %g: curvature %d, %d is %g, by differences %g", ridge, j, k, here.symmetric().At(j, k), curve)
				}
			}
		}
	}
}
