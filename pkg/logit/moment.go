package logit

import "math"

// moment is what is known of a column before a fit.
type moment struct {
	rows, mean, squares float64 // squares of the distances from the mean
	// low and high by what came of the rows: [0] without the event, [1] with it.
	low, high [2]float64
}

func newMoment() moment {
	inf := math.Inf(1)
	return moment{low: [2]float64{inf, inf}, high: [2]float64{-inf, -inf}}
}

func (m *moment) add(v float64, event int) {
	m.rows++
	delta := v - m.mean
	m.mean += delta / m.rows
	m.squares += delta * (v - m.mean)
	m.low[event], m.high[event] = min(m.low[event], v), max(m.high[event], v)
}

// merge adds another part of the same column (Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for
// computing sample variances", 1979).
func (m *moment) merge(o moment) {
	if o.rows == 0 {
		return
	}
	rows, delta := m.rows+o.rows, o.mean-m.mean
	m.mean += delta * o.rows / rows
	m.squares += o.squares + delta*delta*m.rows*o.rows/rows
	m.rows = rows
	for i := range m.low {
		m.low[i], m.high[i] = min(m.low[i], o.low[i]), max(m.high[i], o.high[i])
	}
}

// deviation is the standard deviation; 0 for a column that is the same everywhere.
func (m moment) deviation() float64 {
	if min(m.low[0], m.low[1]) == max(m.high[0], m.high[1]) {
		return 0
	}
	return math.Sqrt(m.squares / m.rows)
}

// separates says that a threshold on this column alone tells events from the others, ties at the threshold aside: the
// likelihood then grows for ever with the parameter (Albert and Anderson, "On the existence of maximum likelihood estimates
// in logistic regression models", Biometrika 71, 1984).
func (m moment) separates() bool {
	return m.deviation() > 0 && (m.high[0] <= m.low[1] || m.high[1] <= m.low[0])
}

// moments reads all columns once.
func (t *Table) moments() []moment {
	parts := make([][]moment, stripes)
	for s := range parts {
		parts[s] = make([]moment, len(t.columns))
		for j := range parts[s] {
			parts[s][j] = newMoment()
		}
	}
	inStripes(t, func() struct{} { return struct{}{} }, func(stripe int, c chunk, _ struct{}) {
		for i, event := range c.events {
			came := 0
			if event {
				came = 1
			}
			for j, v := range c.row(i, len(t.columns)) {
				parts[stripe][j].add(float64(v), came)
			}
		}
	})
	for s := 1; s < stripes; s++ {
		for j := range parts[0] {
			parts[0][j].merge(parts[s][j])
		}
	}
	return parts[0]
}
