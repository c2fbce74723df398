// Package plan keeps what the bank plans: figures of an indicator for a unit of the bank, a customer or a segment, by month,
// quarter or year. Figures come by imports, and every version of each stays.
package plan

import (
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/check"
	"tandem.bank/pkg/date"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/record"
)

// Kinds of units, as columns and events have them.
const (
	bank     = "bank"
	region   = "region"
	branch   = "branch"
	manager  = "manager"
	customer = "customer"
	segment  = "segment"
	sector   = "sector"
	campaign = "campaign"
)

// value is a figure as Postgres keeps it.
type value struct {
	UnitKind    string              `json:"unit_kind"`
	UnitID      int64               `json:"unit_id"`
	UnitName    string              `json:"unit_name"`
	Indicator   string              `json:"indicator"`
	Period      string              `json:"period"`
	PeriodStart pgtype.Date         `json:"period_start"`
	Currency    string              `json:"currency"`
	Amount      decimal.Decimal     `json:"amount"`
	Volume      decimal.NullDecimal `json:"volume"`
	Price       decimal.NullDecimal `json:"price"`
	Withdrawn   bool                `json:"withdrawn"`
}

// named is what names a figure in its plan.
type named struct {
	unitKind            string
	unitID              int64
	unitName, indicator string
	period              string
	start               time.Time
	currency            string
}

func (v *value) named() named {
	return named{v.UnitKind, v.UnitID, v.UnitName, v.Indicator, v.Period, v.PeriodStart.Time, v.Currency}
}

// same says that two figures plan the same. What is withdrawn plans nothing, whatever its amount was.
func (v *value) same(other *value) bool {
	if v.Withdrawn || other.Withdrawn {
		return v.Withdrawn == other.Withdrawn
	}
	equal := func(a, b decimal.NullDecimal) bool { return a.Valid == b.Valid && a.Decimal.Equal(b.Decimal) }
	return v.Amount.Equal(other.Amount) && equal(v.Volume, other.Volume) && equal(v.Price, other.Price)
}

// read turns a message into a figure and what it refers to, or says what is wrong. The id of a unit by key is looked up later.
func read(m *crmv1.PlanValue) (*value, []record.Reference, error) {
	in := record.Reader{Violations: check.Message(m)}
	v := &value{
		Indicator: m.GetIndicator(), Period: record.EnumText(m.GetPeriod()), PeriodStart: in.Date("period_start", m.GetPeriodStart()),
		Currency: in.Currency("currency", m.GetCurrency()), Volume: in.Decimal("volume", m.GetVolume()), Price: in.Decimal("price", m.GetPrice()),
		Withdrawn: m.GetWithdrawn(),
	}
	refs := v.readUnit(m.GetUnit())
	amount := in.Decimal("amount", m.GetAmount())
	if v.Amount = amount.Decimal; !amount.Valid && !v.Withdrawn {
		in.Refuse("amount", "is required, unless the figure is withdrawn")
	}
	if v.PeriodStart.Valid && !begins(v.Period, v.PeriodStart.Time) {
		in.Refuse("period_start", "must be the first day of a "+v.Period)
	}
	return v, refs, in.Err()
}

// begins says whether a period begins on a day.
func begins(period string, day time.Time) bool {
	switch period {
	case "year":
		return day.YearDay() == 1
	case "quarter":
		return day.Day() == 1 && (day.Month()-1)%3 == 0
	case "month":
		return day.Day() == 1
	default:
		return true // the contract's rules refuse it
	}
}

// readUnit reads what the figure is for.
func (v *value) readUnit(u *crmv1.PlanUnit) []record.Reference {
	refer := func(kind string, id int64, key *crmv1.ExternalKey) []record.Reference {
		v.UnitKind = kind
		v.UnitID = id
		return []record.Reference{{Field: "unit." + kind + "_id", Target: record.Named(kind), Key: key, ID: &v.UnitID}}
	}
	name := func(kind, name string) []record.Reference {
		v.UnitKind, v.UnitName = kind, name
		return nil
	}
	switch unit := u.GetUnit().(type) {
	case *crmv1.PlanUnit_Bank:
		return name(bank, "")
	case *crmv1.PlanUnit_RegionId:
		return refer(region, unit.RegionId, nil)
	case *crmv1.PlanUnit_RegionKey:
		return refer(region, 0, unit.RegionKey)
	case *crmv1.PlanUnit_BranchId:
		return refer(branch, unit.BranchId, nil)
	case *crmv1.PlanUnit_BranchKey:
		return refer(branch, 0, unit.BranchKey)
	case *crmv1.PlanUnit_ManagerId:
		return refer(manager, unit.ManagerId, nil)
	case *crmv1.PlanUnit_ManagerKey:
		return refer(manager, 0, unit.ManagerKey)
	case *crmv1.PlanUnit_CustomerId:
		return refer(customer, unit.CustomerId, nil)
	case *crmv1.PlanUnit_CustomerKey:
		return refer(customer, 0, unit.CustomerKey)
	case *crmv1.PlanUnit_Segment:
		return name(segment, unit.Segment)
	case *crmv1.PlanUnit_Sector:
		return name(sector, unit.Sector)
	case *crmv1.PlanUnit_Campaign:
		return name(campaign, unit.Campaign)
	default:
		return nil // the contract's rules refuse it
	}
}

func (v *value) unit() *crmv1.PlanUnit {
	switch v.UnitKind {
	case region:
		return &crmv1.PlanUnit{Unit: &crmv1.PlanUnit_RegionId{RegionId: v.UnitID}}
	case branch:
		return &crmv1.PlanUnit{Unit: &crmv1.PlanUnit_BranchId{BranchId: v.UnitID}}
	case manager:
		return &crmv1.PlanUnit{Unit: &crmv1.PlanUnit_ManagerId{ManagerId: v.UnitID}}
	case customer:
		return &crmv1.PlanUnit{Unit: &crmv1.PlanUnit_CustomerId{CustomerId: v.UnitID}}
	case segment:
		return &crmv1.PlanUnit{Unit: &crmv1.PlanUnit_Segment{Segment: v.UnitName}}
	case sector:
		return &crmv1.PlanUnit{Unit: &crmv1.PlanUnit_Sector{Sector: v.UnitName}}
	case campaign:
		return &crmv1.PlanUnit{Unit: &crmv1.PlanUnit_Campaign{Campaign: v.UnitName}}
	default:
		return &crmv1.PlanUnit{Unit: &crmv1.PlanUnit_Bank{Bank: true}}
	}
}

func (v *value) toProto(version int64) *crmv1.PlanValue {
	return &crmv1.PlanValue{
		Unit: v.unit(), Indicator: v.Indicator, Period: record.EnumValue[crmv1.PlanPeriod](v.Period), PeriodStart: date.Proto(v.PeriodStart.Time),
		Amount: v.Amount.String(), Currency: v.Currency, Volume: record.DecimalText(v.Volume), Price: record.DecimalText(v.Price), Version: version,
	}
}

func (v *value) state() *eventsv1.PlanValueState {
	return &eventsv1.PlanValueState{
		UnitKind: v.UnitKind, UnitId: v.UnitID, UnitName: v.UnitName, Indicator: v.Indicator, Period: v.Period,
		PeriodStart: record.DateText(v.PeriodStart), Amount: v.Amount.String(), Currency: v.Currency,
		Volume: record.DecimalText(v.Volume), Price: record.DecimalText(v.Price), Withdrawn: v.Withdrawn,
	}
}

func notFound(name string) error { return apperr.NotFound("plan %s does not exist", name) }

func noVersion(name string, number int64) error {
	return apperr.NotFound("plan %s has no version %d", name, number)
}
