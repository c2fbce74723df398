package page_test

import (
	"testing"

	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/page"
)

func TestTokenBelongsToItsRequest(t *testing.T) {
	t.Parallel()
	token, err := page.Encode(int64(42), "accounts", `state = "open"`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := page.Decode[int64](token, "accounts", `state = "open"`)
	if err != nil || *got != 42 {
		t.Fatalf("got %v, %v", got, err)
	}
	for _, other := range []string{token + "!", "e30", "%%%"} {
		if _, err := page.Decode[int64](other, "accounts", `state = "open"`); code(err) != codes.InvalidArgument {
			t.Errorf("Decode(%q) = %v", other, err)
		}
	}
	if _, err := page.Decode[int64](token, "accounts", ""); code(err) != codes.InvalidArgument {
		t.Errorf("another filter gave %v", err)
	}
	if first, err := page.Decode[int64](""); first != nil || err != nil {
		t.Errorf("no token gave %v, %v", first, err)
	}
}

func code(err error) codes.Code {
	st, _ := apperr.Public(err)
	return st.Code()
}

func FuzzDecode(f *testing.F) {
	f.Add("eyJmIjoiIiwiayI6MX0")
	f.Fuzz(func(_ *testing.T, s string) { _, _ = page.Decode[int64](s) })
}
