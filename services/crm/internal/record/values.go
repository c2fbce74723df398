package record

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"
	datepb "google.golang.org/genproto/googleapis/type/date"
	moneypb "google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	"tandem.bank/pkg/money"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
)

// Reader reads the fields of a message into columns and collects what is wrong with them.
type Reader struct {
	// Violations found so far, with paths that start at the message.
	Violations []apperr.Violation
}

// Err is what is wrong, nil when nothing is.
func (r *Reader) Err() error { return apperr.Invalid(r.Violations...) }

// Refuse notes a broken field.
func (r *Reader) Refuse(field, description string) {
	r.Violations = append(r.Violations, apperr.Violation{Field: field, Description: description})
}

// Date reads a day; an unset one is null.
func (r *Reader) Date(field string, d *datepb.Date) pgtype.Date {
	t, err := date.Time(d)
	if err != nil {
		r.Refuse(field, err.Error())
	}
	return pgtype.Date{Time: t, Valid: d != nil && err == nil}
}

// NotBefore refuses a day that lies before another one; what is not set can't be wrong.
func (r *Reader) NotBefore(field string, day pgtype.Date, earlierField string, earlier pgtype.Date) {
	if day.Valid && earlier.Valid && day.Time.Before(earlier.Time) {
		r.Refuse(field, "must not be before "+earlierField)
	}
}

// Need refuses a message that names a record it can't do without neither by id nor by key.
func (r *Reader) Need(field string, id int64, key *crmv1.ExternalKey) {
	if id == 0 && key == nil {
		r.Refuse(field, "is required; or set "+strings.TrimSuffix(field, "_id")+"_key")
	}
}

// Money reads an amount into its two columns; an unset one is null.
func (r *Reader) Money(field string, m *moneypb.Money) (decimal.NullDecimal, string) {
	if m == nil {
		return decimal.NullDecimal{}, ""
	}
	value, err := money.Decimal(m)
	if err != nil {
		r.Refuse(field, err.Error())
	}
	return decimal.NullDecimal{Decimal: value, Valid: err == nil}, m.GetCurrencyCode()
}

// Currency checks an ISO 4217 code; an empty one is left to the proto's rules.
func (r *Reader) Currency(field, code string) string {
	if code != "" {
		if err := money.CheckCurrency(code); err != nil {
			r.Refuse(field, err.Error())
		}
	}
	return code
}

// Decimal reads an optional decimal in text, whose form the proto's own rules check.
func (r *Reader) Decimal(field, text string) decimal.NullDecimal {
	if text == "" {
		return decimal.NullDecimal{}
	}
	value, err := decimal.NewFromString(text)
	if err != nil {
		r.Refuse(field, "is not a decimal number")
	}
	return decimal.NullDecimal{Decimal: value, Valid: err == nil}
}

// The warehouse keeps instants of these years; a year outside them is a slip of a source system.
const (
	yearMin = 1970
	yearMax = 2261
)

// Time reads an instant at the precision that Postgres keeps; an unset one is null.
func (r *Reader) Time(field string, ts *timestamppb.Timestamp) *time.Time {
	if ts == nil {
		return nil
	}
	if err := ts.CheckValid(); err != nil {
		r.Refuse(field, "is not a valid time")
	} else if year := ts.AsTime().Year(); year < yearMin || year > yearMax {
		r.Refuse(field, fmt.Sprintf("must lie in the years %d to %d", yearMin, yearMax))
	}
	t := ts.AsTime().Truncate(time.Microsecond)
	return &t
}

// DateProto renders a day; null is unset.
func DateProto(d pgtype.Date) *datepb.Date {
	if !d.Valid {
		return nil
	}
	return date.Proto(d.Time)
}

// DateText renders a day for an event; null is empty.
func DateText(d pgtype.Date) string {
	if !d.Valid {
		return ""
	}
	return date.Text(d.Time)
}

// MoneyProto renders an amount; null is unset.
func MoneyProto(value decimal.NullDecimal, currency string) *moneypb.Money {
	if !value.Valid {
		return nil
	}
	return money.Proto(value.Decimal, currency)
}

// Amount renders an amount for an event; null is unset.
func Amount(value decimal.NullDecimal, currency string) *eventsv1.Amount {
	if !value.Valid {
		return nil
	}
	return &eventsv1.Amount{Currency: currency, Value: value.Decimal.String()}
}

// DecimalText renders a decimal; null is empty.
func DecimalText(value decimal.NullDecimal) string {
	if !value.Valid {
		return ""
	}
	return value.Decimal.String()
}

// TimeProto renders an instant; null is unset.
func TimeProto(t *time.Time) *timestamppb.Timestamp {
	if t == nil {
		return nil
	}
	return timestamppb.New(*t)
}

// Value returns what a pointer points to, or the zero value.
func Value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// Enum is a generated enum.
type Enum interface {
	~int32
	Descriptor() protoreflect.EnumDescriptor
	Number() protoreflect.EnumNumber
}

// EnumText is the short name of an enum value in lower case, as columns and events keep it: CARD_STATE_ACTIVE is
// "active". The zero value is empty. Values that are not defined, which the proto's own rules refuse, are empty too.
func EnumText[E Enum](e E) string {
	if e == 0 {
		return "" // most are
	}
	return namesOf(e.Descriptor()).texts[e.Number()]
}

// EnumValue is the inverse of EnumText.
func EnumValue[E Enum](text string) E {
	var e E
	if text == "" {
		return e // most are
	}
	return E(namesOf(e.Descriptor()).numbers[text])
}

// enumNames are the short names of an enum both ways.
type enumNames struct {
	texts   map[protoreflect.EnumNumber]string
	numbers map[string]protoreflect.EnumNumber
}

// knownNames keeps the names of each enum: rows are turned into messages and back by them.
var knownNames sync.Map // of *enumNames by the full name of the enum

func namesOf(d protoreflect.EnumDescriptor) *enumNames {
	if known, ok := knownNames.Load(d.FullName()); ok {
		return known.(*enumNames) //nolint:forcetypeassert // nothing else is stored
	}
	names := &enumNames{texts: map[protoreflect.EnumNumber]string{}, numbers: map[string]protoreflect.EnumNumber{}}
	prefix := enumPrefix(d)
	for i := range d.Values().Len() {
		value := d.Values().Get(i)
		if value.Number() != 0 {
			text := strings.ToLower(strings.TrimPrefix(string(value.Name()), prefix))
			names.texts[value.Number()], names.numbers[text] = text, value.Number()
		}
	}
	knownNames.Store(d.FullName(), names)
	return names
}

// EnumTexts are the short names of all values but the zero one, for filters.
func EnumTexts[E Enum]() []string {
	var e E
	values := e.Descriptor().Values()
	var out []string
	for i := range values.Len() {
		if values.Get(i).Number() != 0 {
			out = append(out, EnumText(E(values.Get(i).Number())))
		}
	}
	return out
}

func enumPrefix(d protoreflect.EnumDescriptor) string {
	zero := string(d.Values().ByNumber(0).Name())
	return strings.TrimSuffix(zero, "UNSPECIFIED")
}
