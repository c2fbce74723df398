package cluster

import (
	"math"

	"tandem.bank/pkg/mixture"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
)

// Axis is a fact as the model sees it.
type Axis struct {
	Fact      string `json:"fact"`
	Logarithm bool   `json:"logarithm,omitempty"`
	// Fill stands for an unknown value, on the axis's scale.
	Fill float64 `json:"fill"`
	// Mean and Deviation of the sample, on the axis's scale; a deviation of 0 is that of a fact that is the same for all, which
	// the model does not see.
	Mean      float64 `json:"mean"`
	Deviation float64 `json:"deviation"`
}

// used says whether the model sees the axis.
func (a Axis) used() bool { return a.Deviation > 0 }

// scaled brings a value to the axis's scale.
func (a Axis) scaled(value float64) float64 {
	if a.Logarithm {
		return math.Copysign(math.Log1p(math.Abs(value)), value)
	}
	return value
}

// unscaled is the opposite.
func (a Axis) unscaled(place float64) float64 {
	if a.Logarithm {
		return math.Copysign(math.Expm1(math.Abs(place)), place)
	}
	return place
}

// Space is where customers are points: the facts that tell them apart, standardised.
type Space []Axis

// newSpace measures a sample.
func newSpace(facts []*definitionv1.ClusteringFact, sample [][]*float64) Space {
	space := make(Space, len(facts))
	column := make([]float64, len(sample))
	for j, f := range facts {
		axis := Axis{Fact: f.GetFact(), Logarithm: f.GetScale() == definitionv1.ClusteringScale_CLUSTERING_SCALE_LOGARITHM}
		axis.Fill = axis.fill(f, j, sample)
		for i, row := range sample {
			column[i] = axis.at(row[j])
		}
		if points, err := mixture.NewPoints(1, column); err == nil {
			scale := mixture.NewScale(points)
			axis.Mean, axis.Deviation = scale.Means[0], scale.Deviations[0]
		}
		space[j] = axis
	}
	return space
}

// fill is what stands for an unknown value: what the definition says, or the mean of the known ones.
func (a Axis) fill(f *definitionv1.ClusteringFact, column int, sample [][]*float64) float64 {
	if f.Unknown != nil {
		return a.scaled(f.GetUnknown())
	}
	sum, known := 0.0, 0.0
	for _, row := range sample {
		if row[column] != nil {
			known++
			sum += (a.scaled(*row[column]) - sum) / known
		}
	}
	return sum
}

// at is the place of a value on the axis.
func (a Axis) at(value *float64) float64 {
	if value == nil {
		return a.Fill
	}
	return a.scaled(*value)
}

// dims is how many axes the model sees.
func (s Space) dims() int {
	n := 0
	for _, a := range s {
		if a.used() {
			n++
		}
	}
	return n
}

// place is the point of a customer.
func (s Space) place(values []*float64, to []float64) []float64 {
	to = to[:0]
	for j, a := range s {
		if a.used() {
			to = append(to, (a.at(values[j])-a.Mean)/a.Deviation)
		}
	}
	return to
}

// centre is a point in the units of the facts; of facts that the model does not see the value of all.
func (s Space) centre(point []float64) []float64 {
	out, used := make([]float64, len(s)), 0
	for j, a := range s {
		out[j] = a.unscaled(a.Mean)
		if a.used() {
			out[j] = a.unscaled(a.Mean + point[used]*a.Deviation)
			used++
		}
	}
	return out
}

// within is a centre, given in the units of the facts, as a point of this space.
func (s Space) within(centre []float64) []float64 {
	values := make([]*float64, len(centre))
	for j := range centre {
		values[j] = &centre[j]
	}
	return s.place(values, nil)
}

// points are those of a sample.
func (s Space) points(sample [][]*float64) (*mixture.Points, error) {
	values, point := make([]float64, 0, len(sample)*s.dims()), make([]float64, 0, len(s))
	for _, row := range sample {
		point = s.place(row, point)
		values = append(values, point...)
	}
	return mixture.NewPoints(s.dims(), values)
}
