// Package btyd fits "buy till you die" models: how often somebody who bought will buy again, when nobody tells that they
// have left (Schmittlein, Morrison and Colombo, "Counting Your Customers", Management Science 33, 1987).
//
// A history is reduced to three numbers: x, the repeat purchases; t_x, when the last of them was; T, how long the
// customer was watched, both counted from the first purchase. Three models of the counts are fitted by maximum
// likelihood with analytic gradients: BG/NBD, MBG/NBD and Pareto/NBD. A fourth, Gamma-Gamma, is of the amounts.
//
// Days are whole; customers with equal x, t_x and T are one group, so the cost of a fit is that of the groups.
package btyd

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// History is one customer.
type History struct {
	// X is the number of repeat purchases; purchases of one day are one.
	X int
	// TX is the day of the last repeat purchase, counted from the first purchase; 0 without one.
	TX int
	// T is the number of days from the first purchase to the end of the watch.
	T int
}

// Group is a number of customers with equal histories.
type Group struct {
	History
	Customers int
}

// Data are histories by groups of equals.
type Data struct {
	// Customers is the number of histories.
	Customers int
	// Repeat is how many of them bought again.
	Repeat int

	unitDays float64
	xs       []float64 // distinct x, ascending
	times    []float64 // distinct t_x and T in units, ascending
	groups   []group
}

// group is a number of equal histories.
type group struct {
	x     int // index in xs
	tx, t int // indexes in times
	n     float64
}

// NewData groups histories. Rates are per unitDays: 7 gives the weeks that publications use.
func NewData(histories []History, unitDays int) (*Data, error) {
	groups := make([]Group, len(histories))
	for i, h := range histories {
		groups[i] = Group{History: h, Customers: 1}
	}
	return NewGroupedData(groups, unitDays)
}

// NewGroupedData takes histories that a database has counted already. A history may come more than once.
func NewGroupedData(groups []Group, unitDays int) (*Data, error) {
	if unitDays <= 0 {
		return nil, fmt.Errorf("a unit of %d days is not positive", unitDays)
	}
	d := &Data{unitDays: float64(unitDays)}
	counts := make(map[History]int)
	for _, g := range groups {
		if err := g.check(); err != nil {
			return nil, err
		}
		if g.Customers < 0 {
			return nil, fmt.Errorf("a group has %d customers", g.Customers)
		}
		if g.Customers > 0 {
			counts[g.History] += g.Customers
			d.Customers += g.Customers
		}
	}
	d.group(counts)
	return d, nil
}

func (h History) check() error {
	switch {
	case h.X < 0 || h.TX < 0 || h.TX > h.T:
		return fmt.Errorf("x = %d, t_x = %d, T = %d is no history: 0 ≤ t_x ≤ T must hold", h.X, h.TX, h.T)
	case (h.X == 0) != (h.TX == 0):
		return fmt.Errorf("x = %d, t_x = %d is no history: a repeat purchase comes at least a day after the first", h.X, h.TX)
	case h.X > h.TX:
		return fmt.Errorf("x = %d, t_x = %d is no history: purchases of one day count as one", h.X, h.TX)
	}
	return nil
}

// group sorts: the same histories give the same sums, whatever their order.
func (d *Data) group(counts map[History]int) {
	keys := make([]History, 0, len(counts))
	for h := range counts {
		keys = append(keys, h)
	}
	slices.SortFunc(keys, func(a, b History) int {
		return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.T, b.T), cmp.Compare(a.TX, b.TX))
	})
	places := d.index(keys)
	d.groups = make([]group, len(keys))
	for i, h := range keys {
		if len(d.xs) == 0 || d.xs[len(d.xs)-1] != float64(h.X) {
			d.xs = append(d.xs, float64(h.X))
		}
		n := counts[h]
		d.groups[i] = group{x: len(d.xs) - 1, tx: places[h.TX], t: places[h.T], n: float64(n)}
		if h.X > 0 {
			d.Repeat += n
		}
	}
}

// index lists the distinct days, and returns where each of them stands.
func (d *Data) index(histories []History) (places map[int]int) {
	places = make(map[int]int)
	for _, h := range histories {
		places[h.TX], places[h.T] = 0, 0
	}
	for i, day := range slices.Sorted(maps.Keys(places)) {
		places[day] = i
		d.times = append(d.times, float64(day)/d.unitDays)
	}
	return places
}

// Groups is the number of different histories.
func (d *Data) Groups() int { return len(d.groups) }

// thinned keeps at most so many groups, evenly spread: good enough to find where the maximum lies.
func (d *Data) thinned(groupsMax int) *Data {
	if len(d.groups) <= groupsMax {
		return d
	}
	thin := *d
	thin.groups, thin.Customers, thin.Repeat = make([]group, 0, groupsMax), 0, 0
	for i := range groupsMax {
		g := d.groups[i*len(d.groups)/groupsMax]
		thin.groups = append(thin.groups, g)
		thin.Customers += int(g.n)
		if d.xs[g.x] > 0 {
			thin.Repeat += int(g.n)
		}
	}
	return &thin
}
