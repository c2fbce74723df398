package check_test

import (
	"testing"

	"google.golang.org/protobuf/types/known/structpb"

	"tandem.bank/pkg/check"
)

func TestHasCardNumber(t *testing.T) {
	t.Parallel()
	cases := map[string]bool{
		"4111111111111111":                true,  // the published test number of Visa
		"pay 4111 1111 1111 1111 please":  true,  // grouped
		"5500-0000-0000-0004":             true,  // the published test number of Mastercard
		"378282246310005":                 true,  // American Express
		"call 12 4111 1111 1111 1111":     true,  // behind other digits
		"4111111111111112":                false, // wrong check digit
		"CZ6508000000192000145399":        false, // an IBAN
		"1234567890123456":                false, // no scheme begins so
		"94111111111111111":               false, // part of a longer number
		"+420 601 123 456":                false,
		"0000000000000000":                false,
		"":                                false,
		"card ending 1111, order 4111111": false,
	}
	for text, want := range cases {
		if got := check.HasCardNumber(text); got != want {
			t.Errorf("HasCardNumber(%q) = %v, want %v", text, got, want)
		}
	}
}

func TestMessageNamesTheField(t *testing.T) {
	t.Parallel()
	m, err := structpb.NewStruct(map[string]any{"note": "4111111111111111"})
	if err != nil {
		t.Fatal(err)
	}
	got := check.Message(m)
	if len(got) != 1 || got[0].Field != `fields["note"].string_value` {
		t.Fatalf("violations = %v", got)
	}
}

func TestMessageKnowsUUIDs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"41111111-1111-4115-a000-0000000000ab": 0, // a UUID by its form
		"41111111-1111-1111-c000-0000000000ab": 1, // of no variant
	} {
		if got := check.Message(structpb.NewStringValue(text)); len(got) != want {
			t.Errorf("%s: violations %v, want %d", text, got, want)
		}
	}
}

func FuzzHasCardNumber(f *testing.F) {
	f.Add("4111 1111-1111 1111")
	f.Fuzz(func(_ *testing.T, s string) { check.HasCardNumber(s) })
}
