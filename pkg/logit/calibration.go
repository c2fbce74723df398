package logit

import "gonum.org/v1/gonum/stat/distuv"

// calibrationBins is how many bins a calibration has.
const calibrationBins = 10

// Bin are rows of similar probability.
type Bin struct {
	Rows, Events int
	// Low, Mean and High are the probabilities that the model gives.
	Low, Mean, High float64
}

// Share is the part of the rows that had the event.
func (b Bin) Share() float64 { return float64(b.Events) / float64(b.Rows) }

// calibration cuts sorted rows into bins of as many each. Few rows give fewer bins.
func calibration(rows []Scored, bins int) []Bin {
	var out []Bin
	for i := range bins {
		part := rows[i*len(rows)/bins : (i+1)*len(rows)/bins]
		if len(part) == 0 {
			continue
		}
		b := Bin{Rows: len(part), Low: Probability(part[0].LogOdds), High: Probability(part[len(part)-1].LogOdds)}
		for _, r := range part {
			b.Mean += Probability(r.LogOdds) / float64(len(part))
			if r.Event {
				b.Events++
			}
		}
		out = append(out, b)
	}
	return out
}

// HosmerLemeshow is the test of that name (Hosmer and Lemeshow, "Goodness of fit tests for the multiple logistic regression
// model", Communications in Statistics A9, 1980).
type HosmerLemeshow struct {
	// ChiSquare is Σ (events − expected)² / (rows·p·(1 − p)) over the bins.
	ChiSquare float64
	// Freedom is the number of bins less 2, as for the rows that the model was fitted to; it is strict for others.
	Freedom int
	// P is the probability of a greater value when the model is right; 1 with fewer than three bins.
	P float64
}

func hosmerLemeshow(bins []Bin) HosmerLemeshow {
	h := HosmerLemeshow{Freedom: len(bins) - 2, P: 1}
	for _, b := range bins {
		// A probability of nearly 0 or 1 would make one row weigh without a limit.
		p := min(max(b.Mean, 1e-9), 1-1e-9)
		distance := float64(b.Events) - float64(b.Rows)*p
		h.ChiSquare += distance * distance / (float64(b.Rows) * p * (1 - p))
	}
	if h.Freedom > 0 {
		h.P = distuv.ChiSquared{K: float64(h.Freedom)}.Survival(h.ChiSquare)
	} else {
		h.Freedom = 0
	}
	return h
}
