package account

import (
	"errors"
	"strings"
	"testing"
)

func TestReadNumber(t *testing.T) {
	t.Parallel()
	// The IBANs are the examples of the ISO 13616 registry.
	cases := []struct {
		text, want string
		err        error
	}{
		{"", "", nil},
		{"  ", "", nil},
		{"CZ6508000000192000145399", "CZ6508000000192000145399", nil},
		{"cz65 0800 0000 1920 0014 5399", "CZ6508000000192000145399", nil},
		{"GB29 NWBK 6016 1331 9268 19", "GB29NWBK60161331926819", nil},
		{"NO9386011117947", "NO9386011117947", nil},
		{"MT84MALT011000012345MTLCAST001S", "MT84MALT011000012345MTLCAST001S", nil},
		{"CZ6508000000192000145398", "", errIBANCheck},
		{"CZ5608000000192000145399", "", errIBANCheck},
		{"UA21 3223 1300 0002 6007 2335 6600 1", "UA213223130000026007233566001", nil},
		{"UA21322313000002600723356600", "", errIBANLength},
		{"DE89370400440532013000", "DE89370400440532013000", nil},
		{"DE8937040044053201300", "", errIBANLength},
		{"ZZ00123", "", errIBANLength},
		{"ZZ68TEST0123456789", "", errIBANCheck},
		{"19-2000145398/0800", "", errCzechCheck},
		{"18-2000145399/0800", "", errCzechCheck},
		{"2000145399/0800", "2000145399/0800", nil},
		{"000019-2000145399/0800", "000019-2000145399/0800", nil},
		{"2000145399/800", "2000145399/800", nil},
		{"CZ65 0800 0000", "", errIBANLength},
		{"CZ65080000001920001453990800000019200", "", errIBANLength},
		{"19-2000145399/0800", "19-2000145399/0800", nil},
		{"1787", "1787", nil},
		{"12 345.6", "12 345.6", nil},
		{"/0800", "", errNumber},
		{"12;34", "", errNumber},
		{"účet 7", "", errNumber},
	}
	for _, c := range cases {
		got, err := readNumber(c.text)
		if !errors.Is(err, c.err) || (c.err == nil && got != c.want) {
			t.Errorf("readNumber(%q) = %q, %v; want %q, %v", c.text, got, err, c.want, c.err)
		}
	}
}

func FuzzReadNumber(f *testing.F) {
	f.Add("cz65 0800 0000 1920 0014 5399")
	f.Add("19-2000145399/0800")
	f.Fuzz(func(t *testing.T, text string) {
		once, err := readNumber(text)
		if err != nil {
			return
		}
		if twice, err := readNumber(once); err != nil || twice != once {
			t.Fatalf("%q became %q, and that %q (%v)", text, once, twice, err)
		}
	})
}

// Every length of the registry lies within the bounds of the standard, and each example of the right length passes.
func TestLengths(t *testing.T) {
	t.Parallel()
	if len(ibanLengths) != 89 {
		t.Errorf("the registry has %d countries", len(ibanLengths))
	}
	for country, length := range ibanLengths {
		if length < ibanLengthMin || length > ibanLengthMax {
			t.Errorf("%s: %d", country, length)
		}
		if err := checkLength(country + strings.Repeat("0", length-2)); err != nil {
			t.Error(err)
		}
		if err := checkLength(country + strings.Repeat("0", length-1)); !errors.Is(err, errIBANLength) {
			t.Errorf("%s with %d characters: %v", country, length+1, err)
		}
	}
}
