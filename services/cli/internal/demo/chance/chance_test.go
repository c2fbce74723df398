package chance

import (
	"math"
	"testing"
)

// draws is large enough that a tolerance of five standard errors is below two in a thousand of a mean.
const draws = 400_000

func start(purpose uint64) *Stream {
	var s Stream
	s.Seed(1, 2, purpose)
	return &s
}

// moments draws many times and returns mean and variance.
func moments(draw func() float64) (mean, variance float64) {
	for range draws {
		x := draw()
		mean += x
		variance += x * x
	}
	mean /= draws
	return mean, variance/draws - mean*mean
}

func TestExactFunctionsAgreeWithTheLibrary(t *testing.T) {
	t.Parallel()
	s := start(1)
	for range 100_000 {
		x := s.Between(-600, 600)
		if got, want := Exp(x), math.Exp(x); math.Abs(got/want-1) > 1e-14 {
			t.Fatalf("Exp(%v) = %v, want %v", x, got, want)
		}
		y := math.Exp(x / 3)
		if got, want := Log(y), math.Log(y); math.Abs(got-want) > 1e-14*math.Max(1, math.Abs(want)) {
			t.Fatalf("Log(%v) = %v, want %v", y, got, want)
		}
	}
	for _, x := range []float64{1, math.E, 0.5, 2, math.Sqrt2, math.Sqrt2 / 2, 1e-300} {
		if got, want := Log(x), math.Log(x); math.Abs(got-want) > 1e-15*math.Max(1, math.Abs(want)) {
			t.Errorf("Log(%v) = %v, want %v", x, got, want)
		}
	}
	if got := Power(1.005, 12); math.Abs(got-math.Pow(1.005, 12)) > 1e-14 {
		t.Errorf("Power(1.005, 12) = %v", got)
	}
}

func TestMomentsOfTheDistributions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name           string
		draw           func(*Stream) float64
		mean, variance float64
	}{
		{"uniform", func(s *Stream) float64 { return s.Uniform() }, 0.5, 1.0 / 12},
		{"whole 3..7", func(s *Stream) float64 { return float64(s.Whole(3, 7)) }, 5, 2},
		{"weighted", func(s *Stream) float64 { return float64(s.Weighted([]int{1, 2, 1})) }, 1, 0.5},
		{"normal", (*Stream).Normal, 0, 1},
		{"log-normal", func(s *Stream) float64 { return s.LogNormal(1, 0.5) }, math.Exp(0.125), (math.Exp(0.25) - 1) * math.Exp(0.25)},
		{"exponential", func(s *Stream) float64 { return s.Exponential(0.25) }, 4, 16},
		{"poisson", func(s *Stream) float64 { return float64(s.Poisson(1.7)) }, 1.7, 1.7},
		{"gamma below 1", func(s *Stream) float64 { return s.Gamma(0.4, 2) }, 0.2, 0.1},
		{"gamma above 1", func(s *Stream) float64 { return s.Gamma(3.5, 0.5) }, 7, 14},
		{"beta", func(s *Stream) float64 { return s.Beta(0.7, 6.3) }, 0.1, 0.1 * 0.9 / 8},
	}
	for purpose, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := start(uint64(purpose))
			mean, variance := moments(func() float64 { return test.draw(s) })
			if tolerance := 5 * math.Sqrt(test.variance/draws); math.Abs(mean-test.mean) > tolerance {
				t.Errorf("mean is %.5f, want %.5f ± %.5f", mean, test.mean, tolerance)
			}
			if math.Abs(variance/test.variance-1) > 0.05 {
				t.Errorf("variance is %.5f, want %.5f within 5 %%", variance, test.variance)
			}
		})
	}
}

// TestStreamsAreFixed pins the first numbers of a stream: they may never change, or every generated bank would.
func TestStreamsAreFixed(t *testing.T) {
	t.Parallel()
	s := start(3)
	got := [3]float64{s.Uniform(), s.Normal(), s.Gamma(0.5, 1)}
	want := [3]float64{0.680339675441875, -0.31096458084340634, 0.006877866001758901}
	if got != want {
		t.Errorf("draws are %v, want %v", got, want)
	}
}

func TestStreamsOfOtherPurposesDiffer(t *testing.T) {
	t.Parallel()
	seen := map[float64]bool{}
	for seed := range uint64(10) {
		for subject := range uint64(100) {
			for purpose := range uint64(10) {
				var s Stream
				s.Seed(seed, subject, purpose)
				seen[s.Uniform()] = true
			}
		}
	}
	if len(seen) != 10_000 {
		t.Errorf("10000 streams begin with %d different numbers", len(seen))
	}
}
