package fact

import (
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

func TestParseDecimal(t *testing.T) {
	t.Parallel()
	good := map[string]string{
		"0": "0", "-0": "0", "007": "7", "12.30": "12.3", "-12.3456": "-12.3456", "1.50000000000": "1.5", "-0.0001": "-0.0001",
		strings.Repeat("9", 34) + ".9999": strings.Repeat("9", 34) + ".9999",
		"-123456789012345678":             "-123456789012345678",
		"1234567890123456789":             "1234567890123456789",
	}
	for text, want := range good {
		if got, err := parseDecimal(text, moneyDigits, moneyScale); err != nil || got.String() != want {
			t.Errorf("parseDecimal(%q) = %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-", ".", "1.", ".5", "+1", "--1", "1e5", "1E400000000", "1,5", " 1", "0x1", "NaN", "١", strings.Repeat("9", 35), "1.00001"} {
		if got, err := parseDecimal(text, moneyDigits, moneyScale); err == nil {
			t.Errorf("parseDecimal(%q) = %s", text, got)
		}
	}
}

func FuzzParseDecimal(f *testing.F) {
	f.Add("-12.30")
	f.Add("99999999999999999999.9999")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseDecimal(text, moneyDigits, moneyScale)
		if err != nil {
			return
		}
		if want, err := decimal.NewFromString(text); err != nil || !got.Equal(want) {
			t.Errorf("parseDecimal(%q) = %s, want %s (%v)", text, got, want, err)
		}
	})
}
