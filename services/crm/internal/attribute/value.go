package attribute

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"tandem.bank/pkg/date"
	"tandem.bank/pkg/money"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/record"
)

// Value is the value of an attribute as the column keeps it, under the name of its type. One without a value takes the
// attribute away.
type Value struct {
	Text    *string  `json:"text,omitempty"`
	Integer *int64   `json:"integer,omitempty"`
	Decimal *string  `json:"decimal,omitempty"`
	Boolean *bool    `json:"boolean,omitempty"`
	Date    *string  `json:"date,omitempty"`
	Option  *string  `json:"option,omitempty"`
	Options []string `json:"options,omitempty"`
	Money   *Amount  `json:"money,omitempty"`
}

// Amount is money.
type Amount struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

// Values are those of one customer, by name.
type Values map[string]Value

func (v Value) empty() bool { return reflect.ValueOf(v).IsZero() }

// typeName is the name of the type that the value has.
func (v Value) typeName() string {
	fields := reflect.ValueOf(v)
	for i := range fields.NumField() {
		if !fields.Field(i).IsZero() {
			return typeNames[i]
		}
	}
	return ""
}

// typeNames are the types in the order of Value's fields.
var typeNames = []string{typeText, typeInteger, typeDecimal, typeBoolean, typeDate, typeOption, typeOptions, typeMoney}

func path(name string) string { return fmt.Sprintf("attributes[%q]", name) }

// Read reads the values of a message, without a look at their definitions.
func Read(in *record.Reader, values map[string]*crmv1.AttributeValue) Values {
	if len(values) == 0 {
		return nil
	}
	out := Values{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		out[name] = read(in, path(name), values[name])
	}
	return out
}

func read(in *record.Reader, field string, value *crmv1.AttributeValue) (out Value) {
	switch v := value.GetValue().(type) {
	case *crmv1.AttributeValue_Text:
		out.Text = &v.Text
	case *crmv1.AttributeValue_Integer:
		out.Integer = &v.Integer
	case *crmv1.AttributeValue_Decimal:
		text := record.DecimalText(in.Decimal(field+".decimal", v.Decimal))
		out.Decimal = &text
	case *crmv1.AttributeValue_Boolean:
		out.Boolean = &v.Boolean
	case *crmv1.AttributeValue_Date:
		text := record.DateText(in.Date(field+".date", v.Date))
		out.Date = &text
	case *crmv1.AttributeValue_Option:
		out.Option = &v.Option
	case *crmv1.AttributeValue_Options:
		out.Options = slices.Sorted(slices.Values(v.Options.GetValues()))
	case *crmv1.AttributeValue_Money:
		amount, currency := in.Money(field+".money", v.Money)
		out.Money = &Amount{Amount: amount.Decimal.String(), Currency: currency}
	}
	return out
}

// Proto renders values.
func (values Values) Proto() map[string]*crmv1.AttributeValue {
	if len(values) == 0 {
		return nil
	}
	out := make(map[string]*crmv1.AttributeValue, len(values))
	for name, v := range values {
		out[name] = v.proto()
	}
	return out
}

func (v Value) proto() *crmv1.AttributeValue {
	out := &crmv1.AttributeValue{}
	switch {
	case v.Text != nil:
		out.Value = &crmv1.AttributeValue_Text{Text: *v.Text}
	case v.Integer != nil:
		out.Value = &crmv1.AttributeValue_Integer{Integer: *v.Integer}
	case v.Decimal != nil:
		out.Value = &crmv1.AttributeValue_Decimal{Decimal: *v.Decimal}
	case v.Boolean != nil:
		out.Value = &crmv1.AttributeValue_Boolean{Boolean: *v.Boolean}
	case v.Date != nil:
		if t, err := time.Parse(time.DateOnly, *v.Date); err == nil {
			out.Value = &crmv1.AttributeValue_Date{Date: date.Proto(t)}
		}
	case v.Option != nil:
		out.Value = &crmv1.AttributeValue_Option{Option: *v.Option}
	case v.Options != nil:
		out.Value = &crmv1.AttributeValue_Options{Options: &crmv1.AttributeOptions{Values: v.Options}}
	case v.Money != nil:
		if amount, err := decimal.NewFromString(v.Money.Amount); err == nil {
			out.Value = &crmv1.AttributeValue_Money{Money: money.Proto(amount, v.Money.Currency)}
		}
	}
	return out
}

func (v Value) state() *eventsv1.AttributeState {
	out := &eventsv1.AttributeState{}
	switch {
	case v.Text != nil:
		out.Value = &eventsv1.AttributeState_Text{Text: *v.Text}
	case v.Integer != nil:
		out.Value = &eventsv1.AttributeState_Integer{Integer: *v.Integer}
	case v.Decimal != nil:
		out.Value = &eventsv1.AttributeState_Decimal{Decimal: *v.Decimal}
	case v.Boolean != nil:
		out.Value = &eventsv1.AttributeState_Boolean{Boolean: *v.Boolean}
	case v.Date != nil:
		out.Value = &eventsv1.AttributeState_Date{Date: *v.Date}
	case v.Option != nil:
		out.Value = &eventsv1.AttributeState_Option{Option: *v.Option}
	case v.Options != nil:
		out.Value = &eventsv1.AttributeState_Options{Options: &eventsv1.AttributeOptionsState{Values: v.Options}}
	case v.Money != nil:
		out.Value = &eventsv1.AttributeState_Money{Money: &eventsv1.Amount{Currency: v.Money.Currency, Value: v.Money.Amount}}
	}
	return out
}

// Searched is what of a value the search looks at, as people would type it: texts, options, whole numbers and days. The
// other types are for filters: nobody is looked up by "yes" or by an amount.
func (v Value) Searched() []string {
	switch {
	case v.Text != nil:
		return []string{*v.Text}
	case v.Integer != nil:
		return []string{strconv.FormatInt(*v.Integer, 10)}
	case v.Date != nil:
		return []string{*v.Date}
	case v.Option != nil:
		return []string{*v.Option}
	default:
		return v.Options
	}
}
