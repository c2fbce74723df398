package btyd

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
)

// maximum is where the likelihood is greatest.
type maximum struct {
	logs       []float64
	value      float64
	covariance *mat.SymDense
	// held are the parameters that the data tell nothing of.
	held        []bool
	evaluations int
	converged   bool
}

const (
	// gradientMax is the greatest slope, per customer and by the logarithm of a parameter, at a maximum.
	gradientMax = 1e-7
	// logMax bounds a parameter to e^±logMax; one that wants to go beyond is at the boundary of its model.
	logMax = 14
	// informationMin is what a customer must at least tell, in the mean, of the logarithm of a parameter for it to have a standard
	// error: where likelihoods are flat to what gradientMax calls flat, they tell nothing.
	informationMin = 10 * gradientMax
	// polishSteps of Newton polish what BFGS found.
	polishSteps = 8
)

// climb goes to the top from a place near it. Where the curvature is known by formula, by Newton's steps; where it is not, or
// these fail, by BFGS as far as it gets, and then Newton's steps with the curvature that the standard errors need anyway.
func (l likelihood) climb(from []float64) (*maximum, error) {
	top := &maximum{logs: from}
	if l.curve == nil || !top.newton(l.byLogs()) {
		if err := top.bfgs(l); err != nil {
			return nil, err
		}
	}
	return top, top.settle(l)
}

// bfgs climbs without a formula for the curvature.
func (m *maximum) bfgs(l likelihood) error {
	problem := l.problem()
	result, _ := optimize.Minimize(problem, m.logs, &optimize.Settings{GradientThreshold: gradientMax, MajorIterations: 500}, &optimize.BFGS{})
	if result == nil || math.IsNaN(result.F) || math.IsInf(result.F, 0) {
		return errors.New("the likelihood can't be computed for these data")
	}
	m.logs, m.evaluations = result.X, m.evaluations+result.FuncEvaluations
	slope := make([]float64, len(m.logs))
	for range polishSteps {
		problem.Grad(slope, m.logs)
		if steepest(slope) < gradientMax/100 || !m.step(problem, slope) {
			break
		}
	}
	return nil
}

// settle takes the value and the curvature at the top.
func (m *maximum) settle(l likelihood) error {
	var value float64
	var slope []float64
	var curvature *mat.SymDense
	if l.curve != nil {
		value, slope, curvature = l.byLogs()(m.logs)
		m.evaluations++
	} else {
		problem := l.problem()
		slope = make([]float64, len(m.logs))
		value = problem.Func(m.logs)
		problem.Grad(slope, m.logs)
		curvature = hessian(problem, m.logs)
		m.evaluations += 2 * (len(m.logs) + 1)
	}
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return errors.New("the likelihood can't be computed for these data")
	}
	m.value = -value * l.customers
	m.curve(curvature, l.customers)
	m.converged = steepest(slope) < gradientMax && m.covariance != nil && !slices.Contains(m.held, true) && steepest(m.logs) < logMax
	return nil
}

// step takes one step of Newton, unless it leads down.
func (m *maximum) step(problem optimize.Problem, slope []float64) bool {
	var factors mat.Cholesky
	if !factors.Factorize(hessian(problem, m.logs)) {
		return false
	}
	var move mat.VecDense
	if factors.SolveVecTo(&move, mat.NewVecDense(len(slope), slope)) != nil {
		return false
	}
	next := make([]float64, len(m.logs))
	for i := range next {
		next[i] = m.logs[i] - move.AtVec(i)
	}
	m.evaluations += 2*len(m.logs) + 3
	if !(problem.Func(next) <= problem.Func(m.logs)) || steepest(next) > logMax {
		return false
	}
	m.logs = next
	return true
}

// curve sets the covariance: the inverse of the observed information, of which a customer's mean is given. Parameters that the data
// tell nothing of are held where they are, as at the boundary of a model to which nobody leaves: what is foretold does not hang on
// them, and the others keep their standard errors.
func (m *maximum) curve(information *mat.SymDense, customers float64) {
	m.held = make([]bool, len(m.logs))
	var free []int
	for i := range m.logs {
		if m.held[i] = information.At(i, i) < informationMin; !m.held[i] {
			free = append(free, i)
		}
	}
	if len(free) == 0 {
		return
	}
	told := mat.NewSymDense(len(free), nil)
	for i, from := range free {
		for j, to := range free[:i+1] {
			told.SetSym(i, j, customers*information.At(from, to))
		}
	}
	var factors mat.Cholesky
	if !factors.Factorize(told) || factors.InverseTo(told) != nil {
		return
	}
	m.covariance = mat.NewSymDense(len(m.logs), nil)
	for i, from := range free {
		for j, to := range free[:i+1] {
			m.covariance.SetSym(from, to, told.At(i, j))
		}
	}
}

// hessian by central differences of the analytic gradient.
func hessian(problem optimize.Problem, at []float64) *mat.SymDense {
	const width = 1e-4
	n := len(at)
	rows := mat.NewDense(n, n, nil)
	place, above, below := append([]float64(nil), at...), make([]float64, n), make([]float64, n)
	for i := range n {
		place[i] = at[i] + width
		problem.Grad(above, place)
		place[i] = at[i] - width
		problem.Grad(below, place)
		place[i] = at[i]
		for j := range n {
			rows.Set(i, j, (above[j]-below[j])/(2*width))
		}
	}
	h := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			h.SetSym(i, j, (rows.At(i, j)+rows.At(j, i))/2)
		}
	}
	return h
}

// normal95 is the 97.5 % point of the standard normal distribution.
const normal95 = 1.959963984540054

func (m *maximum) parameters(names []string) []Parameter {
	parameters := make([]Parameter, len(names))
	for i, name := range names {
		value, deviation := math.Exp(m.logs[i]), math.NaN()
		if m.covariance != nil && !m.held[i] {
			deviation = math.Sqrt(m.covariance.At(i, i))
		}
		parameters[i] = Parameter{
			Name: name, Value: value, StandardError: value * deviation,
			Low: value * math.Exp(-normal95*deviation), High: value * math.Exp(normal95*deviation),
		}
	}
	return parameters
}

func steepest(slope []float64) float64 {
	most := 0.0
	for _, s := range slope {
		if math.IsNaN(s) {
			return math.Inf(1)
		}
		most = max(most, math.Abs(s))
	}
	return most
}

func exponents(logs []float64) []float64 {
	p := make([]float64, len(logs))
	for i, l := range logs {
		p[i] = math.Exp(min(max(l, -logMax-1), logMax+1))
	}
	return p
}

func logarithms(p []float64) []float64 {
	logs := make([]float64, len(p))
	for i, v := range p {
		logs[i] = math.Log(v)
	}
	return logs
}
