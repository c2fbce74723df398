package account

import (
	"errors"
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
