package mixture_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distmv"

	"tandem.bank/pkg/mixture"
)

func points(t *testing.T, dims int, values []float64) *mixture.Points {
	t.Helper()
	p, err := mixture.NewPoints(dims, values)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// fitting is a fit by any number of groups.
func fitting(p *mixture.Points, shape mixture.Shape, o mixture.Options) func(context.Context, int) (*mixture.Model, error) {
	return func(ctx context.Context, k int) (*mixture.Model, error) {
		if shape == mixture.Spherical {
			return mixture.KMeans(ctx, p, k, o)
		}
		return mixture.EM(ctx, p, k, shape, o)
	}
}

// part of a mixture that is drawn.
type part struct {
	share      float64
	mean       []float64
	deviations []float64
	// correlation of the first two dimensions.
	correlation float64
}

// draw makes points of known parts, in random order.
func draw(seed uint64, n int, parts []part) (values []float64, of []int) {
	random := rand.New(rand.NewPCG(seed, 7))
	for range n {
		mark, g := random.Float64(), 0
		for mark -= parts[g].share; mark > 0 && g < len(parts)-1; mark -= parts[g].share {
			g++
		}
		chances := make([]float64, len(parts[g].mean))
		for j := range chances {
			chances[j] = random.NormFloat64()
		}
		if r := parts[g].correlation; r != 0 {
			chances[1] = r*chances[0] + math.Sqrt(1-r*r)*chances[1]
		}
		for j, chance := range chances {
			values = append(values, parts[g].mean[j]+parts[g].deviations[j]*chance)
		}
		of = append(of, g)
	}
	return values, of
}

var (
	round = []part{
		{0.5, []float64{0, 0, 0}, []float64{1, 1, 1}, 0},
		{0.3, []float64{6, 0, 3}, []float64{1, 1, 1}, 0},
		{0.2, []float64{0, 7, -3}, []float64{1, 1, 1}, 0},
	}
	straight = []part{
		{0.4, []float64{0, 0, 0}, []float64{1, 2, 0.5}, 0},
		{0.3, []float64{5, 0, 2}, []float64{0.5, 1, 1}, 0},
		{0.2, []float64{0, 8, -2}, []float64{2, 1, 0.7}, 0},
		{0.1, []float64{8, 8, 0}, []float64{1, 1, 1}, 0},
	}
	crossed = []part{
		{0.6, []float64{0, 0}, []float64{2, 2}, 0.9},
		{0.4, []float64{4, 0}, []float64{1.5, 2}, -0.8},
	}
)

// Parts of a mixture come out as they went in: the number by BIC, shares within 0.03, means within 0.2 and standard
// deviations within 0.12, over seeds; and points go where they came from, but for those that overlap.
func TestPartsAreRecovered(t *testing.T) {
	t.Parallel()
	cases := []struct {
		shape mixture.Shape
		parts []part
		right float64 // least share of points put where they came from
	}{
		{mixture.Spherical, round, 0.99},
		{mixture.Diagonal, round, 0.99},
		{mixture.Diagonal, straight, 0.97},
		{mixture.Full, straight, 0.97},
		{mixture.Full, crossed, 0.9},
	}
	for _, c := range cases {
		for seed := range uint64(3) {
			dims := len(c.parts[0].mean)
			values, of := draw(seed, 3_000, c.parts)
			p := points(t, dims, values)
			m, _, err := mixture.Choose(t.Context(), 1, 5, fitting(p, c.shape, mixture.Options{Seed: seed, Starts: 3}))
			if err != nil {
				t.Fatal(err)
			}
			if m.Groups() != len(c.parts) || !m.Converged {
				t.Errorf("%s, seed %d: %d groups instead of %d, converged %v", c.shape, seed, m.Groups(), len(c.parts), m.Converged)
				continue
			}
			recovered(t, m, c.parts)
			if share := placed(t, m, p, of, c.parts); share < c.right {
				t.Errorf("%s, seed %d: %.3f of the points are where they came from, at least %v should", c.shape, seed, share, c.right)
			}
		}
	}
}

// order puts the groups of a model into the order of the parts.
func order(t *testing.T, m *mixture.Model, parts []part) {
	t.Helper()
	means := make([][]float64, len(parts))
	for g, part := range parts {
		means[g] = part.mean
	}
	to := make([]int, len(parts))
	for g, place := range mixture.Match(means, m.Means) {
		to[place] = g
	}
	if err := m.Reorder(to); err != nil {
		t.Fatal(err)
	}
}

func recovered(t *testing.T, m *mixture.Model, parts []part) {
	t.Helper()
	order(t, m, parts)
	for g, part := range parts {
		near(t, "share", m.Weights[g], part.share, 0.03)
		for j := range part.mean {
			near(t, "mean", m.Means[g][j], part.mean[j], 0.2)
			near(t, "deviation", math.Sqrt(variance(m, g, j)), part.deviations[j], 0.12)
		}
		if m.Shape == mixture.Full {
			near(t, "correlation", m.Covariances[g][1]/math.Sqrt(variance(m, g, 0)*variance(m, g, 1)), part.correlation, 0.12)
		}
	}
}

func variance(m *mixture.Model, g, j int) float64 {
	switch m.Shape {
	case mixture.Spherical:
		return m.Covariances[0][0]
	case mixture.Diagonal:
		return m.Covariances[g][j]
	}
	return m.Covariances[g][j*len(m.Means[g])+j]
}

// placed is the share of points that are most probable where they came from.
func placed(t *testing.T, m *mixture.Model, p *mixture.Points, of []int, parts []part) float64 {
	t.Helper()
	order(t, m, parts)
	scorer, right := m.Scorer(), 0
	for i := range p.Len() {
		g, _ := scorer.Score(p.At(i))
		if g == of[i] {
			right++
		}
		sum := 0.0
		for _, probability := range scorer.Probabilities {
			sum += probability
		}
		if !(math.Abs(sum-1) < 1e-9) {
			t.Fatalf("probabilities add up to %v", sum)
		}
	}
	return float64(right) / float64(p.Len())
}

// Densities are those that gonum computes, and the log-likelihood is their sum.
func TestDensities(t *testing.T) {
	t.Parallel()
	values, _ := draw(3, 3_000, crossed)
	p := points(t, 2, values)
	m, err := mixture.EM(t.Context(), p, 2, mixture.Full, mixture.Options{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	scorer, sum := m.Scorer(), 0.0
	for i := range p.Len() {
		want := 0.0
		for g := range m.Means {
			normal, ok := distmv.NewNormal(m.Means[g], mat.NewSymDense(2, m.Covariances[g]), nil)
			if !ok {
				t.Fatal("not positive")
			}
			want += m.Weights[g] * normal.Prob(p.At(i))
		}
		_, got := scorer.Score(p.At(i))
		near(t, "density", math.Exp(got), want, 1e-9)
		sum += got
	}
	near(t, "log-likelihood", m.LogLikelihood, sum, 1e-6)
}

// A fit is the same to the last bit, whatever number of processors there is, and each iteration of EM gains.
func TestFitsAreRepeatable(t *testing.T) {
	t.Parallel()
	values, _ := draw(5, 5_000, straight)
	for _, shape := range []mixture.Shape{mixture.Spherical, mixture.Diagonal, mixture.Full} {
		fit := func(processors int) *mixture.Model {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
			m, err := fitting(points(t, 3, values), shape, mixture.Options{Seed: 9, Starts: 2})(t.Context(), 4)
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		if one, two := fit(1), fit(2); !reflect.DeepEqual(one, two) {
			t.Errorf("%s: %+v\nis not\n%+v", shape, one, two)
		}
	}
	before := math.Inf(-1)
	for iterations := 1; iterations < 15; iterations++ {
		m, err := mixture.EM(t.Context(), points(t, 3, values[:3_000]), 4, mixture.Diagonal, mixture.Options{Seed: 9, Starts: 1, IterationsMax: iterations})
		if err != nil {
			t.Fatal(err)
		}
		if m.LogLikelihood < before {
			t.Errorf("iteration %d lost: %v after %v", iterations, m.LogLikelihood, before)
		}
		before = m.LogLikelihood
	}
}

// What no fit expects gives a result with finite numbers, or a refusal.
func TestExtremes(t *testing.T) {
	t.Parallel()
	many := func(n int, of func(i int) []float64) (values []float64) {
		for i := range n {
			values = append(values, of(i)...)
		}
		return values
	}
	cases := map[string]struct {
		values []float64
		k      int
		tooFew bool
	}{
		"one point":                {[]float64{3, 4}, 1, false},
		"one point, two groups":    {[]float64{3, 4}, 2, true},
		"fewer points than groups": {[]float64{1, 2, 3, 4, 5, 6}, 4, true},
		"as many as groups":        {[]float64{1, 2, 3, 5, 9, 6}, 3, false},
		"equal points":             {many(500, func(int) []float64 { return []float64{7, 7} }), 1, false},
		"equal points, two groups": {many(500, func(int) []float64 { return []float64{7, 7} }), 2, true},
		"two places":               {many(500, func(i int) []float64 { return []float64{float64(i % 2), 1} }), 2, false},
		"two places, three groups": {many(500, func(i int) []float64 { return []float64{float64(i % 2), 1} }), 3, true},
		"a constant column":        {many(500, func(i int) []float64 { return []float64{float64(i % 17), 1e6} }), 3, false},
		"one far away":             {many(500, func(i int) []float64 { return []float64{float64(i % 7), math.Pow(float64(i/499)*1e9, 5)} }), 3, false},
		"columns that go together": {many(500, func(i int) []float64 { return []float64{float64(i), 2 * float64(i)} }), 3, false},
		"great numbers":            {many(500, func(i int) []float64 { return []float64{1e99 * float64(i%5), -1e99} }), 3, false},
		"small numbers":            {many(500, func(i int) []float64 { return []float64{1e-99 * float64(i%5), 1e-200} }), 3, false},
		"great and close":          {many(500, func(i int) []float64 { return []float64{1e9 + float64(i%5), 1} }), 3, false},
		"one rare place":           {many(30_000, func(i int) []float64 { return []float64{float64(i / 29_999), 0} }), 2, false},
	}
	for name, c := range cases {
		for _, shape := range []mixture.Shape{mixture.Spherical, mixture.Diagonal, mixture.Full} {
			for _, scaled := range []bool{false, true} {
				p := points(t, 2, slices.Clone(c.values))
				if scaled {
					scale(p)
				}
				m, err := fitting(p, shape, mixture.Options{Seed: 1, Starts: 2})(t.Context(), c.k)
				if errors.Is(err, mixture.ErrTooFew) != c.tooFew || (err != nil && !c.tooFew) {
					t.Errorf("%s, %s: %v", name, shape, err)
				}
				if err == nil {
					finite(t, name+", "+string(shape), m, p)
				}
			}
		}
	}
}

func finite(t *testing.T, name string, m *mixture.Model, p *mixture.Points) {
	t.Helper()
	all := slices.Concat(append(append([][]float64{{m.LogLikelihood, m.BIC()}, m.Weights}, m.Means...), m.Covariances...)...)
	scorer := m.Scorer()
	for i := 0; i < p.Len(); i += 7 {
		_, density := scorer.Score(p.At(i))
		all = append(append(all, density), scorer.Probabilities...)
	}
	for _, v := range all {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("%s: %v in %+v", name, v, m)
			return
		}
	}
}

func TestPointsAreChecked(t *testing.T) {
	t.Parallel()
	for _, values := range [][]float64{{1, 2, 3}, {1, math.NaN()}, {math.Inf(1), 0}, {1e101, 0}, {}} {
		if _, err := mixture.NewPoints(2, values); err == nil {
			t.Errorf("%v are points", values)
		}
	}
	if _, err := mixture.NewPoints(0, []float64{1}); err == nil {
		t.Error("points of no dimension")
	}
	if _, err := mixture.NewModel(mixture.Full, []float64{1}, [][]float64{{1, 2}}, [][]float64{{1, 2}}); err == nil {
		t.Error("a model whose numbers do not fit")
	}
	if _, err := mixture.NewModel(mixture.Full, []float64{1}, [][]float64{{1, 2}}, [][]float64{{1, 2, 2, 1}}); err == nil {
		t.Error("a model that is not positive")
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := mixture.EM(ended, points(t, 1, []float64{1, 2, 3}), 2, mixture.Diagonal, mixture.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v for a fit that is no longer wanted", err)
	}
}

// scale brings points to mean 0 and deviation 1 in place, but for dimensions in which nothing differs.
func scale(p *mixture.Points) *mixture.Scale {
	by := mixture.NewScale(p)
	for i := range p.Len() {
		for j, x := range p.At(i) {
			if by.Deviations[j] > 0 {
				p.At(i)[j] = (x - by.Means[j]) / by.Deviations[j]
			}
		}
	}
	return by
}

// Scaling gives mean 0 and deviation 1, also far from 0, and says where nothing differs.
func TestScale(t *testing.T) {
	t.Parallel()
	values, _ := draw(1, 5_000, straight)
	for i := range len(values) / 3 {
		values[3*i] += 1e8
		values[3*i+2] = 4.2
	}
	p := points(t, 3, values)
	if by := scale(p); by.Deviations[2] != 0 || by.Deviations[0] == 0 {
		t.Errorf("deviations %v", by.Deviations)
	}
	again := mixture.NewScale(p)
	for j := range 2 {
		near(t, "mean", again.Means[j], 0, 1e-7)
		near(t, "deviation", again.Deviations[j], 1, 1e-9)
	}
}

// Match finds the least sum of squared distances, which trying all permutations finds too.
func TestMatch(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		earlier, now := places(random, 1+random.IntN(5)), places(random, 1+random.IntN(5))
		got := mixture.Match(earlier, now)
		seen, pairs, cost := map[int]bool{}, 0, 0.0
		for n, e := range got {
			if e < 0 {
				continue
			}
			if seen[e] {
				t.Fatalf("%v takes one twice", got)
			}
			seen[e] = true
			pairs++
			cost += apart(earlier[e], now[n])
		}
		if pairs != min(len(earlier), len(now)) {
			t.Fatalf("%d pairs of %d and %d", pairs, len(earlier), len(now))
		}
		near(t, "cost", cost, cheapest(earlier, now, 0, map[int]bool{}, len(now)-len(earlier)), 1e-9)
	}
	if got := mixture.Match(nil, [][]float64{{1}}); !slices.Equal(got, []int{-1}) {
		t.Errorf("%v without earlier groups", got)
	}
}

func places(random *rand.Rand, n int) (out [][]float64) {
	for range n {
		out = append(out, []float64{random.NormFloat64(), random.NormFloat64()})
	}
	return out
}

func apart(a, b []float64) float64 {
	return (a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1])
}

// cheapest tries everything; so many of now may stay alone.
func cheapest(earlier, now [][]float64, n int, taken map[int]bool, alone int) float64 {
	if n == len(now) {
		return 0
	}
	best := math.Inf(1)
	if alone > 0 {
		best = cheapest(earlier, now, n+1, taken, alone-1)
	}
	for e := range earlier {
		if !taken[e] {
			taken[e] = true
			best = min(best, apart(earlier[e], now[n])+cheapest(earlier, now, n+1, taken, alone))
			taken[e] = false
		}
	}
	return best
}

// Parts of a distance add up to what densities are made of: the ratio of two groups' probabilities is that of their constants
// and distances.
func TestPartsAddUp(t *testing.T) {
	t.Parallel()
	values, _ := draw(4, 3_000, crossed)
	p := points(t, 2, values)
	for _, shape := range []mixture.Shape{mixture.Spherical, mixture.Diagonal, mixture.Full} {
		m, err := fitting(p, shape, mixture.Options{Seed: 4})(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		scorer, parts, constants := m.Scorer(), make([]float64, 2), []float64{}
		for i := range 50 {
			scorer.Score(p.At(i))
			odds := scorer.LogOdds(0, 1, p.At(i))
			if ratio := math.Log(scorer.Probabilities[0] / scorer.Probabilities[1]); math.Abs(ratio) < 30 {
				near(t, "odds", odds, ratio, 1e-6)
			}
			for g, sign := range []float64{1, -1} {
				scorer.Parts(g, p.At(i), parts)
				odds += sign * (parts[0] + parts[1]) / 2
			}
			constants = append(constants, odds)
		}
		for _, c := range constants {
			near(t, string(shape), c, constants[0], 1e-8)
		}
	}
}
