package btyd

import "fmt"

// Choice is a model with how well it foretold customers that it had not seen.
type Choice struct {
	Kind Kind
	// HeldOut is the log-likelihood of each half of the customers under the model fitted to the other half.
	HeldOut float64
	// Err says why the model could not be fitted.
	Err error
}

// Choose compares models by held-out likelihood: more parameters or a luckier shape do not win by themselves. half says of
// each customer in which of two halves it is, by anything that does not depend on the purchases. The best comes first.
func Choose(kinds []Kind, histories []History, half func(i int) int, unitDays int) ([]Choice, error) {
	var halves [2][]History
	for i, h := range histories {
		side := half(i) & 1
		halves[side] = append(halves[side], h)
	}
	var data [2]*Data
	for side, part := range halves {
		d, err := NewData(part, unitDays)
		if err != nil {
			return nil, err
		}
		data[side] = d
	}
	return ChooseBetween(kinds, data), nil
}

// ChooseBetween does what Choose does with halves that were made before.
func ChooseBetween(kinds []Kind, data [2]*Data) []Choice {
	choices := make([]Choice, 0, len(kinds))
	for _, kind := range kinds {
		choice := Choice{Kind: kind}
		for side := range data {
			fit, err := FitCounts(kind, data[1-side])
			if err != nil {
				choice.Err = fmt.Errorf("%s on half of the customers: %w", kind, err)
				break
			}
			choice.HeldOut += fit.LogLikelihoodOf(data[side])
		}
		choices = insert(choices, choice)
	}
	return choices
}

// insert keeps the best first, those that failed last.
func insert(choices []Choice, c Choice) []Choice {
	at := len(choices)
	for at > 0 && c.Err == nil && (choices[at-1].Err != nil || choices[at-1].HeldOut < c.HeldOut) {
		at--
	}
	choices = append(choices, c)
	copy(choices[at+1:], choices[at:])
	choices[at] = c
	return choices
}

// LogLikelihoodOf is the log-likelihood of data under the fitted parameters. The data's unit must be that of the fit.
func (f *Fit) LogLikelihoodOf(d *Data) float64 { return f.model.logLikelihood(d, f.values(), nil) }
