// Package customer is the single base of the bank's customers: individuals and organisations.
package customer

import (
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// Kinds of customer.
const (
	KindIndividual   = "individual"
	KindOrganisation = "organisation"
)

// Row is a customer as Postgres keeps it; columns of the other kind stay empty.
type Row struct {
	Kind                   string              `json:"kind"`
	State                  string              `json:"state"`
	RegionID               *int64              `json:"region_id"`
	BranchID               *int64              `json:"branch_id"`
	ManagerID              *int64              `json:"manager_id"`
	Phone                  string              `json:"phone"`
	Email                  string              `json:"email"`
	CustomerSince          pgtype.Date         `json:"customer_since"`
	GivenName              string              `json:"given_name"`
	FamilyName             string              `json:"family_name"`
	BirthDate              pgtype.Date         `json:"birth_date"`
	Sex                    string              `json:"sex"`
	Occupation             string              `json:"occupation"`
	MonthlyIncome          decimal.NullDecimal `json:"monthly_income"`
	MonthlyIncomeCurrency  string              `json:"monthly_income_currency"`
	LegalName              string              `json:"legal_name"`
	RegistrationNumber     string              `json:"registration_number"`
	IndustryNACE           string              `json:"industry_nace"`
	Employees              *int32              `json:"employees"`
	AnnualTurnover         decimal.NullDecimal `json:"annual_turnover"`
	AnnualTurnoverCurrency string              `json:"annual_turnover_currency"`
	Founded                pgtype.Date         `json:"founded"`
}

// Table keeps customers; other rooms refer to it.
var Table = record.NewTable[Row]("customer")

// Schema is what customers can be filtered by, in lists and in searches.
var Schema = filter.Schema{
	{Name: "customer_id", Column: "customer_id", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "key.source", Column: "source", Kind: filter.Text},
	{Name: "key.external_id", Column: "external_id", Kind: filter.Text},
	{Name: "kind", Column: "kind", Kind: filter.Enum, Values: []string{KindIndividual, KindOrganisation}, Required: true},
	{Name: "state", Column: "state", Kind: filter.Enum, Values: record.EnumTexts[crmv1.CustomerState](), Required: true},
	{Name: "region_id", Column: "region_id", Kind: filter.Int},
	{Name: "branch_id", Column: "branch_id", Kind: filter.Int},
	{Name: "manager_id", Column: "manager_id", Kind: filter.Int},
	{Name: "phone", Column: "phone", Kind: filter.Text},
	{Name: "email", Column: "lower(email)", Kind: filter.Text, Fold: true},
	{Name: "customer_since", Column: "customer_since", Kind: filter.Date},
	{Name: "individual.given_name", Column: "given_name", Kind: filter.Text},
	{Name: "individual.family_name", Column: "family_name", Kind: filter.Text, Indexed: true},
	{Name: "individual.birth_date", Column: "birth_date", Kind: filter.Date},
	{Name: "individual.sex", Column: "sex", Kind: filter.Enum, Values: record.EnumTexts[crmv1.Sex]()},
	{Name: "individual.occupation", Column: "occupation", Kind: filter.Text},
	{Name: "individual.monthly_income", Column: "monthly_income", Kind: filter.Decimal},
	{Name: "organisation.legal_name", Column: "legal_name", Kind: filter.Text, Indexed: true},
	{Name: "organisation.registration_number", Column: "registration_number", Kind: filter.Text},
	{Name: "organisation.industry_nace", Column: "industry_nace", Kind: filter.Text},
	{Name: "organisation.employees", Column: "employees", Kind: filter.Int},
	{Name: "organisation.annual_turnover", Column: "annual_turnover", Kind: filter.Decimal},
	{Name: "create_time", Column: "created_at", Kind: filter.Time, Required: true, Indexed: true},
	{Name: "update_time", Column: "updated_at", Kind: filter.Time, Required: true},
}

// change keeps a person a person and a company a company, and dates possible. A message without a state leaves the
// state as it is: a file that knows no states must not bring former customers back.
func change(old, updated *Row) error {
	if updated.State == "" {
		updated.State = record.EnumText(crmv1.CustomerState_CUSTOMER_STATE_ACTIVE)
		if old != nil {
			updated.State = old.State
		}
	}
	if old != nil && old.Kind != updated.Kind {
		return apperr.InvalidField("party", "an %s can't become an %s", old.Kind, updated.Kind)
	}
	tomorrow := time.Now().AddDate(0, 0, 1)
	if updated.BirthDate.Valid && updated.BirthDate.Time.After(tomorrow) {
		return apperr.InvalidField("individual.birth_date", "must not be in the future")
	}
	if updated.Founded.Valid && updated.Founded.Time.After(tomorrow) {
		return apperr.InvalidField("organisation.founded", "must not be in the future")
	}
	return nil
}
