package logit

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// design are the columns that a fit uses, standardised: its first parameter is the constant, the others belong to columns.
type design struct {
	table           *Table
	columns         []int
	means, invScale []float64 // by place in columns
	ridge           float64
}

func (d design) parameters() int { return len(d.columns) + 1 }

// sums are the log-likelihood at a place with its slope and curvature (Hastie, Tibshirani and Friedman, equations
// 4.20–4.22): ℓ = Σ y·η − log(1 + e^η), ∂ℓ = Σ (y − p)·z, −∂²ℓ = Σ p(1 − p)·z·zᵀ. A ridge takes λ/2·Σ b² off, the constant
// aside (Le Cessie and van Houwelingen, "Ridge estimators in logistic regression", Applied Statistics 41, 1992).
type sums struct {
	value     float64
	slope     []float64
	curvature blas64.Symmetric
}

func newSums(n int) *sums {
	return &sums{slope: make([]float64, n), curvature: blas64.Symmetric{N: n, Stride: n, Data: make([]float64, n*n), Uplo: blas.Upper}}
}

func (s *sums) add(o *sums) {
	s.value += o.value
	floats.Add(s.slope, o.slope)
	floats.Add(s.curvature.Data, o.curvature.Data)
}

// symmetric is the curvature as a matrix, of which only the upper half is read.
func (s *sums) symmetric() *mat.SymDense { return mat.NewSymDense(s.curvature.N, s.curvature.Data) }

// at adds up over all rows.
func (d design) at(b []float64) *sums {
	n := d.parameters()
	parts := make([]*sums, stripes)
	for s := range parts {
		parts[s] = newSums(n)
	}
	inStripes(d.table, func() []float64 { return make([]float64, chunkRows*n) }, func(stripe int, c chunk, z []float64) {
		d.addChunk(parts[stripe], c, b, z)
	})
	for _, part := range parts[1:] {
		parts[0].add(part)
	}
	total := parts[0]
	if d.ridge > 0 {
		for j := 1; j < n; j++ {
			total.value -= d.ridge / 2 * b[j] * b[j]
			total.slope[j] -= d.ridge * b[j]
			total.curvature.Data[j*n+j] += d.ridge
		}
	}
	return total
}

// addChunk standardises the rows of a chunk into z, and adds them.
func (d design) addChunk(to *sums, c chunk, b, z []float64) {
	n := d.parameters()
	for i, event := range c.events {
		row := z[i*n : (i+1)*n]
		d.standardise(row, c.row(i, len(d.table.columns)))
		eta := floats.Dot(row, b)
		p := Probability(eta)
		rest := -p
		if event {
			rest = Probability(-eta)
		}
		to.value += logLikelihood(event, eta)
		floats.AddScaled(to.slope, rest, row)
		floats.Scale(math.Sqrt(p*Probability(-eta)), row)
	}
	rows := len(c.events)
	blas64.Syrk(blas.Trans, 1, blas64.General{Rows: rows, Cols: n, Stride: n, Data: z[:rows*n]}, 1, to.curvature)
}

func (d design) standardise(row []float64, raw []float32) {
	row[0] = 1
	for k, j := range d.columns {
		row[k+1] = (float64(raw[j]) - d.means[k]) * d.invScale[k]
	}
}
