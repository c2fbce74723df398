package mixture_test

import (
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"testing"

	"tandem.bank/pkg/mixture"
)

// faithful are eruptions of the Old Faithful geyser (Azzalini and Bowman, "A Look at Some Data on the Old Faithful Geyser",
// Applied Statistics 39, 1990): minutes that one lasted, and minutes until the next.
func faithful(t *testing.T) *mixture.Points {
	t.Helper()
	file, err := os.Open("testdata/faithful.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var values []float64
	for _, record := range records[1:] {
		for _, text := range record {
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, v)
		}
	}
	return points(t, 2, values)
}

// What the R package mclust finds in these data with its model VVV (Scrucca, Fop, Murphy and Raftery, "mclust 5", The R
// Journal 8, 2016): two groups by BIC, their log-likelihood, shares, means and covariances.
func TestOldFaithful(t *testing.T) {
	t.Parallel()
	p := faithful(t)
	m, trials, err := mixture.Choose(t.Context(), 1, 5, fitting(p, mixture.Full, mixture.Options{Seed: 1, Tolerance: 1e-10, Floor: 1e-9}))
	if err != nil {
		t.Fatal(err)
	}
	if m.Groups() != 2 || !m.Converged || len(trials) != 5 {
		t.Fatalf("%d groups, converged %v, %d trials", m.Groups(), m.Converged, len(trials))
	}
	near(t, "log-likelihood", m.LogLikelihood, -1130.264, 0.001)
	near(t, "BIC", m.BIC(), 2322.192, 0.002)
	short := 0
	if m.Means[1][0] < m.Means[0][0] {
		short = 1
	}
	near(t, "share", m.Weights[short], 0.35587, 1e-4)
	for i, want := range []float64{2.03639, 54.47852} {
		near(t, "mean", m.Means[short][i], want, 1e-3)
	}
	for i, want := range []float64{0.06917, 0.43517, 0.43517, 33.69728} {
		near(t, "covariance", m.Covariances[short][i], want, 1e-2)
	}
	for i, want := range []float64{4.28966, 79.96812} {
		near(t, "mean", m.Means[1-short][i], want, 1e-3)
	}
	for i, want := range []float64{0.16997, 0.94061, 0.94061, 36.04621} {
		near(t, "covariance", m.Covariances[1-short][i], want, 1e-2)
	}
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %v instead of %v", what, got, want)
	}
}
