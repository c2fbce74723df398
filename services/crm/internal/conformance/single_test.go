package conformance

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

func same(t *testing.T, what string, want, got proto.Message) {
	t.Helper()
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func testCreate(t *testing.T, b *bank, k kind) {
	created, err := b.create(t.Context(), k, k.record(1), "")
	if err != nil {
		t.Fatal(err)
	}
	id := k.id(created)
	if id == 0 || get(created, "etag").String() == "" || !created.ProtoReflect().Has(created.ProtoReflect().Descriptor().Fields().ByName("create_time")) {
		t.Errorf("created without id, etag or time: %v", created)
	}
	b.wantVersions(t, k, id, 1)
	stored, err := b.get(t.Context(), k, id)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "get shows another record than create", created, stored)

	_, err = b.create(t.Context(), k, edit(k.record(1), k.edited, other(k, 1)), "")
	refusal{codes.AlreadyExists, apperr.ReasonDuplicate, k.name + ".key"}.check(t, err)
	b.wantVersions(t, k, id, 1)

	_, err = b.create(t.Context(), k, edit(k.record(2), k.free, "4111 1111 1111 1111"), "")
	refusal{codes.InvalidArgument, apperr.ReasonInvalidField, k.name + "." + k.free}.check(t, err)

	withoutKey := k.record(3)
	if k.name == "product" {
		set(withoutKey.ProtoReflect(), "code", "no key")
	}
	if k.name == "attribute_definition" {
		set(withoutKey.ProtoReflect(), "name", "no_key")
	}
	withoutKey.ProtoReflect().Clear(withoutKey.ProtoReflect().Descriptor().Fields().ByName("key"))
	for range 2 { // any number of records may have no key
		if _, err := b.create(t.Context(), k, withoutKey, ""); err != nil {
			t.Errorf("without a key: %v", err)
		}
		if k.name == "product" {
			set(withoutKey.ProtoReflect(), "code", "no key either")
		}
		if k.name == "attribute_definition" {
			set(withoutKey.ProtoReflect(), "name", "no_key_either")
		}
		if k.name == "relation" { // the same child again would be a duplicate
			set(withoutKey.ProtoReflect(), "other_name", "no key either")
		}
		if k.name == "service_level" {
			set(withoutKey.ProtoReflect(), "class", "no_key_either")
		}
	}
	if k.reference != "" {
		_, err = b.create(t.Context(), k, k.lost(4), "")
		refusal{codes.NotFound, apperr.ReasonReferenceNotFound, k.name + "." + k.reference}.check(t, err)
	}
}

// other is a value for the edited field that every kind accepts there.
func other(k kind, n int) string {
	if k.edited == "phone" {
		return fmt.Sprintf("+4206020000%02d", n)
	}
	return fmt.Sprintf("value %d", n)
}

// lost is a sample that refers to a record which does not exist.
func (k kind) lost(n int) proto.Message {
	m := k.record(n)
	set(m.ProtoReflect(), k.reference, fixed("nobody"))
	return m
}

func testGet(t *testing.T, b *bank, k kind) {
	id := b.upsert(t, k, k.record(1))[0]
	byID, err := b.get(t.Context(), k, id)
	if err != nil {
		t.Fatal(err)
	}
	byKey, err := b.getByKey(t.Context(), k, key(k.source, 1))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "by key comes another record than by id", byID, byKey)
	same(t, "the stored record is not the one sent", strip(k, k.record(1)), strip(k, byID))

	_, err = b.get(t.Context(), k, id+1000)
	refusal{code: codes.NotFound, reason: apperr.ReasonNotFound}.check(t, err)
	_, err = b.getByKey(t.Context(), k, key(k.source, 99))
	refusal{code: codes.NotFound, reason: apperr.ReasonNotFound}.check(t, err)
	_, err = b.get(t.Context(), k, 0)
	refusal{code: codes.InvalidArgument, reason: apperr.ReasonInvalidField}.check(t, err)
}

// strip leaves what the caller sets: no references, which come as keys and go as ids, and nothing output-only.
func strip(k kind, m proto.Message) proto.Message {
	out := proto.Clone(m)
	fields := out.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		name := string(fields.Get(i).Name())
		switch {
		case strings.HasSuffix(name, "_id"), strings.HasSuffix(name, "_key"), name == "etag", name == "version", name == "create_time", name == "update_time":
			out.ProtoReflect().Clear(fields.Get(i))
		case name == "state_since": // now by default
			out.ProtoReflect().Clear(fields.Get(i))
		case k.name == "product" && name == "state": // by the day
			out.ProtoReflect().Clear(fields.Get(i))
		case k.name == "interaction" && (name == "case_state" || name == "breached"), k.name == "customer" && name == "state": // derived, active by default
			out.ProtoReflect().Clear(fields.Get(i))
		}
	}
	if i, ok := out.(*crmv1.Interaction); ok {
		for _, p := range i.GetParticipants() {
			p.CustomerId, p.CustomerKey = 0, nil
		}
	}
	return out
}

func testUpdate(t *testing.T, b *bank, k kind) {
	id := b.upsert(t, k, k.record(1))[0]
	before, err := b.get(t.Context(), k, id)
	if err != nil {
		t.Fatal(err)
	}
	// Only what the mask names changes: the message is empty otherwise.
	change := before.ProtoReflect().New().Interface()
	set(change.ProtoReflect(), k.name+"_id", id)
	set(change.ProtoReflect(), k.edited, other(k, 1))
	set(change.ProtoReflect(), "etag", get(before, "etag").String())
	after, err := b.update(t.Context(), k, change, "", k.edited)
	if err != nil {
		t.Fatal(err)
	}
	b.wantVersions(t, k, id, 2)
	want := edit(before, k.edited, other(k, 1))
	set(want.ProtoReflect(), "etag", get(after, "etag").String())
	set(want.ProtoReflect(), "update_time", get(after, "update_time").Message().Interface())
	if d, ok := want.(*crmv1.AttributeDefinition); ok {
		d.Version++
	}
	same(t, "update changed something else", want, after)
	stored, err := b.get(t.Context(), k, id)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "get shows another record than update", after, stored)

	_, err = b.update(t.Context(), k, change, "", k.edited)
	refusal{code: codes.Aborted, reason: apperr.ReasonEtagMismatch}.check(t, err)

	// Without a mask every field that is set changes, whatever the etag was.
	change = edit(change, k.edited, other(k, 2))
	change.ProtoReflect().Clear(change.ProtoReflect().Descriptor().Fields().ByName("etag"))
	after, err = b.update(t.Context(), k, change, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := get(after, k.edited).String(); got != other(k, 2) {
		t.Errorf("%s is %q after an update without mask", k.edited, got)
	}
	b.wantVersions(t, k, id, 3)

	for _, path := range []string{"no_such_field", "etag", "key", "key.source", k.name + "_id", "create_time"} {
		_, err = b.update(t.Context(), k, change, "", k.edited, path)
		refusal{codes.InvalidArgument, apperr.ReasonInvalidField, "update_mask"}.check(t, err)
		if err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("the refusal does not name %s: %v", path, err)
		}
	}
	_, err = b.update(t.Context(), k, change, "", "no_such_field", "etag", "neither.this")
	for _, path := range []string{"no_such_field", "etag", "neither.this"} {
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("the refusal does not name %s: %v", path, err)
		}
	}
	_, err = b.update(t.Context(), k, edit(change, k.free, "4111111111111111"), "", k.free)
	refusal{codes.InvalidArgument, apperr.ReasonInvalidField, k.name + "." + k.free}.check(t, err)
	set(change.ProtoReflect(), k.name+"_id", id+1000)
	_, err = b.update(t.Context(), k, change, "", k.edited)
	refusal{code: codes.NotFound, reason: apperr.ReasonNotFound}.check(t, err)
	set(change.ProtoReflect(), k.name+"_id", int64(0))
	_, err = b.update(t.Context(), k, change, "", k.edited)
	refusal{codes.InvalidArgument, apperr.ReasonInvalidField, k.name + "." + k.name + "_id"}.check(t, err)
	b.wantVersions(t, k, id, 3)
}

func testRequestID(t *testing.T, b *bank, k kind) {
	request := uuid.NewString()
	first, err := b.create(t.Context(), k, k.record(1), request)
	if err != nil {
		t.Fatal(err)
	}
	id := k.id(first)
	again, err := b.create(t.Context(), k, k.record(1), request)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the repeated call has another answer", first, again)
	_, err = b.create(t.Context(), k, k.record(2), request)
	refusal{code: codes.AlreadyExists, reason: apperr.ReasonRequestIDReused}.check(t, err)
	_, err = b.create(t.Context(), k, k.record(2), "once more")
	refusal{codes.InvalidArgument, apperr.ReasonInvalidField, "request_id"}.check(t, err)

	change := edit(first, k.edited, other(k, 1))
	_, err = b.update(t.Context(), k, change, request, k.edited)
	refusal{code: codes.AlreadyExists, reason: apperr.ReasonRequestIDReused}.check(t, err)
	request = uuid.NewString()
	updated, err := b.update(t.Context(), k, change, request, k.edited)
	if err != nil {
		t.Fatal(err)
	}
	// The etag of the repeated call is stale by now; it gets the first answer all the same.
	repeated, err := b.update(t.Context(), k, change, request, k.edited)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the repeated update has another answer", updated, repeated)
	b.wantVersions(t, k, id, 2)

	// A refused call does not use its id up.
	request = uuid.NewString()
	if _, err = b.create(t.Context(), k, edit(k.record(3), k.free, "4111111111111111"), request); err == nil {
		t.Error("a card number was taken")
	}
	if _, err = b.create(t.Context(), k, k.record(3), request); err != nil {
		t.Errorf("after a refusal: %v", err)
	}
}
