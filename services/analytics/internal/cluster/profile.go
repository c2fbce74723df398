package cluster

import (
	"cmp"
	"math"
	"slices"
)

// distinguishingMin is the difference from which a fact tells a cluster apart: a medium effect (Cohen, Statistical Power
// Analysis for the Behavioral Sciences, 1988).
const distinguishingMin = 0.5

// Sum is what is known of a fact among some customers.
type Sum struct {
	Known uint64  `json:"known"`
	Mean  float64 `json:"mean"`
	// Spread is the sum of squared deviations.
	Spread float64 `json:"spread"`
}

// take adds a value by Welford's recurrence (Technometrics 4, 1962).
func (s *Sum) take(v float64) {
	s.Known++
	delta := v - s.Mean
	s.Mean += delta / float64(s.Known)
	s.Spread += delta * (v - s.Mean)
}

func (s *Sum) deviation() float64 {
	if s.Known == 0 {
		return 0
	}
	return math.Sqrt(s.Spread / float64(s.Known))
}

// Profile describes a cluster.
type Profile struct {
	Number    uint32 `json:"number"`
	Customers uint64 `json:"customers"`
	// Probability is the mean one of the cluster among its members.
	Probability float64 `json:"probability"`
	// Facts in the order of the definition.
	Facts []Sum `json:"facts"`
	// Rule is nil when none does better than saying "everybody".
	Rule *Rule `json:"rule,omitempty"`
}

// Result is what a run found; it is kept as JSON.
type Result struct {
	Model *Model `json:"model"`
	// Base are the facts of all customers.
	Base     []Sum     `json:"base"`
	Profiles []Profile `json:"profiles"`
}

// newResult has no customers yet.
func newResult(model *Model, rules []*Rule) *Result {
	r := &Result{Model: model, Base: make([]Sum, len(model.Space)), Profiles: make([]Profile, len(model.Numbers))}
	for g, number := range model.Numbers {
		r.Profiles[g] = Profile{Number: number, Facts: make([]Sum, len(model.Space)), Rule: rules[g]}
	}
	return r
}

// take counts a customer.
func (r *Result) take(values []*float64, group int, probability float64) {
	p := &r.Profiles[group]
	p.Customers++
	p.Probability += (probability - p.Probability) / float64(p.Customers)
	for j, v := range values {
		if v != nil {
			r.Base[j].take(*v)
			p.Facts[j].take(*v)
		}
	}
	for g := range r.Profiles {
		if rule := r.Profiles[g].Rule; rule != nil && rule.holds(values) {
			rule.Customers++
			if g == group {
				rule.Hits++
			}
		}
	}
}

// difference of a cluster's fact from all customers, in standard deviations of all.
func (r *Result) difference(p Profile, fact int) float64 {
	deviation := r.Base[fact].deviation()
	if deviation == 0 || p.Facts[fact].Known == 0 {
		return 0
	}
	return (p.Facts[fact].Mean - r.Base[fact].Mean) / deviation
}

// telling are the facts of a cluster, those that tell it apart most first.
func (r *Result) telling(p Profile) []int {
	order := make([]int, len(p.Facts))
	for j := range order {
		order[j] = j
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return -cmp.Compare(math.Abs(r.difference(p, a)), math.Abs(r.difference(p, b)))
	})
	return order
}

// profile of a cluster by its number.
func (r *Result) profile(number uint32) (Profile, bool) {
	i := slices.IndexFunc(r.Profiles, func(p Profile) bool { return p.Number == number })
	if i < 0 {
		return Profile{}, false
	}
	return r.Profiles[i], true
}
