package logit

import (
	"cmp"
	"math"
	"slices"
)

// Scored is a row with what a model says of it and what came of it.
type Scored struct {
	LogOdds float64
	Event   bool
}

// Metrics judge a model on rows.
type Metrics struct {
	Rows, Events int
	// LogLikelihood of what came, and Brier, the mean square of probability less outcome (Brier, "Verification of forecasts
	// expressed in terms of probability", Monthly Weather Review 78, 1950).
	LogLikelihood, Brier float64
	// AUC is the probability that a row with the event has a higher score than one without, ties by half (Hanley and McNeil,
	// "The meaning and use of the area under a ROC curve", Radiology 143, 1982). Gini is 2·AUC − 1.
	AUC, Gini float64
	// KS is the greatest distance between the distributions of scores with and without the event (Kolmogorov and Smirnov).
	KS float64
	// Lifts at the shares of LiftShares.
	Lifts []Lift
	// Calibration by bins of as many rows each, from the lowest probability.
	Calibration []Bin
	// HosmerLemeshow compares what is expected and what came in those bins.
	HosmerLemeshow HosmerLemeshow
}

// Lift is how many times as many events the highest scores have as all rows.
type Lift struct{ Share, Lift float64 }

// LiftShares are the shares of rows for which Evaluate tells the lift.
var LiftShares = []float64{0.01, 0.05, 0.1, 0.2, 0.3, 0.5}

// Evaluate judges a model by rows that it scored; their order does not matter, and they are sorted in place. Without rows of
// either outcome ErrTooLittle.
func Evaluate(rows []Scored) (Metrics, error) {
	m := Metrics{Rows: len(rows)}
	for _, r := range rows {
		if r.Event {
			m.Events++
		}
	}
	if m.Events == 0 || m.Events == m.Rows {
		return m, ErrTooLittle
	}
	slices.SortFunc(rows, func(a, b Scored) int { return cmp.Or(cmp.Compare(a.LogOdds, b.LogOdds), compareBool(a.Event, b.Event)) })
	for _, r := range rows {
		p, came := Probability(r.LogOdds), 0.0
		if r.Event {
			came = 1
		}
		m.LogLikelihood += logLikelihood(r.Event, r.LogOdds)
		m.Brier += (came - p) * (came - p)
	}
	m.Brier /= float64(m.Rows)
	m.rank(rows)
	for _, share := range LiftShares {
		m.Lifts = append(m.Lifts, Lift{share, lift(rows, share, m.Events)})
	}
	m.Calibration = calibration(rows, calibrationBins)
	m.HosmerLemeshow = hosmerLemeshow(m.Calibration)
	return m, nil
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// ties calls yield for each stretch of equal scores, with how many events and others it has.
func ties(rows []Scored, yield func(events, others int)) {
	for i := 0; i < len(rows); {
		events, j := 0, i
		for ; j < len(rows) && rows[j].LogOdds == rows[i].LogOdds; j++ {
			if rows[j].Event {
				events++
			}
		}
		yield(events, j-i-events)
		i = j
	}
}

// rank computes what the order alone tells, from the lowest score up.
func (m *Metrics) rank(rows []Scored) {
	events, others := float64(m.Events), float64(m.Rows-m.Events)
	var eventsBelow, othersBelow, won float64
	ties(rows, func(e, o int) {
		won += float64(e) * (othersBelow + float64(o)/2)
		eventsBelow, othersBelow = eventsBelow+float64(e), othersBelow+float64(o)
		m.KS = max(m.KS, math.Abs(eventsBelow/events-othersBelow/others))
	})
	m.AUC = won / (events * others)
	m.Gini = 2*m.AUC - 1
}

// lift takes the highest scores; of a tie that the share cuts, events count by the part that lies inside.
func lift(rows []Scored, share float64, events int) float64 {
	wanted := share * float64(len(rows))
	left, found := wanted, 0.0
	for i := len(rows); i > 0 && left > 0; {
		j, e := i, 0
		for ; j > 0 && rows[j-1].LogOdds == rows[i-1].LogOdds; j-- {
			if rows[j-1].Event {
				e++
			}
		}
		part := min(1, left/float64(i-j))
		found, left, i = found+part*float64(e), left-float64(i-j), j
	}
	return found / wanted * float64(len(rows)) / float64(events)
}
