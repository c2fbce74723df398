package record

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"go.einride.tech/aip/fieldmask"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/readmask"
	"tandem.bank/services/crm/internal/request"
)

// outputOnly are fields that no update may set, in any kind of record.
var outputOnly = []string{
	"key", "etag", "version", "create_time", "update_time",
	"service_level_id", "case_state", "breached", "reopened_count", "reopened_time", "rated_time", "text_bytes",
}

// Update describes a change of one record.
type Update[P Message] struct {
	// ID of the record.
	ID int64
	// Etag the caller saw; empty when it does not matter.
	Etag string
	// Message holds the new values.
	Message P
	// Mask names the fields to change; without it every set field is changed.
	Mask *fieldmaskpb.FieldMask
	// RequestID makes a repeated call return the first answer.
	RequestID string
	// Request is the whole input, for the comparison of repeated calls.
	Request proto.Message
}

// Update changes fields of one record under its row lock.
func (s *Store[P, R]) Update(ctx context.Context, update Update[P]) (P, error) {
	return request.Once(ctx, s.pool, update.RequestID, "Update"+s.room.Table.entity, update.Request, func(tx pgx.Tx) (P, error) {
		var none P
		if update.ID == 0 {
			return none, apperr.InvalidField(s.room.Name+"."+s.room.Table.idColumn(), "is required")
		}
		old, now, err := s.room.Table.lock(ctx, tx, update.ID)
		if err != nil {
			return none, err
		}
		if err := s.checkEtag(old, update.Etag); err != nil {
			return none, err
		}
		merged, err := s.merge(s.room.ToProto(old), update)
		if err != nil {
			return none, err
		}
		return s.replace(ctx, tx, old, merged, now)
	})
}

// Preview returns a record as it is stored, and as an update would make it, as things stand: nothing is locked, checked or
// written. The etag of both is that of the stored record; an update with this etag does what was shown or fails.
func (s *Store[P, R]) Preview(ctx context.Context, update Update[P]) (stored, updated P, err error) {
	if update.ID == 0 {
		return stored, updated, apperr.InvalidField(s.room.Name+"."+s.room.Table.idColumn(), "is required")
	}
	r, err := s.room.Table.Get(ctx, s.pool, update.ID)
	if err != nil {
		return stored, updated, err
	}
	updated, err = s.merge(s.room.ToProto(r), update)
	return s.room.ToProto(r), updated, err
}

// merge puts the new values over the stored message.
func (s *Store[P, R]) merge(stored P, update Update[P]) (P, error) {
	mask := update.Mask
	if len(mask.GetPaths()) == 0 {
		mask = &fieldmaskpb.FieldMask{Paths: s.setFields(update.Message)}
	}
	if err := s.checkMask(mask, stored.ProtoReflect().Descriptor()); err != nil {
		return stored, err
	}
	fields := stored.ProtoReflect().Descriptor().Fields()
	for _, path := range mask.GetPaths() {
		field, _, _ := strings.Cut(path, ".")
		for _, name := range s.replaced(field) {
			if old := fields.ByName(protoreflect.Name(name)); old != nil {
				stored.ProtoReflect().Clear(old)
			}
		}
		clearNested(stored.ProtoReflect(), path)
	}
	fieldmask.Update(mask, stored, update.Message)
	return stored, nil
}

// checkMask names all paths that an update can't follow.
func (s *Store[P, R]) checkMask(mask *fieldmaskpb.FieldMask, over protoreflect.MessageDescriptor) error {
	if fieldmask.IsFullReplacement(mask) {
		return nil
	}
	var broken []apperr.Violation
	for _, path := range mask.GetPaths() {
		if fault := s.fault(path, over); fault != "" {
			broken = append(broken, apperr.Violation{Field: "update_mask", Description: fault})
		}
	}
	return apperr.Invalid(broken...)
}

func (s *Store[P, R]) fault(path string, over protoreflect.MessageDescriptor) string {
	if fault := readmask.Fault(path, over); fault != "" {
		return fault
	}
	parts := strings.Split(path, ".")
	if s.isOutputOnly(parts[0]) {
		return fmt.Sprintf("%q can't be changed", path)
	}
	for i, name := range parts[:len(parts)-1] {
		field := over.Fields().ByName(protoreflect.Name(name))
		if field.IsList() {
			return fmt.Sprintf("%q goes into a list, which is replaced as a whole: name %q", path, strings.Join(parts[:i+1], "."))
		}
		over = field.Message()
	}
	return ""
}

// replaced names the fields that give way to a field: a key names a new target, so the id of the old one goes.
func (s *Store[P, R]) replaced(field string) []string {
	if name, isKey := strings.CutSuffix(field, "_key"); isKey {
		return append([]string{name + "_id"}, s.room.Replaces[field]...)
	}
	return s.room.Replaces[field]
}

func (s *Store[P, R]) isOutputOnly(field string) bool {
	return slices.Contains(outputOnly, field) || slices.Contains(s.room.OutputOnly, field) || field == s.room.Table.idColumn()
}

// clearNested clears the id that gives way to a key inside a part of the message, as replaced does at its top.
func clearNested(m protoreflect.Message, path string) {
	part, rest, nested := strings.Cut(path, ".")
	name, isKey := strings.CutSuffix(rest, "_key")
	if !nested || !isKey || strings.Contains(rest, ".") {
		return
	}
	field := m.Descriptor().Fields().ByName(protoreflect.Name(part))
	if !m.Has(field) {
		return
	}
	inner := m.Get(field).Message()
	if id := inner.Descriptor().Fields().ByName(protoreflect.Name(name + "_id")); id != nil {
		inner.Clear(id)
	}
}

// setFields are the fields that the caller filled in, without those that only name the record.
func (s *Store[P, R]) setFields(message P) []string {
	var paths []string
	message.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		name := string(field.Name())
		if !s.isOutputOnly(name) {
			paths = append(paths, name)
		}
		return true
	})
	slices.Sort(paths)
	return paths
}

func (s *Store[P, R]) replace(ctx context.Context, tx pgx.Tx, old *Record[R], merged P, now time.Time) (P, error) {
	var none P
	updated, it := s.prepare(merged)
	updated.ID, updated.Source, updated.ExternalID, updated.CreatedAt = old.ID, old.Source, old.ExternalID, old.CreatedAt
	updated.Version, updated.UpdatedAt = old.Version+1, now
	s.room.Table.carry(&old.Row, &updated.Row)
	it.refs = newReferences(&old.Row, &updated.Row, it.refs)
	if err := s.complete(ctx, tx, []*Record[R]{updated}, []*item{it}); err != nil {
		return none, err
	}
	if it.err == nil {
		it.err = s.change(&old.Row, &updated.Row)
	}
	if it.err != nil {
		return none, s.named(it.err)
	}
	refused := func(err error) error { return s.refused(err, updated) }
	if err := s.room.Table.change(ctx, tx, &old.Row, updated, refused); err != nil {
		return none, err
	}
	if err := s.checkDeferred(ctx, tx); err != nil {
		return none, refused(err)
	}
	return s.room.ToProto(updated), s.publish(ctx, tx, []*Record[R]{updated}, []*R{&old.Row})
}

// newReferences leaves out those that the stored record has already: they were looked up when they were new, and what
// others refer to stays. A reference to something inside a document of the row is looked up again.
func newReferences[R any](old, updated *R, refs []Reference) []Reference {
	stored, written := reflect.ValueOf(old).Elem(), reflect.ValueOf(updated).Elem()
	before := map[*int64]*int64{}
	for i := range written.NumField() {
		if id, ok := reflect.TypeAssert[*int64](written.Field(i)); ok && id != nil {
			before[id], _ = reflect.TypeAssert[*int64](stored.Field(i))
		}
	}
	return slices.DeleteFunc(refs, func(ref Reference) bool {
		return ref.Key == nil && ref.ID != nil && before[ref.ID] != nil && *ref.ID == *before[ref.ID]
	})
}
