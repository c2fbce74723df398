package clv

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"tandem.bank/pkg/btyd"
)

// all is the group of all customers.
const all = ""

// sample is what the models of one group of customers are fitted to.
type sample struct {
	halves [2][]btyd.Group
	spends []btyd.SpendGroup
}

// samples are those of all groups; the one of all customers is the sum of the others.
type samples map[string]*sample

func (s samples) of(group string) *sample {
	found := s[group]
	if found == nil {
		found = &sample{}
		s[group] = found
	}
	return found
}

func (s samples) addGroup(group string, half int, g btyd.Group) {
	target := s.of(group)
	target.halves[half&1] = append(target.halves[half&1], g)
	if group != all {
		s.addGroup(all, half, g)
	}
}

func (s samples) addSpend(group string, g btyd.SpendGroup) {
	target := s.of(group)
	target.spends = append(target.spends, g)
	if group != all {
		s.addSpend(all, g)
	}
}

// repeat is the number of customers who bought again.
func (s *sample) repeat() (customers int) {
	for _, half := range s.halves {
		for _, g := range half {
			if g.X > 0 {
				customers += g.Customers
			}
		}
	}
	return customers
}

// groups are those with enough customers for a fit of their own, sorted; the one of all customers is always the first.
func (s samples) groups(repeatMin int) []string {
	out := []string{all}
	for name, sample := range s {
		if name != all && sample.repeat() >= repeatMin {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// fit makes a group's entry of the registry; a model that the data refuse is an entry too. With several kinds allowed the
// one with the best held-out likelihood is taken.
func (s *sample) fit(settings Settings, kinds []btyd.Kind) (*Model, error) {
	m := &Model{UnitDays: settings.unitDays(), ExpectedNew: math.NaN()}
	data, err := btyd.NewGroupedData(slices.Concat(s.halves[0], s.halves[1]), m.UnitDays)
	if err != nil {
		return nil, err
	}
	m.Customers, m.Repeat = data.Customers, data.Repeat
	if m.Amounts, err = s.fitAmounts(); err != nil {
		return nil, err
	}
	if len(kinds) > 1 {
		if m.Choices, err = s.choose(m.UnitDays, kinds); err != nil {
			return nil, err
		}
		// When no half is enough for any kind, the first that is allowed may still do for the whole.
		if m.Choices[0].Err == nil {
			kinds = []btyd.Kind{m.Choices[0].Kind}
		}
	}
	fit, err := btyd.FitCounts(kinds[0], data)
	if errors.Is(err, btyd.ErrTooLittle) {
		m.Refusal = err.Error()
		return m, nil
	}
	if err != nil {
		return nil, err
	}
	m.Counts = fit
	m.ExpectedNew = fit.ExpectedNew(settings.units(settings.spec.GetHorizonDays()))
	return m, nil
}

func (s *sample) choose(unitDays int, kinds []btyd.Kind) ([]btyd.Choice, error) {
	var halves [2]*btyd.Data
	for i, half := range s.halves {
		data, err := btyd.NewGroupedData(half, unitDays)
		if err != nil {
			return nil, err
		}
		halves[i] = data
	}
	return btyd.ChooseBetween(kinds, halves), nil
}

func (s *sample) fitAmounts() (amounts, error) {
	a := amounts{mean: mean(s.spends)}
	fit, err := btyd.FitSpendGroups(s.spends)
	if errors.Is(err, btyd.ErrTooLittle) {
		a.refusal = err.Error()
		return a, nil
	}
	a.fit = fit
	return a, err
}

// mean of the customers' mean amounts, 0 of nobody. It sorts, for the same bytes in every run.
func mean(spends []btyd.SpendGroup) float64 {
	sorted := slices.SortedFunc(slices.Values(spends), func(a, b btyd.SpendGroup) int {
		return cmp.Or(cmp.Compare(a.Mean, b.Mean), cmp.Compare(a.Customers, b.Customers))
	})
	total, customers := 0.0, 0.0
	for _, s := range sorted {
		if s.Mean > 0 {
			total += float64(s.Customers) * s.Mean
			customers += float64(s.Customers)
		}
	}
	if customers == 0 {
		return 0
	}
	return total / customers
}

// fleet are the models of a run by group.
type fleet map[string]*Model

// serving is the model that serves a group of customers: its own, else that of all.
func (f fleet) serving(group string) *Model {
	if m := f[group]; m != nil && m.Counts != nil {
		return m
	}
	return f[all]
}
