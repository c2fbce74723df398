package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
)

// pages reads a list to its end and returns the external ids in its order.
func (b *bank) pages(t *testing.T, k kind, size int32, filter string, between func(page int)) []string {
	t.Helper()
	var seen []string
	token := ""
	for page := 1; ; page++ {
		records, next, err := b.list(t.Context(), k, size, token, filter)
		if err != nil {
			t.Fatal(err)
		}
		if len(records) > int(size) || (len(records) < int(size) && next != "") {
			t.Errorf("page %d has %d rows, and %q follows", page, len(records), next)
		}
		for _, r := range records {
			seen = append(seen, get(get(r, "key").Message().Interface(), "external_id").String())
		}
		if next == "" {
			return seen
		}
		token = next
		if between != nil {
			between(page)
		}
	}
}

func testListPages(t *testing.T, b *bank, k kind) {
	const rows = 25
	samples, want := make([]proto.Message, rows), make([]string, rows)
	for i := range samples {
		samples[i], want[i] = k.record(i), fmt.Sprint(i)
	}
	b.upsert(t, k, samples...)
	if k.name == "interaction" { // newest first, and of two at the same time the later number first
		slices.Reverse(want)
	}
	for _, size := range []int32{1, 7, rows, 1000} {
		if got := b.pages(t, k, size, k.mine(), nil); !slices.Equal(got, want) {
			t.Errorf("pages of %d give %v", size, got)
		}
	}
	if k.edited == "" {
		return
	}
	// Writing between pages neither repeats a row nor loses one that was there all the time.
	got := b.pages(t, k, 7, k.mine(), func(page int) {
		b.upsert(t, k, edit(samples[0], k.edited, other(k, page)), edit(samples[rows-1], k.edited, other(k, page)))
	})
	if !slices.Equal(got, want) {
		t.Errorf("pages with changes between them give %v", got)
	}
}

func testListRefuses(t *testing.T, b *bank, k kind) {
	b.upsert(t, k, k.record(1), k.record(2), k.record(3))
	_, token, err := b.list(t.Context(), k, 1, "", k.mine())
	if err != nil || token == "" {
		t.Fatalf("first page: token %q, %v", token, err)
	}
	badToken := refusal{codes.InvalidArgument, apperr.ReasonInvalidField, "page_token"}
	_, _, err = b.list(t.Context(), k, 1, token, `key.source = "other"`)
	badToken.check(t, err)
	_, _, err = b.list(t.Context(), k, 1, "garbage", k.mine())
	badToken.check(t, err)
	_, _, err = b.list(t.Context(), k, 1001, "", "")
	refusal{codes.InvalidArgument, apperr.ReasonInvalidField, "page_size"}.check(t, err)

	badFilter := refusal{codes.InvalidArgument, apperr.ReasonInvalidField, "filter"}
	for _, filter := range []string{`key.sorce = "test"`, `key.source = `, `key.source`, k.name + `_id = "x"`, `content_hash = "x"`} {
		_, _, err = b.list(t.Context(), k, 1, "", filter)
		badFilter.check(t, err)
	}
	const deep = 51 // levels, one more than a filter may have
	const simple = `key.source = "x"`
	for _, filter := range []string{
		strings.Repeat("(", deep) + simple + strings.Repeat(")", deep), strings.Repeat("NOT ", deep) + simple, simple + strings.Repeat(" OR "+simple, 300),
	} {
		_, _, err = b.list(t.Context(), k, 1, "", filter)
		badFilter.check(t, err)
	}
	_, _, err = b.list(t.Context(), k, 1, "", `key.sorce = "test"`)
	if err == nil || !strings.Contains(err.Error(), `did you mean "key.source"`) {
		t.Errorf("an unknown field is answered with %v", err)
	}
	one := b.pages(t, k, 10, k.mine()+` AND key.external_id = "2"`, nil)
	if !slices.Equal(one, []string{"2"}) {
		t.Errorf("the filter gives %v", one)
	}
	if none := b.pages(t, k, 10, `key.source = "' OR true --"`, nil); len(none) != 0 {
		t.Errorf("a hostile literal gives %v", none)
	}
}
