package customer

import (
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/attribute"
	"tandem.bank/services/crm/internal/branch"
	"tandem.bank/services/crm/internal/record"
)

func (rm *room) toRow(c *crmv1.Customer) (Row, []record.Reference, []apperr.Violation) {
	var in record.Reader
	row := Row{
		State:         record.EnumText(c.GetState()),
		Phone:         c.GetPhone(),
		Email:         c.GetEmail(),
		CustomerSince: in.Date("customer_since", c.GetCustomerSince()),

		ContactPoints:     rm.readContactPoints(&in, c.GetContactPoints()),
		PreferredChannel:  record.EnumText(c.GetPreferredChannel()),
		PreferredLanguage: ReadLanguage(&in, "preferred_language", c.GetPreferredLanguage()),
		OtherBanks:        readOtherBanks(&in, c.GetOtherBanks()),
		StateReason:       record.EnumText(c.GetStateReason()),
		StateSince:        in.Date("state_since", c.GetStateSince()),
		StateNote:         c.GetStateNote(),
		Attributes:        attribute.Read(&in, c.GetAttributes()),
	}
	if c.GetOrganisation() != nil {
		readOrganisation(&in, &row, c.GetOrganisation())
	} else if c.GetIndividual() != nil { // who is neither is refused by the rules, with all else that is wrong
		readIndividual(&in, &row, c.GetIndividual())
	}
	person := c.GetIndividual()
	refs := []record.Reference{
		record.Ref("region_id", branch.RegionTable, c.GetRegionId(), c.GetRegionKey(), &row.RegionID),
		record.Ref("branch_id", branch.BranchTable, c.GetBranchId(), c.GetBranchKey(), &row.BranchID),
		record.Ref("manager_id", branch.ManagerTable, c.GetManagerId(), c.GetManagerKey(), &row.ManagerID),
		record.Ref("individual.employer_id", Table, person.GetEmployerId(), person.GetEmployerKey(), &row.EmployerID),
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
	row.MiddleName, row.MiddleNameLatin = i.GetMiddleName(), i.GetMiddleNameLatin()
	row.GivenNameLatin, row.FamilyNameLatin = i.GetGivenNameLatin(), i.GetFamilyNameLatin()
	row.Citizenships = i.GetCitizenships()
	if i.GetTaxId() != nil {
		row.TaxIDs = readTaxIDs(in, func(int) string { return "individual.tax_id" }, []*crmv1.TaxId{i.GetTaxId()})
	}
	row.IdentityDocuments = readIdentityDocuments(in, i.GetIdentityDocuments())
	row.MaritalStatus, row.Dependants = record.EnumText(i.GetMaritalStatus()), i.Dependants
	row.EducationLevel = record.EnumText(i.GetEducationLevel())
	row.EmployerName, row.Position = i.GetEmployerName(), i.GetPosition()
	row.EmployedSince = in.Date("individual.employed_since", i.GetEmployedSince())
	row.IncomeSource = record.EnumText(i.GetIncomeSource())
	row.IncomeVerifiedOn = in.Date("individual.income_verified_on", i.GetIncomeVerifiedOn())
	row.IncomeProof = record.EnumText(i.GetIncomeProof())
	if row.IncomeProof != "" && i.GetIncomeVerifiedOn() == nil {
		in.Refuse("individual.income_proof", "is only for an income with income_verified_on")
	}
	row.Interests = i.GetInterests()
}

func readOrganisation(in *record.Reader, row *Row, o *crmv1.Organisation) {
	row.Kind = KindOrganisation
	row.LegalName, row.RegistrationNumber = o.GetLegalName(), o.GetRegistrationNumber()
	row.IndustryNACE = o.GetIndustryNace()
	row.Employees = o.Employees
	row.AnnualTurnover, row.AnnualTurnoverCurrency = in.Money("organisation.annual_turnover", o.GetAnnualTurnover())
	row.Founded = in.Date("organisation.founded", o.GetFounded())
	row.TradeNames, row.LegalForm, row.LegalNameLatin = o.GetTradeNames(), o.GetLegalForm(), o.GetLegalNameLatin()
	row.TaxIDs = readTaxIDs(in, func(i int) string { return fmt.Sprintf("organisation.tax_ids[%d]", i) }, o.GetTaxIds())
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

		ContactPoints:     contactPoints(r.Row.ContactPoints),
		PreferredChannel:  record.EnumValue[crmv1.Channel](r.Row.PreferredChannel),
		PreferredLanguage: r.Row.PreferredLanguage,
		OtherBanks:        otherBanks(r.Row.OtherBanks),
		StateReason:       record.EnumValue[crmv1.CustomerStateReason](r.Row.StateReason),
		StateSince:        record.DateProto(r.Row.StateSince),
		StateNote:         r.Row.StateNote,
		Attributes:        r.Row.Attributes.Proto(),
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

		MiddleName:        row.MiddleName,
		GivenNameLatin:    row.GivenNameLatin,
		FamilyNameLatin:   row.FamilyNameLatin,
		MiddleNameLatin:   row.MiddleNameLatin,
		Citizenships:      row.Citizenships,
		TaxId:             taxID(row.TaxIDs),
		IdentityDocuments: identityDocuments(row.IdentityDocuments),
		MaritalStatus:     record.EnumValue[crmv1.MaritalStatus](row.MaritalStatus),
		Dependants:        row.Dependants,
		EducationLevel:    record.EnumValue[crmv1.EducationLevel](row.EducationLevel),
		EmployerName:      row.EmployerName,
		EmployerId:        record.Value(row.EmployerID),
		Position:          row.Position,
		EmployedSince:     record.DateProto(row.EmployedSince),
		IncomeSource:      record.EnumValue[crmv1.IncomeSource](row.IncomeSource),
		IncomeVerifiedOn:  record.DateProto(row.IncomeVerifiedOn),
		IncomeProof:       record.EnumValue[crmv1.IncomeProof](row.IncomeProof),
		Interests:         row.Interests,
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
		TradeNames:         row.TradeNames,
		TaxIds:             taxIDs(row.TaxIDs),
		LegalForm:          row.LegalForm,
		LegalNameLatin:     row.LegalNameLatin,
	}
}
