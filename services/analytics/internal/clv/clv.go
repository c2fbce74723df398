// Package clv computes what customers are worth, two values side by side: the historic one, margin earned and decayed by
// its age, and the predictive one, by a model of how often customers buy (package btyd) and Gamma-Gamma for how much,
// discounted to a horizon.
//
// Histories of customers are made inside ClickHouse; the models are fitted here to groups of equal histories, so memory
// hangs on the groups and not on the customers, who stream through on their way from histories to predictions.
package clv

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/btyd"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/kind"
	"tandem.bank/services/analytics/internal/snapshot"
	"tandem.bank/services/analytics/internal/warehouse"
)

// holdoutDefault is how many days are held out when the definition says nothing.
const holdoutDefault = 90

// daysPerYear of the Julian year, for rates.
const daysPerYear = 365.25

// kinds are the models by their names in definitions.
var kinds = map[definitionv1.ClvModel]btyd.Kind{
	definitionv1.ClvModel_CLV_MODEL_BG_NBD:     btyd.BGNBD,
	definitionv1.ClvModel_CLV_MODEL_MBG_NBD:    btyd.MBGNBD,
	definitionv1.ClvModel_CLV_MODEL_PARETO_NBD: btyd.ParetoNBD,
}

// Settings say what to compute.
type Settings struct {
	// AsOf is the day to look from, inclusive, at midnight UTC.
	AsOf time.Time
	// spec is complete: no field relies on its default.
	spec *definitionv1.ClvDefinition
}

// NewSettings checks what a caller asks for, and completes it.
func NewSettings(asOf time.Time, spec *definitionv1.ClvDefinition) (Settings, error) {
	if err := snapshot.CheckDay(asOf); err != nil {
		return Settings{}, err
	}
	spec, err := Complete(spec)
	return Settings{AsOf: asOf, spec: spec}, err
}

// Compile checks a definition of lifetime value as a run would; it is a definition.Compiler.
func Compile(_ context.Context, _ string, spec *definitionv1.Spec) ([]apperr.Violation, error) {
	return problems(spec.GetClv()), nil
}

// problems are what the contract's rules do not see.
func problems(spec *definitionv1.ClvDefinition) []apperr.Violation {
	out := kind.Problems("transaction_kinds", spec.GetTransactionKinds())
	holdout := cmp.Or(spec.GetHoldoutDays(), holdoutDefault)
	if window := spec.GetWindowDays(); window != 0 && window <= holdout {
		out = append(out, apperr.Violation{
			Field: "holdout_days", Description: fmt.Sprintf("must be less than window_days, or the backtest sees nothing; is %d", holdout),
		})
	}
	return out
}

// Complete fills in the defaults of a definition, and refuses one that can't be computed.
func Complete(spec *definitionv1.ClvDefinition) (*definitionv1.ClvDefinition, error) {
	if spec == nil {
		spec = &definitionv1.ClvDefinition{}
	}
	if problems := problems(spec); len(problems) > 0 {
		return nil, apperr.Invalid(problems...)
	}
	out := proto.CloneOf(spec)
	slices.Sort(out.GetTransactionKinds())
	if len(out.GetModels()) == 0 {
		out.Models = slices.Collect(maps.Keys(kinds))
	}
	slices.Sort(out.Models)
	out.HalfLifeDays = cmp.Or(out.GetHalfLifeDays(), 365)
	out.HorizonDays = cmp.Or(out.GetHorizonDays(), 365)
	out.UnitDays = cmp.Or(out.GetUnitDays(), 7)
	out.HoldoutDays = cmp.Or(out.GetHoldoutDays(), holdoutDefault)
	out.FitCustomersMin = cmp.Or(out.GetFitCustomersMin(), 1000)
	out.IntervalProbability = cmp.Or(out.GetIntervalProbability(), 0.95)
	if out.GetMargin() == nil {
		out.Margin = &definitionv1.ClvMargin{}
	}
	if out.GetMargin().DefaultShare == nil {
		out.Margin.DefaultShare = proto.Float64(1)
	}
	return out, nil
}

// key names the settings but for as_of: runs with equal keys continue each other.
func (s Settings) key() (string, error) {
	return snapshot.Key(s.spec)
}

// firstDate is the first day that counts. Days before 1970 can't hold transactions.
func (s Settings) firstDate() time.Time {
	if s.spec.GetWindowDays() == 0 {
		return warehouse.DayMin
	}
	if first := s.AsOf.AddDate(0, 0, 1-int(s.spec.GetWindowDays())); first.After(warehouse.DayMin) {
		return first
	}
	return warehouse.DayMin
}

// calibrationEnd is the last day that the models of the backtest see.
func (s Settings) calibrationEnd() time.Time {
	if end := s.AsOf.AddDate(0, 0, -int(s.spec.GetHoldoutDays())); end.After(warehouse.DayMin) {
		return end
	}
	return warehouse.DayMin
}

func (s Settings) models() []btyd.Kind {
	out := make([]btyd.Kind, len(s.spec.GetModels()))
	for i, m := range s.spec.GetModels() {
		out[i] = kinds[m]
	}
	return out
}

func (s Settings) unitDays() int { return int(s.spec.GetUnitDays()) }

// units turns days into the models' unit of time.
func (s Settings) units(days int32) float64 { return float64(days) / float64(s.unitDays()) }

// discount is the continuous rate per unit of time that comes to the yearly one in a year.
func (s Settings) discount() float64 {
	return math.Log1p(s.spec.GetAnnualDiscountRate()) * float64(s.unitDays()) / daysPerYear
}
