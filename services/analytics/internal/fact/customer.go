package fact

import (
	"time"

	"github.com/shopspring/decimal"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

type customer struct {
	record
	kind, state                   string
	regionID, branchID, managerID uint64
	birthDate                     *time.Time
	sex, occupation               string
	monthlyIncome                 *decimal.Decimal
	monthlyIncomeCurrency         string
	industryNACE                  string
	employees                     uint32
	annualTurnover                *decimal.Decimal
	annualTurnoverCurrency        string
	founded, customerSince        *time.Time
}

var customerTable = warehouse.NewTable("customer", with("customer_id", func(r *customer) *record { return &r.record },
	warehouse.Col("kind", func(r *customer) string { return r.kind }),
	warehouse.Col("state", func(r *customer) string { return r.state }),
	warehouse.Col("region_id", func(r *customer) uint64 { return r.regionID }),
	warehouse.Col("branch_id", func(r *customer) uint64 { return r.branchID }),
	warehouse.Col("manager_id", func(r *customer) uint64 { return r.managerID }),
	warehouse.Col("birth_date", func(r *customer) *time.Time { return r.birthDate }),
	warehouse.Col("sex", func(r *customer) string { return r.sex }),
	warehouse.Col("occupation", func(r *customer) string { return r.occupation }),
	warehouse.Col("monthly_income", func(r *customer) *decimal.Decimal { return r.monthlyIncome }),
	warehouse.Col("monthly_income_currency", func(r *customer) string { return r.monthlyIncomeCurrency }),
	warehouse.Col("industry_nace", func(r *customer) string { return r.industryNACE }),
	warehouse.Col("employees", func(r *customer) uint32 { return r.employees }),
	warehouse.Col("annual_turnover", func(r *customer) *decimal.Decimal { return r.annualTurnover }),
	warehouse.Col("annual_turnover_currency", func(r *customer) string { return r.annualTurnoverCurrency }),
	warehouse.Col("founded", func(r *customer) *time.Time { return r.founded }),
	warehouse.Col("customer_since", func(r *customer) *time.Time { return r.customerSince }),
)...)

func customerOf(rec record, s *eventsv1.CustomerState) (customer, error) {
	f := fields{prefix: "customer"}
	income, incomeCurrency := f.amount("monthly_income", s.GetMonthlyIncome())
	turnover, turnoverCurrency := f.amount("annual_turnover", s.GetAnnualTurnover())
	return customer{
		record:                 rec,
		kind:                   s.GetKind(),
		state:                  s.GetState(),
		regionID:               f.ref("region_id", s.GetRegionId()),
		branchID:               f.ref("branch_id", s.GetBranchId()),
		managerID:              f.ref("manager_id", s.GetManagerId()),
		birthDate:              f.day("birth_date", s.GetBirthDate()),
		sex:                    s.GetSex(),
		occupation:             s.GetOccupation(),
		monthlyIncome:          income,
		monthlyIncomeCurrency:  incomeCurrency,
		industryNACE:           s.GetIndustryNace(),
		employees:              f.count("employees", s.GetEmployees()),
		annualTurnover:         turnover,
		annualTurnoverCurrency: turnoverCurrency,
		founded:                f.day("founded", s.GetFounded()),
		customerSince:          f.day("customer_since", s.GetCustomerSince()),
	}, f.fault()
}
