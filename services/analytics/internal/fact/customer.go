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
	profile
}

// profile is what is known of a customer beside that.
type profile struct {
	attributes
	stateReason, maritalStatus, educationLevel, jobTitle   string
	incomeSource, incomeProof, legalForm                   string
	preferredChannel, preferredLanguage                    string
	stateSince, employedSince, incomeVerifiedOn            *time.Time
	dependants                                             *uint32
	employerID                                             uint64
	citizenships, interests, otherBanks, otherBankProducts []string
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
	warehouse.Col("state_reason", func(r *customer) string { return r.stateReason }),
	warehouse.Col("state_since", func(r *customer) *time.Time { return r.stateSince }),
	warehouse.Col("citizenships", func(r *customer) []string { return r.citizenships }),
	warehouse.Col("marital_status", func(r *customer) string { return r.maritalStatus }),
	warehouse.Col("dependants", func(r *customer) *uint32 { return r.dependants }),
	warehouse.Col("education_level", func(r *customer) string { return r.educationLevel }),
	warehouse.Col("employer_id", func(r *customer) uint64 { return r.employerID }),
	warehouse.Col("job_title", func(r *customer) string { return r.jobTitle }),
	warehouse.Col("employed_since", func(r *customer) *time.Time { return r.employedSince }),
	warehouse.Col("income_source", func(r *customer) string { return r.incomeSource }),
	warehouse.Col("income_verified_on", func(r *customer) *time.Time { return r.incomeVerifiedOn }),
	warehouse.Col("income_proof", func(r *customer) string { return r.incomeProof }),
	warehouse.Col("interests", func(r *customer) []string { return r.interests }),
	warehouse.Col("legal_form", func(r *customer) string { return r.legalForm }),
	warehouse.Col("preferred_channel", func(r *customer) string { return r.preferredChannel }),
	warehouse.Col("preferred_language", func(r *customer) string { return r.preferredLanguage }),
	warehouse.Col("other_banks", func(r *customer) []string { return r.otherBanks }),
	warehouse.Col("other_bank_products", func(r *customer) []string { return r.otherBankProducts }),
	warehouse.Col("attribute_values", func(r *customer) map[string]string { return r.texts }),
	warehouse.Col("attribute_numbers", func(r *customer) map[string]decimal.Decimal { return r.numbers }),
	warehouse.Col("attribute_options", func(r *customer) map[string][]string { return r.options }),
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
		profile:                f.profile(s),
	}, f.fault()
}

func (f *fields) profile(s *eventsv1.CustomerState) profile {
	p := profile{
		attributes:        f.attributes(s.GetAttributes()),
		stateReason:       s.GetStateReason(),
		stateSince:        f.day("state_since", s.GetStateSince()),
		citizenships:      s.GetCitizenships(),
		maritalStatus:     s.GetMaritalStatus(),
		educationLevel:    s.GetEducationLevel(),
		employerID:        f.ref("employer_id", s.GetEmployerId()),
		jobTitle:          s.GetPosition(),
		employedSince:     f.day("employed_since", s.GetEmployedSince()),
		incomeSource:      s.GetIncomeSource(),
		incomeVerifiedOn:  f.day("income_verified_on", s.GetIncomeVerifiedOn()),
		incomeProof:       s.GetIncomeProof(),
		interests:         s.GetInterests(),
		legalForm:         s.GetLegalForm(),
		preferredChannel:  s.GetPreferredChannel(),
		preferredLanguage: s.GetPreferredLanguage(),
	}
	if s.Dependants != nil {
		dependants := f.count("dependants", s.GetDependants())
		p.dependants = &dependants
	}
	for _, bank := range s.GetOtherBanks() {
		p.otherBanks = append(p.otherBanks, bank.GetBank())
		p.otherBankProducts = append(p.otherBankProducts, bank.GetProductFamily())
	}
	return p
}
