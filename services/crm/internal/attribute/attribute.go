// Package attribute is what the bank itself wants to know of its customers: definitions of attributes, and the rules by
// which their values are checked.
package attribute

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/record"
)

// Types of values.
const (
	typeText    = "text"
	typeInteger = "integer"
	typeDecimal = "decimal"
	typeBoolean = "boolean"
	typeDate    = "date"
	typeOption  = "option"
	typeOptions = "options"
	typeMoney   = "money"
)

// Row is a definition as Postgres keeps it.
type Row struct {
	Name          string   `json:"name"`
	Title         string   `json:"title"`
	Description   string   `json:"description"`
	Type          string   `json:"type"`
	AppliesTo     string   `json:"applies_to"`
	AllowedValues []string `json:"allowed_values"`
	Required      bool     `json:"required"`
	Searchable    bool     `json:"searchable"`
	Personal      bool     `json:"personal"`
	Minimum       string   `json:"minimum"`
	Maximum       string   `json:"maximum"`
	Pattern       string   `json:"pattern"`
	Retired       bool     `json:"retired"`
}

// Table keeps definitions.
var Table = record.NewTable[Row]("attribute_definition")

func toRow(d *crmv1.AttributeDefinition) (Row, []record.Reference, []apperr.Violation) {
	var in record.Reader
	row := Row{
		Name: d.GetName(), Title: d.GetTitle(), Description: d.GetDescription(), Type: record.EnumText(d.GetType()),
		AppliesTo: record.EnumText(d.GetAppliesTo()), AllowedValues: d.GetAllowedValues(), Required: d.GetRequired(),
		Searchable: d.GetSearchable(), Personal: d.GetPersonal(), Minimum: d.GetMinimum(), Maximum: d.GetMaximum(),
		Pattern: d.GetPattern(), Retired: d.GetRetired(),
	}
	row.check(&in)
	return row, nil, in.Violations
}

// check refuses limits that the type does not have, or that nothing can meet.
func (r *Row) check(in *record.Reader) {
	chosen := r.Type == typeOption || r.Type == typeOptions
	switch {
	case chosen && len(r.AllowedValues) == 0:
		in.Refuse("allowed_values", "is required for this type")
	case !chosen && len(r.AllowedValues) > 0:
		in.Refuse("allowed_values", "is only for options")
	}
	if r.Pattern != "" {
		if r.Type != typeText {
			in.Refuse("pattern", "is only for texts")
		} else if _, err := regexp.Compile(r.Pattern); err != nil {
			in.Refuse("pattern", "is not a regular expression: "+err.Error())
		}
	}
	r.checkLimit(in, "minimum", r.Minimum)
	r.checkLimit(in, "maximum", r.Maximum)
	if r.Minimum != "" && r.Maximum != "" && len(in.Violations) == 0 && r.compare(r.Minimum, r.Maximum) > 0 {
		in.Refuse("maximum", "must not be below minimum")
	}
}

func (r *Row) checkLimit(in *record.Reader, field, limit string) {
	if limit == "" {
		return
	}
	switch r.Type {
	case typeDate:
		if _, err := time.Parse(time.DateOnly, limit); err != nil {
			in.Refuse(field, "must be a day such as 2026-01-31")
		}
	case typeText, typeInteger, typeDecimal, typeMoney:
		if _, err := decimal.NewFromString(limit); err != nil || strings.ContainsAny(limit, "eE") {
			in.Refuse(field, "must be a number")
		}
	default:
		in.Refuse(field, "is not for this type")
	}
}

// compare orders two values of the type as limits write them.
func (r *Row) compare(a, b string) int {
	if r.Type == typeDate {
		return cmp.Compare(a, b)
	}
	// Both were checked when they came in.
	left, _ := decimal.NewFromString(a)
	right, _ := decimal.NewFromString(b)
	return left.Compare(right)
}

// refuses says what is wrong with a value; empty when nothing is. kind is the customer's.
func (r *Row) refuses(v Value, kind string) string {
	if r.AppliesTo != "" && r.AppliesTo != kind {
		return "is only for an " + r.AppliesTo
	}
	if got := v.typeName(); got != r.Type {
		return fmt.Sprintf("must be a value of the type %s, not %s", r.Type, got)
	}
	options := v.Options
	if v.Option != nil {
		options = []string{*v.Option}
	}
	for _, option := range options {
		if !slices.Contains(r.AllowedValues, option) {
			return fmt.Sprintf("%q is not one of %s", option, strings.Join(r.AllowedValues, ", "))
		}
	}
	if v.Text != nil && r.Pattern != "" {
		if whole, err := regexp.Compile(`^(?:` + r.Pattern + `)$`); err != nil || !whole.MatchString(*v.Text) {
			return "must match " + r.Pattern
		}
	}
	return r.outOfLimits(v)
}

func (r *Row) outOfLimits(v Value) string {
	var size string
	switch {
	case v.Text != nil:
		size = fmt.Sprint(utf8.RuneCountInString(*v.Text))
	case v.Integer != nil:
		size = fmt.Sprint(*v.Integer)
	case v.Decimal != nil:
		size = *v.Decimal
	case v.Date != nil:
		size = *v.Date
	case v.Money != nil:
		size = v.Money.Amount
	default:
		return ""
	}
	unit := ""
	if v.Text != nil {
		unit = " characters"
	}
	switch {
	case r.Minimum != "" && r.compare(size, r.Minimum) < 0:
		return "must not be below " + r.Minimum + unit
	case r.Maximum != "" && r.compare(size, r.Maximum) > 0:
		return "must not be above " + r.Maximum + unit
	default:
		return ""
	}
}

// change keeps what values and history rely on.
func change(old, updated *Row) error {
	if old == nil {
		return nil
	}
	var broken []apperr.Violation
	refuse := func(field, description string) {
		broken = append(broken, apperr.Violation{Field: field, Description: description})
	}
	if old.Name != updated.Name {
		refuse("name", "can't change")
	}
	if old.Type != updated.Type {
		refuse("type", "can't change; retire this attribute and define another one")
	}
	if old.Personal && !updated.Personal {
		refuse("personal", "what is personal stays so")
	}
	return apperr.Invalid(broken...)
}

func toProto(r *record.Record[Row]) *crmv1.AttributeDefinition {
	return &crmv1.AttributeDefinition{
		AttributeDefinitionId: r.ID, Key: r.Key(), Name: r.Row.Name, Title: r.Row.Title, Description: r.Row.Description,
		Type:      record.EnumValue[crmv1.AttributeType](r.Row.Type),
		AppliesTo: record.EnumValue[crmv1.AttributeAppliesTo](r.Row.AppliesTo), AllowedValues: r.Row.AllowedValues,
		Required: r.Row.Required, Searchable: r.Row.Searchable, Personal: r.Row.Personal, Minimum: r.Row.Minimum,
		Maximum: r.Row.Maximum, Pattern: r.Row.Pattern, Retired: r.Row.Retired, Version: r.Version, Etag: r.Etag(),
		CreateTime: timestamppb.New(r.CreatedAt), UpdateTime: timestamppb.New(r.UpdatedAt),
	}
}

func event(r *record.Record[Row], c *eventsv1.Change) {
	c.Payload = &eventsv1.Change_AttributeDefinition{AttributeDefinition: &eventsv1.AttributeDefinitionState{
		Name: r.Row.Name, Title: r.Row.Title, Type: r.Row.Type, AppliesTo: r.Row.AppliesTo, AllowedValues: r.Row.AllowedValues,
		Required: r.Row.Required, Personal: r.Row.Personal, Retired: r.Row.Retired,
	}}
}
