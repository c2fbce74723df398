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
	counted := make([]counted, 0, len(groups))
	for _, g := range groups {
		if err := g.check(); err != nil {
			return nil, err
		}
		if g.Customers < 0 {
			return nil, fmt.Errorf("a group has %d customers", g.Customers)
		}
		if g.Customers > 0 {
			counted = append(counted, countedOf(g))
			d.Customers += g.Customers
		}
	}
	d.group(counted)
	return d, nil
}

// daysMax bounds t_x and T: 5 700 years. It lets a history be one number.
const daysMax = 1<<21 - 1

// counted is a history as one number, whose order is that by x, T and t_x, and how many customers have it.
type counted struct {
	history   uint64
	customers int
}

//nolint:gosec // checked before: none is negative or greater than daysMax
func countedOf(g Group) counted {
	return counted{uint64(g.X)<<42 | uint64(g.T)<<21 | uint64(g.TX), g.Customers}
}

func (c counted) parts() (x, tx, t int) {
	return int(c.history >> 42), int(c.history & daysMax), int(c.history >> 21 & daysMax)
}

func (h History) check() error {
	switch {
	case h.X < 0 || h.TX < 0 || h.TX > h.T:
		return fmt.Errorf("x = %d, t_x = %d, T = %d is no history: 0 ≤ t_x ≤ T must hold", h.X, h.TX, h.T)
	case (h.X == 0) != (h.TX == 0):
		return fmt.Errorf("x = %d, t_x = %d is no history: a repeat purchase comes at least a day after the first", h.X, h.TX)
	case h.T > daysMax:
		return fmt.Errorf("watched for T = %d days: %d are the most", h.T, daysMax)
	case h.X > h.TX:
		return fmt.Errorf("x = %d, t_x = %d is no history: purchases of one day count as one", h.X, h.TX)
	}
	return nil
}

// group sorts: the same histories give the same sums, whatever their order.
func (d *Data) group(all []counted) {
	slices.SortFunc(all, func(a, b counted) int { return cmp.Compare(a.history, b.history) })
	distinct := all[:0]
	for _, c := range all {
		if last := len(distinct) - 1; last >= 0 && distinct[last].history == c.history {
			distinct[last].customers += c.customers
		} else {
			distinct = append(distinct, c)
		}
	}
	places := d.index(distinct)
	d.groups = make([]group, len(distinct))
	for i, c := range distinct {
		x, tx, t := c.parts()
		if len(d.xs) == 0 || d.xs[len(d.xs)-1] != float64(x) {
			d.xs = append(d.xs, float64(x))
		}
		d.groups[i] = group{x: len(d.xs) - 1, tx: places[tx], t: places[t], n: float64(c.customers)}
		if x > 0 {
			d.Repeat += c.customers
		}
	}
}

// index lists the days that occur as t_x or T, and returns where each day stands.
func (d *Data) index(histories []counted) (places []int) {
	longest := 0
	for _, c := range histories {
		_, _, t := c.parts()
		longest = max(longest, t)
	}
	occurs := make([]bool, longest+1)
	for _, c := range histories {
		_, tx, t := c.parts()
		occurs[tx], occurs[t] = true, true
	}
	places = make([]int, longest+1)
	for day, does := range occurs {
		if does {
			places[day] = len(d.times)
			d.times = append(d.times, float64(day)/d.unitDays)
		}
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
