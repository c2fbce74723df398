// Package logit fits logistic regressions: how likely an event is, by what is known of somebody (Cox, "The regression
// analysis of binary sequences", JRSS B 20, 1958; formulas as in Hosmer, Lemeshow and Sturdivant, "Applied Logistic
// Regression", 3rd ed. 2013, and Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning", 2nd ed. 2009).
//
// Features are encoded into columns of numbers: as they are, one column a level, or by weight of evidence. The columns go
// into a Table, the Table into Train, and what comes out is judged by Evaluate and watched by Stability.
//
// The same rows in the same order give the same bits on any number of processors: sums are made in a fixed number of
// stripes, and these are added up in order.
package logit

import (
	"errors"
	"math"
)

// ErrTooLittle says that the rows can't tell the parameters.
var ErrTooLittle = errors.New("too little data to fit a model")

// ErrNoMaximum says that the climb ended nowhere.
var ErrNoMaximum = errors.New("the likelihood has no maximum that could be found")

// Probability is that of log-odds: 1 / (1 + e^−x), without overflow.
func Probability(logOdds float64) float64 {
	if logOdds >= 0 {
		return 1 / (1 + math.Exp(-logOdds))
	}
	e := math.Exp(logOdds)
	return e / (1 + e)
}

// LogOdds are those of a probability strictly between 0 and 1.
func LogOdds(p float64) float64 { return math.Log(p) - math.Log1p(-p) }

// softplus is log(1 + e^x), without overflow.
func softplus(x float64) float64 {
	if x > 0 {
		return x + math.Log1p(math.Exp(-x))
	}
	return math.Log1p(math.Exp(x))
}

// logLikelihood is that of one row: y·η − log(1 + e^η).
func logLikelihood(event bool, logOdds float64) float64 {
	if event {
		return -softplus(-logOdds)
	}
	return -softplus(logOdds)
}
