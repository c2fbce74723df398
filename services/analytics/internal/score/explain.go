package score

import (
	"cmp"
	"context"
	"math"
	"slices"

	"tandem.bank/pkg/apperr"
)

const (
	// reasonsMax is how many reasons each way are told.
	reasonsMax = 4
	// trendDefault is how many earlier scores are told when no number is given.
	trendDefault = 12
)

// Explanation is why a customer has a score.
type Explanation struct {
	Run   Run
	Value Value
	// Total is what contributions add up to, with the base of the run.
	Total float64
	// Raising and Lowering are reasons, the weightiest first.
	Raising, Lowering []string
	Trend             []Point
}

// explain takes a score apart. branches, when limited, are those whose customers are seen.
func (s *Service) explain(ctx context.Context, r Run, customer uint64, branches []int64, limited bool, trend int) (*Explanation, error) {
	value, found, err := s.store.one(ctx, r, customer, branches, limited)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, apperr.NotFound("customer %d is not among those whom run %s of %s scored", customer, r.ID, r.Score)
	}
	e := &Explanation{Run: r, Value: value, Total: r.Base}
	for _, part := range value.Parts {
		e.Total += part
	}
	e.Raising, e.Lowering = reasons(r.Plan.Parts, value.Parts, 1), reasons(r.Plan.Parts, value.Parts, -1)
	e.Trend, err = s.store.trend(ctx, r, customer, cmp.Or(trend, trendDefault))
	return e, err
}

// reasons are those of the contributions with a sign, the greatest first; equal ones in the order of the definition.
func reasons(parts []Part, values []float64, sign float64) []string {
	var places []int
	for i, v := range values {
		if v*sign > 0 {
			places = append(places, i)
		}
	}
	slices.SortStableFunc(places, func(a, b int) int { return cmp.Compare(math.Abs(values[b]), math.Abs(values[a])) })
	var out []string
	for _, at := range places[:min(len(places), reasonsMax)] {
		out = append(out, parts[at].Reason)
	}
	return out
}
