package conformance

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

const (
	created   = crmv1.UpsertOutcome_UPSERT_OUTCOME_CREATED
	updated   = crmv1.UpsertOutcome_UPSERT_OUTCOME_UPDATED
	unchanged = crmv1.UpsertOutcome_UPSERT_OUTCOME_UNCHANGED
	rejected  = crmv1.UpsertOutcome_UPSERT_OUTCOME_UNSPECIFIED
)

// changed is a sample with other content.
func (k kind) changed(n, variant int) proto.Message {
	if k.edited != "" {
		return edit(k.record(n), k.edited, other(k, variant))
	}
	m := k.record(n)
	if k.vary != nil {
		k.vary(m, variant)
		return m
	}
	set(m.ProtoReflect(), "valid_to", day(2030, 1, int32(1+variant%28)))
	return m
}

// sent upserts and checks the outcomes.
func (b *bank) sent(t *testing.T, k kind, importID string, records []proto.Message, want ...crmv1.UpsertOutcome) []*crmv1.UpsertResult {
	t.Helper()
	results, err := b.batch(t.Context(), k, records, importID, false)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]crmv1.UpsertOutcome, len(results))
	for i, r := range results {
		got[i] = r.GetOutcome()
		if (r.GetId() == 0) != (r.GetOutcome() == rejected) || (r.GetError() == nil) != (r.GetOutcome() != rejected) {
			t.Errorf("row %d contradicts itself: %v", i, r)
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("outcomes %v, want %v: %v", got, want, results)
	}
	return results
}

func testBatchOutcomes(t *testing.T, b *bank, k kind) {
	one, two, three := k.record(1), k.record(2), k.record(3)
	first := b.sent(t, k, "", []proto.Message{one, two}, created, created)
	if first[0].GetId() >= first[1].GetId() {
		t.Errorf("ids do not follow the rows: %v", first)
	}
	second := b.sent(t, k, "", []proto.Message{three, k.changed(2, 1), one}, created, updated, unchanged)
	if second[1].GetId() != first[1].GetId() || second[2].GetId() != first[0].GetId() {
		t.Errorf("the same keys have other ids: %v, %v", first, second)
	}
	b.sent(t, k, "", []proto.Message{three, k.changed(2, 1), one}, unchanged, unchanged, unchanged)
	b.wantVersions(t, k, first[0].GetId(), 1)
	b.wantVersions(t, k, first[1].GetId(), 2)
	b.wantVersions(t, k, second[0].GetId(), 1)
}

// An update by hand and a later import of what was there before: the import's content comes back as a change.
func testBatchAfterUpdate(t *testing.T, b *bank, k kind) {
	id := b.upsert(t, k, k.record(1))[0]
	change := k.changed(1, 1)
	set(change.ProtoReflect(), k.name+"_id", id)
	if _, err := b.update(t.Context(), k, change, "", k.edited); err != nil {
		t.Fatal(err)
	}
	b.sent(t, k, "", []proto.Message{k.record(1)}, updated)
	b.wantVersions(t, k, id, 3)
	stored, err := b.get(t.Context(), k, id)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the import did not win", strip(k, k.record(1)), strip(k, stored))
}

func testBatchRefusesRowsAlone(t *testing.T, b *bank, k kind) {
	keyless := k.record(2)
	keyless.ProtoReflect().Clear(keyless.ProtoReflect().Descriptor().Fields().ByName("key"))
	badKey := k.sample("Test", 3)
	rows := []proto.Message{k.record(1), keyless, badKey, k.record(4)}
	want := []crmv1.UpsertOutcome{created, rejected, rejected, created}
	wantRefusals := map[int]refusal{
		1: {codes.InvalidArgument, apperr.ReasonInvalidField, "key"},
		2: {codes.InvalidArgument, apperr.ReasonInvalidField, "key.source"},
	}
	if k.reference != "" {
		wantRefusals[len(rows)] = refusal{codes.NotFound, apperr.ReasonReferenceNotFound, k.reference}
		rows, want = append(rows, k.lost(5)), append(want, rejected)
	}
	if k.free != "" {
		wantRefusals[len(rows)] = refusal{codes.InvalidArgument, apperr.ReasonInvalidField, k.free}
		rows, want = append(rows, edit(k.record(6), k.free, "5500-0000-0000-0004")), append(want, rejected)
	}
	rows, want = append(rows, k.record(7)), append(want, created)
	results := b.sent(t, k, "", rows, want...)
	for i, refused := range wantRefusals {
		refused.checkRow(t, results[i])
	}
	for i, result := range results {
		if result.GetOutcome() == created {
			b.wantVersions(t, k, results[i].GetId(), 1)
		}
	}
}

func testBatchSameImport(t *testing.T, b *bank, k kind) {
	duplicate := refusal{codes.AlreadyExists, apperr.ReasonDuplicate, "key"}
	first, second := uuid.NewString(), uuid.NewString()
	one, other := k.record(1), k.changed(1, 1)
	// Within one batch: the same again is nothing new, other content is refused.
	results := b.sent(t, k, first, []proto.Message{one, one, other, k.record(2)}, created, unchanged, rejected, created)
	duplicate.checkRow(t, results[2])
	if results[0].GetId() != results[1].GetId() {
		t.Errorf("one key has two ids: %v", results)
	}
	// In a later batch of the same import.
	results = b.sent(t, k, first, []proto.Message{other, k.record(2)}, rejected, unchanged)
	duplicate.checkRow(t, results[0])
	// Another import may change it, then not again.
	results = b.sent(t, k, second, []proto.Message{other, k.record(2)}, updated, unchanged)
	id, two := results[0].GetId(), results[1].GetId()
	results = b.sent(t, k, second, []proto.Message{one, k.changed(2, 1)}, rejected, rejected)
	duplicate.checkRow(t, results[0])
	duplicate.checkRow(t, results[1])
	b.wantVersions(t, k, id, 2)
	b.wantVersions(t, k, two, 1)
	_, err := b.batch(t.Context(), k, []proto.Message{one}, "spring", false)
	refusal{codes.InvalidArgument, apperr.ReasonInvalidField, "import_id"}.check(t, err)
}

func testBatchValidateOnly(t *testing.T, b *bank, k kind) {
	id := b.upsert(t, k, k.record(1))[0]
	results, err := b.batch(t.Context(), k, []proto.Message{k.changed(1, 1), k.record(2), k.sample("Test", 3)}, "", true)
	if err != nil {
		t.Fatal(err)
	}
	if results[0].GetOutcome() != updated || results[1].GetOutcome() != created || results[1].GetId() != 0 {
		t.Errorf("what would be done: %v", results)
	}
	refusal{codes.InvalidArgument, apperr.ReasonInvalidField, "key.source"}.checkRow(t, results[2])
	if got := b.pages(t, k, 10, k.mine(), nil); len(got) != 1 {
		t.Errorf("there are %v now", got)
	}
	b.wantVersions(t, k, id, 1)
}

func testBatchSize(t *testing.T, b *bank, k kind) {
	_, err := b.batch(t.Context(), k, nil, "", false)
	refusal{code: codes.InvalidArgument, reason: apperr.ReasonInvalidField}.check(t, err)
	many := make([]proto.Message, 5001)
	for i := range many {
		many[i] = k.record(i)
	}
	_, err = b.batch(t.Context(), k, many, "", false)
	refusal{code: codes.InvalidArgument, reason: apperr.ReasonInvalidField}.check(t, err)
	if k.name == "account_holder" {
		return
	}
	results, err := b.batch(t.Context(), k, many[:5000], "", false)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if r.GetOutcome() != created {
			t.Fatalf("row %d: %v", i, r)
		}
	}
}
