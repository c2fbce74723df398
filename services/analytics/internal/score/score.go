// Package score tells how well customers fit, how they behave and what is to be expected of them: by points of a scorecard, or by
// the probability that a logistic regression gives, trained on what came of customers before.
//
// A score is the sum of its contributions, exactly, whoever adds them up in whatever order: they are rounded to steps of a power of
// two that leave room for all sums in a float64. Contributions are stored with the score, with the facts behind them.
package score

import (
	"math"
	"time"

	"tandem.bank/services/analytics/internal/snapshot"
	"tandem.bank/services/analytics/internal/warehouse"
)

// Kinds of scores.
const (
	kindScorecard = "scorecard"
	kindModel     = "model"
)

const (
	// pointStep and oddsStep are one over the step of a contribution.
	pointStep = 1 << 20
	oddsStep  = 1 << 30
	// pointsMax and oddsMax bound a contribution: with at most 500 criteria, or 100 features, no sum needs more than 52 bits.
	pointsMax = 1<<23 - 1
	oddsMax   = 1 << 13
)

// exactPoints rounds a contribution of a scorecard.
func exactPoints(v float64) float64 { return stepped(v, pointStep, pointsMax) }

// exactOdds rounds a contribution of a model.
func exactOdds(v float64) float64 { return stepped(v, oddsStep, oddsMax) }

func stepped(v, steps, most float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	// Adding 0 turns −0, which is what tiny negative numbers become, into 0.
	return math.Round(min(max(v, -most), most)*steps)/steps + 0
}

// Run is one computed snapshot.
type Run struct {
	snapshot.Head
	Score             string
	DefinitionVersion uint64
	Kind              string
	AsOf              time.Time
	Mean              float64
	// Grades in the order of the definition; customers without one come last, under an empty name.
	Grades []GradeSum
	Plan   Plan
	// ModelVersion and ChallengerVersion are days as numbers; 0 without a model.
	ModelVersion, ChallengerVersion uint32
	// Base are the log-odds of the mean of the training.
	Base float64
	// Stability and FeatureStability are population stability indexes against the training.
	Stability        float64
	FeatureStability []float64
	// Challenge is nil without a challenger.
	Challenge *Challenge
}

// GradeSum sums up the customers of one grade.
type GradeSum struct {
	Name      string
	Customers uint64
	Mean      float64
}

// Challenge compares the challenger's probabilities with the champion's.
type Challenge struct{ Mean, Correlation, Distance float64 }

// Plan says what the places of arrays in a snapshot mean.
type Plan struct {
	Parts      []Part   `json:"parts"`
	Dimensions []string `json:"dimensions,omitempty"`
	Facts      []string `json:"facts"`
}

// Part is a criterion or a feature.
type Part struct {
	Name      string `json:"name"`
	Dimension string `json:"dimension,omitempty"`
	Reason    string `json:"reason"`
	// Facts that it looks at.
	Facts []string `json:"facts"`
}

// Value is one customer's score.
type Value struct {
	CustomerID uint64
	Value      float64
	Grade      string
	Parts      []float64
	Dimensions []float64
	Observed   []string
	// Challenger is NaN without one.
	Challenger float64
}

// versionOf is a day as a number: 20260630.
func versionOf(d time.Time) uint32 {
	return uint32(10000*d.Year() + 100*int(d.Month()) + d.Day()) //nolint:gosec // years have four digits
}

func day(t time.Time) string { return warehouse.Day(t) }
