package fact

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/money"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
)

// Ranges of ClickHouse's types: Date32, Date, DateTime64(6).
var (
	date32Min = day(1900, time.January, 1)
	date32Max = day(2299, time.December, 31)
	dateMin   = day(1970, time.January, 1)
	dateMax   = day(2149, time.June, 6)
	timeMin   = date32Min
	timeMax   = date32Max
)

const (
	moneyDigits  = 38
	moneyScale   = money.Scale
	marginDigits = 18
	marginScale  = 8
)

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

// fields reads the fields of one payload and keeps the first fault, so that a decoder reads like a list of columns.
type fields struct {
	prefix string
	err    error
}

func (f *fields) fail(name, format string, args ...any) {
	if f.err == nil {
		f.err = invalid(f.prefix+"."+name, format, args...)
	}
}

// fault returns the first fault. It is a call and not the field, because in "return row{f.day(…)}, f.fault()" Go
// orders calls from left to right but leaves the moment of reading a variable open.
func (f *fields) fault() error { return f.err }

// ref reads the id of another record, 0 when there is none, or another number that is never negative.
func (f *fields) ref(name string, id int64) uint64 {
	if id < 0 {
		f.fail(name, "must not be negative, is %d", id)
		return 0
	}
	return uint64(id)
}

// need reads the id of another record that must be there.
func (f *fields) need(name string, id int64) uint64 {
	if id <= 0 {
		f.fail(name, "must be positive, is %d", id)
		return 0
	}
	return uint64(id)
}

// count reads a number that must not be negative.
func (f *fields) count(name string, n int32) uint32 {
	if n < 0 {
		f.fail(name, "must not be negative, is %d", n)
		return 0
	}
	return uint32(n)
}

// day reads an optional day. A day that Date32 can't hold becomes the nearest it can: "for ever" is often written as
// 9999-12-31, and a company may be older than 1900.
func (f *fields) day(name, text string) *time.Time {
	if text == "" {
		return nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		f.fail(name, "%q is not a day like 2006-01-02", text)
		return nil
	}
	switch {
	case t.Before(date32Min):
		t = date32Min
	case t.After(date32Max):
		t = date32Max
	}
	return &t
}

// businessDay reads a day that must be there and fit the type Date: partitions and windows hang on it.
func (f *fields) businessDay(name, text string) time.Time {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		f.fail(name, "%q is not a day like 2006-01-02", text)
		return time.Time{}
	}
	if t.Before(dateMin) || t.After(dateMax) {
		f.fail(name, "%s is out of range, 1970-01-01 to 2149-06-06", text)
		return time.Time{}
	}
	return t
}

// time reads an optional point in time.
func (f *fields) time(name string, at *timestamppb.Timestamp) *time.Time {
	if at == nil {
		return nil
	}
	t := at.AsTime()
	if !at.IsValid() || t.Before(timeMin) || t.After(timeMax) {
		f.fail(name, "is not a point in time between 1900 and 2299")
		return nil
	}
	return &t
}

// decimal reads an optional exact number.
func (f *fields) decimal(name, text string, digits, scale int) *decimal.Decimal {
	if text == "" {
		return nil
	}
	value, err := parseDecimal(text, digits, scale)
	if err != nil {
		f.fail(name, "%v", err)
		return nil
	}
	return &value
}

// money reads an exact number that must be there.
func (f *fields) money(name, text string) decimal.Decimal {
	value, err := parseDecimal(text, moneyDigits, moneyScale)
	if err != nil {
		f.fail(name, "%v", err)
	}
	return value
}

// currency reads an ISO 4217 code that must be there.
func (f *fields) currency(name, code string) string {
	if err := money.CheckCurrency(code); err != nil {
		f.fail(name, "%v", err)
	}
	return code
}

// amount reads optional money: its value, nil when there is none, and its currency.
func (f *fields) amount(name string, a *eventsv1.Amount) (*decimal.Decimal, string) {
	if a == nil {
		return nil, ""
	}
	value := f.money(name+".value", a.GetValue())
	return &value, f.currency(name+".currency", a.GetCurrency())
}

// oneOf reads a word that decides how numbers are summed.
func (f *fields) oneOf(name, word string, words ...string) string {
	if slices.Contains(words, word) {
		return word
	}
	f.fail(name, "%q is not one of %s", word, strings.Join(words, ", "))
	return ""
}

// parseDecimal reads a plain decimal such as "-12.30" that fits Decimal(digits, scale). Exponents are refused: a short
// text must not become a number of a million digits.
func parseDecimal(text string, digits, scale int) (decimal.Decimal, error) {
	unsigned := strings.TrimPrefix(text, "-")
	whole, fraction, point := strings.Cut(unsigned, ".")
	if !onlyDigits(whole) || (point && !onlyDigits(fraction)) {
		return decimal.Decimal{}, fmt.Errorf("%q is not a decimal", clip(text))
	}
	whole, fraction = strings.TrimLeft(whole, "0"), strings.TrimRight(fraction, "0")
	if len(whole) > digits-scale {
		return decimal.Decimal{}, fmt.Errorf("%s has more than %d digits before the point", clip(text), digits-scale)
	}
	if len(fraction) > scale {
		return decimal.Decimal{}, fmt.Errorf("%s has more than %d decimal places", clip(text), scale)
	}
	const fastDigits = 18 // fit an int64
	if len(whole)+len(fraction) <= fastDigits {
		n, err := strconv.ParseInt("0"+whole+fraction, 10, 64)
		if err != nil {
			return decimal.Decimal{}, fmt.Errorf("%q is not a decimal", clip(text))
		}
		if strings.HasPrefix(text, "-") {
			n = -n
		}
		return decimal.New(n, -int32(len(fraction))), nil //nolint:gosec // at most 18
	}
	return decimal.NewFromString(text)
}

func onlyDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// clip keeps reasons short whatever a message holds.
func clip(s string) string {
	const runesMax = 60
	if runes := []rune(s); len(runes) > runesMax {
		return string(runes[:runesMax]) + "…"
	}
	return s
}
