package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// fields are what a list can be filtered by: the refusal of an unknown field tells them.
func (b *bank) fields(t *testing.T, k kind) []string {
	t.Helper()
	const unknown = "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
	named := func(name string) []string {
		_, _, err := b.list(t.Context(), k, 1, "", name+" = 1")
		_, listed, ok := strings.Cut(fmt.Sprint(err), "it has ")
		if !ok {
			t.Fatalf("the refusal of %s does not list the fields: %v", name, err)
		}
		return strings.Split(listed, ", ")
	}
	var out []string
	for _, name := range named(unknown) {
		group, many := strings.CutSuffix(name, ".*")
		if !many {
			out = append(out, name)
			continue
		}
		for _, field := range named(group + "." + unknown) {
			if strings.HasPrefix(field, group+".") {
				out = append(out, field)
			}
		}
	}
	return out
}

// listedOtherwise are fields of records that filters know by other names, or that hold what no filter is for.
var listedOtherwise = []string{
	"Customer.contact_points", // phones, emails and addresses
	"Customer.attributes",     // one field for each that is defined
	"Region.indicators",       // for analysis
	"Document.text",           // up to 256 KB each: searched, not filtered
}

// A filter may name every field of a record but those that are only written, and every field of a schema must compile to SQL
// that Postgres takes.
func testListFiltersByEveryField(t *testing.T, b *bank, k kind) {
	b.upsert(t, k, k.record(1))
	known := b.fields(t, k)
	message := k.record(1).ProtoReflect().Descriptor()
	for i := range message.Fields().Len() {
		name := string(message.Fields().Get(i).Name())
		if name == "etag" || strings.HasSuffix(name, "_key") || slices.Contains(listedOtherwise, string(message.Name())+"."+name) {
			continue
		}
		if !slices.ContainsFunc(known, func(field string) bool { return field == name || strings.HasPrefix(field, name+".") }) {
			t.Errorf("no filter knows %s", name)
		}
	}
	for _, field := range known {
		if _, _, err := b.list(t.Context(), k, 1, "", field+":* OR NOT "+field+":*"); err != nil {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// Pages in any order give each row once, and the rows in the order of one large page.
func testListOrdersByEveryField(t *testing.T, b *bank, k kind) {
	const rows = 9
	samples := make([]proto.Message, rows)
	for i := range samples {
		samples[i] = k.record(i)
		if k.edited != "" && i%3 != 0 {
			samples[i] = edit(samples[i], k.edited, other(k, i%2))
		}
	}
	b.upsert(t, k, samples...)
	for _, field := range b.fields(t, k) {
		orders := []string{field, field + " desc"}
		if !strings.HasPrefix(field, "key.") {
			orders = append(orders, field+" desc, key.external_id", "key.source, "+field)
		}
		for _, order := range orders {
			b.checkOrder(t, k, order, rows)
		}
	}
	first, _, err := b.list(t.Context(), k, 1, "", k.mine())
	if err != nil || len(first) != 1 {
		t.Fatal(err)
	}
	bad := refusal{codes.InvalidArgument, apperr.ReasonInvalidField, "order_by"}
	for _, order := range []string{"key.sorce", "key.source down", "key.source, key.source", "content_hash", "key.source; --", ","} {
		_, _, _, err := b.listAs(t.Context(), k, map[string]any{"order_by": order})
		bad.check(t, err)
	}
	_, token, _, err := b.listAs(t.Context(), k, map[string]any{"order_by": "key.external_id", "page_size": int32(1)})
	if err != nil || token == "" {
		t.Fatal(token, err)
	}
	_, _, _, err = b.listAs(t.Context(), k, map[string]any{"order_by": "key.external_id desc", "page_token": token})
	refusal{codes.InvalidArgument, apperr.ReasonInvalidField, "page_token"}.check(t, err)
}

func (b *bank) checkOrder(t *testing.T, k kind, order string, rows int) {
	t.Helper()
	whole, _, _, err := b.listAs(t.Context(), k, map[string]any{"order_by": order, "filter": k.mine()})
	if err != nil {
		if strings.Contains(err.Error(), "may have many values") {
			return
		}
		t.Fatalf("%s: %v", order, err)
	}
	var paged []proto.Message
	for token := ""; ; {
		records, next, _, err := b.listAs(t.Context(), k, map[string]any{"order_by": order, "filter": k.mine(), "page_size": int32(2), "page_token": token})
		if err != nil {
			t.Fatalf("%s: %v", order, err)
		}
		paged = append(paged, records...)
		if token = next; token == "" {
			break
		}
	}
	ids := func(of []proto.Message) (out []int64) {
		for _, r := range of {
			out = append(out, k.id(r))
		}
		return out
	}
	if len(whole) != rows || !slices.Equal(ids(whole), ids(paged)) {
		t.Errorf("by %s one page gives %v, small ones %v", order, ids(whole), ids(paged))
	}
}

func testListCounts(t *testing.T, b *bank, k kind) {
	b.upsert(t, k, k.record(1), k.record(2), k.record(3))
	exact := map[string]any{"filter": k.mine(), "page_size": int32(1), "count": crmv1.CountMode_COUNT_MODE_EXACT.Number()}
	_, token, count, err := b.listAs(t.Context(), k, exact)
	if err != nil || count.GetValue() != 3 || count.GetEstimated() {
		t.Errorf("three rows are counted as %v, %v", count, err)
	}
	exact["page_token"] = token
	if _, _, count, err = b.listAs(t.Context(), k, exact); err != nil || count.GetValue() != 3 {
		t.Errorf("on the second page they are counted as %v, %v", count, err)
	}
	_, _, count, err = b.listAs(t.Context(), k, map[string]any{"count": crmv1.CountMode_COUNT_MODE_ESTIMATED.Number()})
	if err != nil || !count.GetEstimated() || count.GetValue() < 0 {
		t.Errorf("they are estimated as %v, %v", count, err)
	}
	if _, _, count, err = b.listAs(t.Context(), k, map[string]any{"page_size": int32(1)}); err != nil || count.ProtoReflect().IsValid() {
		t.Errorf("without being asked they are counted as %v, %v", count, err)
	}
}
