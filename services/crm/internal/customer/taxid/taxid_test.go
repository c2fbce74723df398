package taxid

import (
	"errors"
	"maps"
	"slices"
	"testing"
)

func TestNormal(t *testing.T) {
	t.Parallel()
	cases := []struct {
		country, number, want string
		err                   error
	}{
		{"CZ", "CZ 45244782", "45244782", nil}, // published by a bank
		{"CZ", "45244783", "", ErrCheck},
		{"CZ", "736028/5163", "7360285163", nil},
		{"CZ", "7360285164", "", ErrCheck},
		{"CZ", "320101/123", "320101123", nil}, // before 1954: no check digit
		{"CZ", "1234", "", ErrCheck},
		{"SK", "SK2020317068", "2020317068", nil},
		{"PL", "526-025-09-95", "5260250995", nil},
		{"PL", "5260250996", "", ErrCheck},
		{"PL", "44051401359", "44051401359", nil},
		{"UA", "14360570", "14360570", nil}, // published by a bank
		{"UA", "32855961", "32855961", nil},
		{"UA", "14360571", "", ErrCheck},
		{"UA", "1759013776", "1759013776", nil},
		{"UA", "1759013777", "", ErrCheck},
		{"RU", "7707083893", "7707083893", nil}, // published by a bank
		{"RU", "7707083894", "", ErrCheck},
		{"RU", "500100732259", "500100732259", nil},
		{"RU", "500100732258", "", ErrCheck},
		{"DE", "DE 811 193 231", "811193231", nil},
		{"US", "12-3456789", "123456789", nil},
		{"GB", "GD001", "GD001", nil},
		{"US", "12_34", "", ErrForm},
		{"US", "-- ", "", ErrForm},
		{"US", "123456789012345678901", "", ErrForm},
	}
	for _, c := range cases {
		got, err := Normal(c.country, c.number)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s %s is %q, %v; want %q, %v", c.country, c.number, got, err, c.want, c.err)
		}
	}
}

// FuzzNormal holds that the one form stays what it is.
func FuzzNormal(f *testing.F) {
	countries := slices.Sorted(maps.Keys(rules))
	countries = append(countries, "DE") // one without rules
	f.Add(byte(0), "CZ45244782")
	f.Add(byte(4), "1759013776")
	f.Fuzz(func(t *testing.T, one byte, number string) {
		country := countries[int(one)%len(countries)]
		once, err := Normal(country, number)
		if err != nil {
			return
		}
		if again, err := Normal(country, once); err != nil || again != once {
			t.Errorf("%s %q becomes %q, and that %q, %v", country, number, once, again, err)
		}
	})
}
