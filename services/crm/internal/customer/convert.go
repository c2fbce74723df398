package customer

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/branch"
	"tandem.bank/services/crm/internal/record"
)

func toRow(c *crmv1.Customer) (Row, []record.Reference, []apperr.Violation) {
	var in record.Reader
	row := Row{
		State:         record.EnumText(c.GetState()),
		Phone:         c.GetPhone(),
		Email:         c.GetEmail(),
		CustomerSince: in.Date("customer_since", c.GetCustomerSince()),
	}
	if c.GetOrganisation() != nil {
		readOrganisation(&in, &row, c.GetOrganisation())
	} else {
		readIndividual(&in, &row, c.GetIndividual())
	}
	refs := []record.Reference{
		record.Ref("region_id", branch.RegionTable, c.GetRegionId(), c.GetRegionKey(), &row.RegionID),
		record.Ref("branch_id", branch.BranchTable, c.GetBranchId(), c.GetBranchKey(), &row.BranchID),
		record.Ref("manager_id", branch.ManagerTable, c.GetManagerId(), c.GetManagerKey(), &row.ManagerID),
	}
	return row, refs, in.Violations
}

func readIndividual(in *record.Reader, row *Row, i *crmv1.Individual) {
	row.Kind = KindIndividual
	row.GivenName, row.FamilyName = i.GetGivenName(), i.GetFamilyName()
	row.BirthDate = in.Date("individual.birth_date", i.GetBirthDate())
	row.Sex = record.EnumText(i.GetSex())
	row.Occupation = i.GetOccupation()
	row.MonthlyIncome, row.MonthlyIncomeCurrency = in.Money("individual.monthly_income", i.GetMonthlyIncome())
	if row.MonthlyIncome.Decimal.IsNegative() {
		in.Refuse("individual.monthly_income", "must not be negative")
	}
}

func readOrganisation(in *record.Reader, row *Row, o *crmv1.Organisation) {
	row.Kind = KindOrganisation
	row.LegalName, row.RegistrationNumber = o.GetLegalName(), o.GetRegistrationNumber()
	row.IndustryNACE = o.GetIndustryNace()
	row.Employees = o.Employees
	row.AnnualTurnover, row.AnnualTurnoverCurrency = in.Money("organisation.annual_turnover", o.GetAnnualTurnover())
	row.Founded = in.Date("organisation.founded", o.GetFounded())
}

// ToProto renders a stored customer.
func ToProto(r *record.Record[Row]) *crmv1.Customer {
	c := &crmv1.Customer{
		CustomerId:    r.ID,
		Key:           r.Key(),
		State:         record.EnumValue[crmv1.CustomerState](r.Row.State),
		RegionId:      record.Value(r.Row.RegionID),
		BranchId:      record.Value(r.Row.BranchID),
		ManagerId:     record.Value(r.Row.ManagerID),
		Phone:         r.Row.Phone,
		Email:         r.Row.Email,
		CustomerSince: record.DateProto(r.Row.CustomerSince),
		Etag:          r.Etag(),
		CreateTime:    timestamppb.New(r.CreatedAt),
		UpdateTime:    timestamppb.New(r.UpdatedAt),
	}
	if r.Row.Kind == KindOrganisation {
		c.Party = &crmv1.Customer_Organisation{Organisation: organisation(&r.Row)}
	} else {
		c.Party = &crmv1.Customer_Individual{Individual: individual(&r.Row)}
	}
	return c
}

func individual(row *Row) *crmv1.Individual {
	return &crmv1.Individual{
		GivenName:     row.GivenName,
		FamilyName:    row.FamilyName,
		BirthDate:     record.DateProto(row.BirthDate),
		Sex:           record.EnumValue[crmv1.Sex](row.Sex),
		Occupation:    row.Occupation,
		MonthlyIncome: record.MoneyProto(row.MonthlyIncome, row.MonthlyIncomeCurrency),
	}
}

func organisation(row *Row) *crmv1.Organisation {
	return &crmv1.Organisation{
		LegalName:          row.LegalName,
		RegistrationNumber: row.RegistrationNumber,
		IndustryNace:       row.IndustryNACE,
		Employees:          row.Employees,
		AnnualTurnover:     record.MoneyProto(row.AnnualTurnover, row.AnnualTurnoverCurrency),
		Founded:            record.DateProto(row.Founded),
	}
}

// event carries what analysis may see: no names, no contact points, no registration number.
func event(r *record.Record[Row], c *eventsv1.Change) {
	c.Payload = &eventsv1.Change_Customer{Customer: &eventsv1.CustomerState{
		Kind:           r.Row.Kind,
		State:          r.Row.State,
		RegionId:       record.Value(r.Row.RegionID),
		BranchId:       record.Value(r.Row.BranchID),
		ManagerId:      record.Value(r.Row.ManagerID),
		BirthDate:      record.DateText(r.Row.BirthDate),
		Sex:            r.Row.Sex,
		Occupation:     r.Row.Occupation,
		MonthlyIncome:  record.Amount(r.Row.MonthlyIncome, r.Row.MonthlyIncomeCurrency),
		IndustryNace:   r.Row.IndustryNACE,
		Employees:      record.Value(r.Row.Employees),
		AnnualTurnover: record.Amount(r.Row.AnnualTurnover, r.Row.AnnualTurnoverCurrency),
		Founded:        record.DateText(r.Row.Founded),
		CustomerSince:  record.DateText(r.Row.CustomerSince),
	}}
}
