package fact

import (
	"fmt"
	"strconv"

	"github.com/shopspring/decimal"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

// Decimals of attributes as crm accepts them.
const (
	attributeDigits = 38
	attributeScale  = 8
)

type attributeDefinition struct {
	record
	name, title, kind, appliesTo string
	allowedValues                []string
	required, personal, retired  uint8
}

var attributeDefinitionTable = warehouse.NewTable("attribute_definition",
	with("attribute_definition_id", func(r *attributeDefinition) *record { return &r.record },
		warehouse.Col("name", func(r *attributeDefinition) string { return r.name }),
		warehouse.Col("title", func(r *attributeDefinition) string { return r.title }),
		warehouse.Col("type", func(r *attributeDefinition) string { return r.kind }),
		warehouse.Col("applies_to", func(r *attributeDefinition) string { return r.appliesTo }),
		warehouse.Col("allowed_values", func(r *attributeDefinition) []string { return r.allowedValues }),
		warehouse.Col("required", func(r *attributeDefinition) uint8 { return r.required }),
		warehouse.Col("personal", func(r *attributeDefinition) uint8 { return r.personal }),
		warehouse.Col("retired", func(r *attributeDefinition) uint8 { return r.retired }),
	)...)

func attributeDefinitionOf(rec record, s *eventsv1.AttributeDefinitionState) (attributeDefinition, error) {
	return attributeDefinition{
		record: rec, name: s.GetName(), title: s.GetTitle(), kind: s.GetType(), appliesTo: s.GetAppliesTo(),
		allowedValues: s.GetAllowedValues(), required: flag(s.GetRequired()), personal: flag(s.GetPersonal()), retired: flag(s.GetRetired()),
	}, nil
}

func flag(on bool) uint8 {
	if on {
		return 1
	}
	return 0
}

// attributes are the values of a customer, apart by how they are computed with.
type attributes struct {
	texts   map[string]string
	numbers map[string]decimal.Decimal
	options map[string][]string
}

func (f *fields) attributes(values map[string]*eventsv1.AttributeState) attributes {
	out := attributes{texts: map[string]string{}, numbers: map[string]decimal.Decimal{}, options: map[string][]string{}}
	for name, value := range values {
		field := fmt.Sprintf("attributes[%q]", clip(name))
		switch v := value.GetValue().(type) {
		case *eventsv1.AttributeState_Text:
			out.texts[name] = v.Text
		case *eventsv1.AttributeState_Option:
			out.texts[name] = v.Option
		case *eventsv1.AttributeState_Boolean:
			out.texts[name] = strconv.FormatBool(v.Boolean)
		case *eventsv1.AttributeState_Date:
			f.day(field, v.Date)
			out.texts[name] = v.Date
		case *eventsv1.AttributeState_Integer:
			out.numbers[name] = decimal.NewFromInt(v.Integer)
		case *eventsv1.AttributeState_Decimal:
			out.number(name, f.decimal(field, v.Decimal, attributeDigits, attributeScale))
		case *eventsv1.AttributeState_Money:
			amount, _ := f.amount(field, v.Money)
			out.number(name, amount)
		case *eventsv1.AttributeState_Options:
			out.options[name] = v.Options.GetValues()
		}
	}
	return out
}

func (a *attributes) number(name string, value *decimal.Decimal) {
	if value != nil {
		a.numbers[name] = *value
	}
}
