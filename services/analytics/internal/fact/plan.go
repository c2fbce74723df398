package fact

import (
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

// Volumes and prices are finer than amounts: a price of a unit may be a rate.
const (
	unitDigits = 38
	unitScale  = 8
)

type planValue struct {
	record
	name, indicator, unitKind string
	unitID                    uint64
	unitName, period          string
	periodStart               time.Time
	amount                    decimal.Decimal
	currency                  string
	volume, price             *decimal.Decimal
	withdrawn                 uint8
	planVersion               uint64
	planTime                  time.Time
}

var planValueTable = warehouse.NewTable("plan_value",
	with("plan_id", func(r *planValue) *record { return &r.record },
		warehouse.Col("name", func(r *planValue) string { return r.name }),
		warehouse.Col("indicator", func(r *planValue) string { return r.indicator }),
		warehouse.Col("unit_kind", func(r *planValue) string { return r.unitKind }),
		warehouse.Col("unit_id", func(r *planValue) uint64 { return r.unitID }),
		warehouse.Col("unit_name", func(r *planValue) string { return r.unitName }),
		warehouse.Col("period", func(r *planValue) string { return r.period }),
		warehouse.Col("period_start", func(r *planValue) time.Time { return r.periodStart }),
		warehouse.Col("amount", func(r *planValue) decimal.Decimal { return r.amount }),
		warehouse.Col("currency", func(r *planValue) string { return r.currency }),
		warehouse.Col("volume", func(r *planValue) *decimal.Decimal { return r.volume }),
		warehouse.Col("price", func(r *planValue) *decimal.Decimal { return r.price }),
		warehouse.Col("withdrawn", func(r *planValue) uint8 { return r.withdrawn }),
		warehouse.Col("plan_version", func(r *planValue) uint64 { return r.planVersion }),
		warehouse.Col("plan_time", func(r *planValue) time.Time { return r.planTime }),
	)...)

// planValuesOf reads the figures of a bundle; one that is broken refuses them all, because they come from one import.
func planValuesOf(rec record, s *eventsv1.PlanBundle) ([]planValue, error) {
	bundle := fields{prefix: "plan"}
	whole := planValue{record: rec, name: s.GetName(), planVersion: bundle.need("plan_version", s.GetPlanVersion())}
	if at := bundle.time("plan_time", s.GetPlanTime()); at != nil {
		whole.planTime = *at
	} else {
		bundle.fail("plan_time", "must be set")
	}
	if bundle.err != nil {
		return nil, bundle.err
	}
	rows := make([]planValue, len(s.GetValues()))
	for i, v := range s.GetValues() {
		f := fields{prefix: "plan.values[" + strconv.Itoa(i) + "]"}
		rows[i] = f.planValue(whole, v)
		if f.err != nil {
			return nil, f.err
		}
	}
	return rows, nil
}

func (f *fields) planValue(row planValue, v *eventsv1.PlanValueState) planValue {
	row.unitKind = f.oneOf("unit_kind", v.GetUnitKind(),
		"bank", "region", "branch", "manager", "customer", "segment", "sector", "campaign")
	row.unitID, row.unitName = f.ref("unit_id", v.GetUnitId()), v.GetUnitName()
	row.indicator = v.GetIndicator()
	row.period = f.oneOf("period", v.GetPeriod(), "month", "quarter", "year")
	row.periodStart = f.businessDay("period_start", v.GetPeriodStart())
	row.amount = f.money("amount", v.GetAmount())
	if v.GetCurrency() != "" {
		row.currency = f.currency("currency", v.GetCurrency())
	}
	row.volume = f.decimal("volume", v.GetVolume(), unitDigits, unitScale)
	row.price = f.decimal("price", v.GetPrice(), unitDigits, unitScale)
	row.withdrawn = flag(v.GetWithdrawn())
	return row
}
