package logit

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// Model tells log-odds of a row: Base + Σ Coefficients·(x − Means). Around the means it loses no digits, and what a column
// adds is told against the mean customer.
type Model struct {
	Columns []string `json:"columns"`
	// Base are the log-odds of a row that lies at the means.
	Base         float64   `json:"base"`
	Coefficients []float64 `json:"coefficients"`
	Means        []float64 `json:"means"`
}

// Contribution is what one column adds to the log-odds.
func (m Model) Contribution(column int, x float64) float64 {
	return m.Coefficients[column] * (x - m.Means[column])
}

// LogOdds are those of the event for a row.
func (m Model) LogOdds(row []float64) float64 {
	sum := m.Base
	for j, x := range row {
		sum += m.Contribution(j, x)
	}
	return sum
}

// Constant is the parameter of no column, when the columns are taken as they are.
func (m Model) Constant() float64 {
	sum := m.Base
	for j, mean := range m.Means {
		sum -= m.Coefficients[j] * mean
	}
	return sum
}

// Apply scores the rows of a table that has the model's columns.
func (m Model) Apply(t *Table) []Scored {
	out := make([]Scored, 0, t.rows)
	row := make([]float64, len(t.columns))
	for _, c := range t.chunks {
		for i, event := range c.events {
			for j, v := range c.row(i, len(t.columns)) {
				row[j] = float64(v)
			}
			out = append(out, Scored{LogOdds: m.LogOdds(row), Event: event})
		}
	}
	return out
}

// normal975 is the quantile of the normal distribution that bounds 95 % of it.
const normal975 = 1.959963984540054

// fit turns a place among standardised columns into a model of columns as they are.
func (d design) fit(at top) (*Fit, error) {
	t := d.table
	f := &Fit{
		Model: Model{Columns: t.columns, Base: at.b[0], Coefficients: make([]float64, len(t.columns)), Means: make([]float64, len(t.columns))},
		Rows:  t.rows, Events: t.events, LogLikelihood: at.value, NullLogLikelihood: nullLogLikelihood(t.rows, t.events),
		Iterations: at.iterations, Parameters: make([]Parameter, len(t.columns)+1),
	}
	for j, name := range t.columns {
		f.Parameters[j+1].Name = name
	}
	back := mat.NewVecDense(d.parameters(), nil) // from standardised parameters to the constant
	back.SetVec(0, 1)
	used := make([]bool, len(t.columns))
	for k, j := range d.columns {
		f.Coefficients[j], f.Means[j], used[j] = at.b[k+1]*d.invScale[k], d.means[k], true
		back.SetVec(k+1, -d.means[k]*d.invScale[k])
		f.Parameters[j+1] = parameter(t.columns[j], f.Coefficients[j], at.covariance.At(k+1, k+1)*d.invScale[k]*d.invScale[k])
		f.LogLikelihood += d.ridge / 2 * at.b[k+1] * at.b[k+1]
	}
	f.Parameters[0] = parameter(ConstantName, f.Constant(), mat.Inner(back, at.covariance, back))
	for j, name := range t.columns {
		if !used[j] {
			f.Left = append(f.Left, name)
		}
	}
	if math.IsNaN(f.Base) || math.IsNaN(f.LogLikelihood) || math.IsInf(f.LogLikelihood, 0) {
		return nil, ErrNoMaximum
	}
	return f, nil
}

func parameter(name string, value, variance float64) Parameter {
	deviation := math.Sqrt(max(variance, 0))
	return Parameter{Name: name, Value: value, StandardError: deviation, Low: value - normal975*deviation, High: value + normal975*deviation}
}

// nullLogLikelihood is that of the share of events alone.
func nullLogLikelihood(rows, events int) float64 {
	n, e := float64(rows), float64(events)
	return xlogy(e, e/n) + xlogy(n-e, (n-e)/n)
}

// xlogy is x·log y, which is 0 for x = 0.
func xlogy(x, y float64) float64 {
	if x == 0 {
		return 0
	}
	return x * math.Log(y)
}
