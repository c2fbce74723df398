package report

// value is a column of the answer that holds numbers.
type value struct {
	name    string
	measure *Measure
	kind    valueKind
}

// valueKind is what a column says about its measure.
type valueKind int

const (
	valueNow valueKind = iota
	valueEarlier
	valueDifference
	valueChange
	valueRunning
	valueShare
)

// Suffixes of columns that go with a measure.
var valueSuffix = map[valueKind]string{
	valueNow: "", valueEarlier: ".earlier", valueDifference: ".difference", valueChange: ".change", valueRunning: ".running", valueShare: ".share",
}

// values are the columns for each value of the pivot, or the only ones.
func (p *plan) values() []value {
	var out []value
	for _, m := range p.measures {
		kinds := []valueKind{valueNow}
		if p.compared() {
			kinds = append(kinds, valueEarlier, valueDifference, valueChange)
		}
		if p.query.GetRunningTotal() && p.additive(m) {
			kinds = append(kinds, valueRunning)
		}
		if p.query.GetShareOfTotal() && m.shared() {
			kinds = append(kinds, valueShare)
		}
		for _, kind := range kinds {
			out = append(out, value{m.Name + valueSuffix[kind], m, kind})
		}
	}
	return out
}

// additive reports whether a measure adds up over everything, time included.
func (p *plan) additive(m *Measure) bool {
	return m.shared() && p.catalogue.Fact(m.Fact).Over == overFlow
}

// shared reports whether the values of a measure are shares of a total: they add up over the dimensions.
func (m *Measure) shared() bool { return len(m.RatioOf) == 0 && m.Aggregate != aggregateDistinct }

// divided reports whether a value is a quotient, which is empty where there is nothing to divide by.
func (v value) divided() bool {
	return v.kind == valueChange || v.kind == valueShare || len(v.measure.RatioOf) > 0
}
