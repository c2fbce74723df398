package clv

import (
	"slices"
	"strings"

	"tandem.bank/pkg/btyd"
)

// outcome is a group of equal histories at the end of the calibration, and what came of each later.
type outcome struct {
	group     string
	history   btyd.History
	later     int
	customers int
	// spenders have a positive mean amount; means is their sum, and amount what all of the group spent later.
	spenders      int
	means, amount float64
}

// trials compare outcomes with forecasts, for each group with a model of its own and for all.
type trials struct {
	settings Settings
	models   fleet
	known    map[string]*prophet
	trials   map[string]*btyd.Trial
}

// prophet foretells with one model: purchases, not discounted.
type prophet struct {
	forecast *btyd.Forecast
	amounts  amounts
}

func newTrials(s Settings, models fleet, data samples) *trials {
	t := &trials{settings: s, models: models, known: map[string]*prophet{}, trials: map[string]*btyd.Trial{}}
	horizon := s.units(s.spec.GetHoldoutDays())
	for group := range models {
		t.trials[group] = btyd.NewTrial(data.of(group).rate(s)*horizon, horizon, s.unitDays())
	}
	return t
}

// rate is the mean number of repeat purchases per unit of time.
func (s *sample) rate(settings Settings) float64 {
	purchases, days := 0.0, 0.0
	for _, half := range s.halves {
		for _, g := range half {
			purchases += float64(g.Customers * g.X)
			days += float64(g.Customers * g.T)
		}
	}
	if days == 0 {
		return 0
	}
	return purchases / (days / float64(settings.unitDays()))
}

// prophet returns nil when no model serves the group.
func (t *trials) prophet(group string) *prophet {
	found, ok := t.known[group]
	if !ok {
		if m := t.models.serving(group); m != nil && m.Counts != nil {
			found = &prophet{m.Counts.Forecast(t.settings.units(t.settings.spec.GetHoldoutDays()), 0, 0.95), m.Amounts}
		}
		t.known[group] = found
	}
	return found
}

func (t *trials) add(o outcome) {
	prophet := t.prophet(o.group)
	if prophet == nil {
		return
	}
	expected := prophet.forecast.Expected(o.history)
	result := btyd.Outcome{
		History: o.history, Later: o.later, Customers: o.customers, Expected: expected,
		LaterAmount: o.amount, ExpectedAmount: expected * prophet.amounts.total(o),
	}
	t.trials[all].Add(result)
	if own := t.trials[o.group]; own != nil && o.group != all {
		own.Add(result)
	}
}

// total of the expected amounts of a purchase over the customers of an outcome. The expected amount is linear in the mean,
// so the amount at the mean of means, times the customers, is exact.
func (a amounts) total(o outcome) float64 {
	total := 0.0
	if o.spenders > 0 {
		amount, _ := a.expected(btyd.Spend{X: o.history.X, Mean: o.means / float64(o.spenders)})
		total = float64(o.spenders) * amount
	}
	if rest := o.customers - o.spenders; rest > 0 {
		amount, _ := a.expected(btyd.Spend{})
		total += float64(rest) * amount
	}
	return total
}

// results are the backtests of groups that had customers, the one of all first.
func (t *trials) results() []Backtest {
	var out []Backtest
	for group, trial := range t.trials {
		if result := trial.Result(); result.Customers > 0 {
			out = append(out, Backtest{
				Group: group, CalibrationEnd: t.settings.calibrationEnd(),
				HoldoutDays: int(t.settings.spec.GetHoldoutDays()), Backtest: result,
			})
		}
	}
	slices.SortFunc(out, func(a, b Backtest) int { return strings.Compare(a.Group, b.Group) })
	return out
}
