// Package customer is the single base of the bank's customers: individuals and organisations.
package customer

import (
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"tandem.bank/pkg/apperr"
	"tandem.bank/services/crm/internal/attribute"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
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
	MiddleName             string              `json:"middle_name"`
	GivenNameLatin         string              `json:"given_name_latin"`
	FamilyNameLatin        string              `json:"family_name_latin"`
	MiddleNameLatin        string              `json:"middle_name_latin"`
	Citizenships           []string            `json:"citizenships"`
	TaxIDs                 []TaxID             `json:"tax_ids"`
	IdentityDocuments      []IdentityDocument  `json:"identity_documents"`
	MaritalStatus          string              `json:"marital_status"`
	Dependants             *int32              `json:"dependants"`
	EducationLevel         string              `json:"education_level"`
	EmployerName           string              `json:"employer_name"`
	EmployerID             *int64              `json:"employer_id" record:"customer"`
	Position               string              `json:"position"`
	EmployedSince          pgtype.Date         `json:"employed_since"`
	IncomeSource           string              `json:"income_source"`
	IncomeVerifiedOn       pgtype.Date         `json:"income_verified_on"`
	IncomeProof            string              `json:"income_proof"`
	Interests              []string            `json:"interests"`
	TradeNames             []string            `json:"trade_names"`
	LegalForm              string              `json:"legal_form"`
	LegalNameLatin         string              `json:"legal_name_latin"`
	ContactPoints          []ContactPoint      `json:"contact_points"`
	PreferredChannel       string              `json:"preferred_channel"`
	PreferredLanguage      string              `json:"preferred_language"`
	OtherBanks             []OtherBank         `json:"other_banks"`
	StateReason            string              `json:"state_reason"`
	StateSince             pgtype.Date         `json:"state_since"`
	StateNote              string              `json:"state_note"`
	Attributes             attribute.Values    `json:"attributes"`
}

// Table keeps customers; other rooms refer to it.
var Table = record.NewTable[Row]("customer", sight.Customers)

// room is how this bank reads its customers.
type room struct {
	// country whose phones are written without a country code, ISO 3166-1 alpha-2; empty when there is none.
	country string
	// catalogue of the attributes that the bank defined.
	catalogue *attribute.Catalogue
	// location of the bank's calendar.
	location *time.Location
}

// change keeps a person a person and a company a company, dates possible, and what belongs together together.
func (rm *room) change(old, updated *Row) error {
	if old != nil && old.Kind != updated.Kind {
		return apperr.InvalidField("party", "an %s can't become an %s", old.Kind, updated.Kind)
	}
	now := time.Now().In(rm.location)
	if err := checkPast(updated, now.AddDate(0, 0, 1)); err != nil {
		return err
	}
	if err := updated.step(old, now); err != nil {
		return err
	}
	updated.agree(contactPhone, func(r *Row) *string { return &r.Phone }, old)
	updated.agree(contactEmail, func(r *Row) *string { return &r.Email }, old)
	updated.spellLatin(old)
	var stored attribute.Values
	if old != nil {
		stored = old.Attributes
	}
	var err error
	updated.Attributes, err = rm.catalogue.Settle(stored, updated.Attributes, updated.Kind)
	return err
}

// Stored is a customer as it is kept.
type Stored = record.Record[Row]

// checkPast refuses days that can't have come yet anywhere.
func checkPast(r *Row, tomorrow time.Time) error {
	var broken []apperr.Violation
	for _, d := range []struct {
		field string
		day   pgtype.Date
	}{
		{"individual.birth_date", r.BirthDate},
		{"organisation.founded", r.Founded},
		{"individual.income_verified_on", r.IncomeVerifiedOn},
		{"state_since", r.StateSince},
	} {
		if d.day.Valid && d.day.Time.After(tomorrow) {
			broken = append(broken, apperr.Violation{Field: d.field, Description: "must not be in the future"})
		}
	}
	return apperr.Invalid(broken...)
}
