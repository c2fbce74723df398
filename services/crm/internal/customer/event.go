package customer

import (
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/record"
)

// event carries what analysis may see: no names, no contact points, no tax ids, documents, numbers or notes.
func (rm *room) event(r *record.Record[Row], c *eventsv1.Change) {
	row := &r.Row
	c.Payload = &eventsv1.Change_Customer{Customer: &eventsv1.CustomerState{
		Kind:              row.Kind,
		State:             row.State,
		StateReason:       row.StateReason,
		StateSince:        record.DateText(row.StateSince),
		RegionId:          record.Value(row.RegionID),
		BranchId:          record.Value(row.BranchID),
		ManagerId:         record.Value(row.ManagerID),
		BirthDate:         record.DateText(row.BirthDate),
		Sex:               row.Sex,
		Citizenships:      row.Citizenships,
		MaritalStatus:     row.MaritalStatus,
		Dependants:        row.Dependants,
		EducationLevel:    row.EducationLevel,
		Occupation:        row.Occupation,
		EmployerId:        record.Value(row.EmployerID),
		Position:          row.Position,
		EmployedSince:     record.DateText(row.EmployedSince),
		MonthlyIncome:     record.Amount(row.MonthlyIncome, row.MonthlyIncomeCurrency),
		IncomeSource:      row.IncomeSource,
		IncomeVerifiedOn:  record.DateText(row.IncomeVerifiedOn),
		IncomeProof:       row.IncomeProof,
		Interests:         row.Interests,
		LegalForm:         row.LegalForm,
		IndustryNace:      row.IndustryNACE,
		Employees:         record.Value(row.Employees),
		AnnualTurnover:    record.Amount(row.AnnualTurnover, row.AnnualTurnoverCurrency),
		Founded:           record.DateText(row.Founded),
		CustomerSince:     record.DateText(row.CustomerSince),
		PreferredChannel:  row.PreferredChannel,
		PreferredLanguage: row.PreferredLanguage,
		OtherBanks:        otherBankStates(row.OtherBanks),
		Attributes:        rm.catalogue.States(row.Attributes),
	}}
}
