// Package money turns google.type.Money into exact decimals and back. Amounts are never floats.
package money

import (
	"errors"
	"fmt"

	"github.com/shopspring/decimal"
	"golang.org/x/text/currency"
	"google.golang.org/genproto/googleapis/type/money"
)

// Scale is the most decimal places that an amount may have; it is the scale of every money column.
const Scale = 4

const nanosPerUnit = 1_000_000_000

var (
	// ErrCurrency is returned for a code that is not in ISO 4217.
	ErrCurrency = errors.New("is not an ISO 4217 currency")
	// ErrSigns is returned when units and nanos have different signs.
	ErrSigns = errors.New("units and nanos must have the same sign, and nanos stay below one unit")
	// ErrScale is returned for an amount with more than Scale decimal places.
	ErrScale = fmt.Errorf("must have at most %d decimal places", Scale)
)

// CheckCurrency verifies an ISO 4217 code in capitals.
func CheckCurrency(code string) error {
	unit, err := currency.ParseISO(code)
	if err != nil || unit.String() != code || code == "XXX" {
		return fmt.Errorf("%q %w", code, ErrCurrency)
	}
	return nil
}

// Places is how many decimal places amounts of a currency have in payments (ISO 4217): 2 for CZK, 0 for JPY. A code that
// is not known has 2.
func Places(code string) int32 {
	unit, err := currency.ParseISO(code)
	if err != nil {
		return 2
	}
	scale, _ := currency.Standard.Rounding(unit)
	return int32(scale) //nolint:gosec // at most 4
}

// Decimal checks an amount and returns its value; its currency is m.CurrencyCode.
func Decimal(m *money.Money) (decimal.Decimal, error) {
	if err := CheckCurrency(m.GetCurrencyCode()); err != nil {
		return decimal.Zero, err
	}
	units, nanos := m.GetUnits(), m.GetNanos()
	if nanos <= -nanosPerUnit || nanos >= nanosPerUnit || (units > 0 && nanos < 0) || (units < 0 && nanos > 0) {
		return decimal.Zero, ErrSigns
	}
	value := decimal.New(units, 0).Add(decimal.New(int64(nanos), -9))
	if !value.Equal(value.Truncate(Scale)) {
		return decimal.Zero, ErrScale
	}
	return value, nil
}

// Proto renders a value in a currency.
func Proto(value decimal.Decimal, currencyCode string) *money.Money {
	units := value.IntPart()
	nanos := value.Sub(decimal.New(units, 0)).Shift(9).IntPart()
	return &money.Money{CurrencyCode: currencyCode, Units: units, Nanos: int32(nanos)} //nolint:gosec // |nanos| < 1e9
}
