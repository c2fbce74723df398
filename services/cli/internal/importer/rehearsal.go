package importer

import (
	"context"
	"hash/maphash"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/check"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/mapping"
)

// rehearsedMost bounds the keys that a dry run remembers, for about 2 GiB of memory at the most.
const rehearsedMost = 50_000_000

// rehearsal remembers what a dry run would have written: rows refer to rows of the same import, and two rows with one key
// and different content are a mistake. It keeps hashes, not keys.
type rehearsal struct {
	// offline says that no service has looked at the rows.
	offline bool

	seed maphash.Seed
	seen map[mapping.Entity]map[uint64]uint64
	size int
	// unknown counts references to records that are not in the files; offline they can't be looked up.
	unknown int
}

func newRehearsal(offline bool) *rehearsal {
	return &rehearsal{offline: offline, seed: maphash.MakeSeed(), seen: map[mapping.Entity]map[uint64]uint64{}}
}

// full says that not every key could be remembered.
func (r *rehearsal) full() bool { return r.size >= rehearsedMost }

// note remembers a record and refuses one whose key was there with other content. A transaction is known by its version
// too.
func (r *rehearsal) note(entity mapping.Entity, record proto.Message) error {
	key := keyOf(record)
	if t, ok := record.(*crmv1.Transaction); ok {
		key += "\x00" + strconv.Itoa(int(max(t.GetVersion(), 1)))
	}
	content, err := proto.MarshalOptions{Deterministic: true}.Marshal(record)
	if err != nil {
		return err
	}
	keys := r.seen[entity]
	if keys == nil {
		keys = map[uint64]uint64{}
		r.seen[entity] = keys
	}
	id, sum := maphash.String(r.seed, key), maphash.Bytes(r.seed, content)
	if before, ok := keys[id]; ok && before != sum {
		return apperr.Duplicate("key.external_id", "an earlier row of these files has the same external id and other content")
	}
	if _, ok := keys[id]; !ok && !r.full() {
		keys[id] = sum
		r.size++
	}
	return nil
}

// holds says whether the files have a record with the key.
func (r *rehearsal) holds(entity mapping.Entity, key *crmv1.ExternalKey) bool {
	_, ok := r.seen[entity][maphash.String(r.seed, key.GetSource()+"\x00"+key.GetExternalId())]
	return ok
}

// references calls look with each reference of a record that is set, also within its parts: "customer_key" refers to a
// customer.
func references(record proto.Message, look func(field string, entity mapping.Entity, key *crmv1.ExternalKey)) {
	record.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		name, ok := strings.CutSuffix(string(field.Name()), "_key")
		for _, part := range messagesOf(field, value) {
			if key, isKey := part.(*crmv1.ExternalKey); !isKey {
				references(part, look)
			} else if ok {
				look(string(field.Name()), referred(name), key)
			}
		}
		return true
	})
}

// referred is the entity that a reference names, where the name says in which role.
func referred(name string) mapping.Entity {
	switch name {
	case "other_customer", "employer":
		return mapping.Customer
	default:
		return mapping.Entity(name)
	}
}

// messagesOf are the messages in a field: one, or those of a list.
func messagesOf(field protoreflect.FieldDescriptor, value protoreflect.Value) []proto.Message {
	switch {
	case field.Message() == nil || field.IsMap():
		return nil
	case !field.IsList():
		return []proto.Message{value.Message().Interface()}
	}
	parts := make([]proto.Message, value.List().Len())
	for i := range parts {
		parts[i] = value.List().Get(i).Message().Interface()
	}
	return parts
}

// judge looks at the answers of a dry run in the order of the file; offline it makes them. A reference that the service does not know is in
// order when an earlier row of the files would have created it. The service names the first unknown reference of a row;
// a second one behind it shows in the next dry run.
func (r *rehearsal) judge(entity mapping.Entity, b *batch) {
	if r.offline {
		b.results = make([]*crmv1.UpsertResult, len(b.items))
	}
	for i, it := range b.items {
		if r.offline {
			b.results[i] = r.checkAlone(it.record)
		}
		result := b.results[i]
		if codes.Code(result.GetError().GetCode()) == codes.NotFound && r.explains(it.record, result) { //nolint:gosec // small
			b.results[i] = &crmv1.UpsertResult{Outcome: crmv1.UpsertOutcome_UPSERT_OUTCOME_CREATED}
		}
		if b.results[i].GetError() != nil {
			continue
		}
		if err := r.note(entity, it.record); err != nil {
			b.results[i] = &crmv1.UpsertResult{Error: statusOf(err)}
		}
	}
}

// explains says whether the missing reference is one that the files hold.
func (r *rehearsal) explains(record proto.Message, result *crmv1.UpsertResult) bool {
	missing := map[string]bool{}
	for _, v := range violations(result) {
		for part := range strings.SplitSeq(v.GetField(), ".") {
			missing[part] = true
		}
	}
	found, unknown := 0, 0
	references(record, func(field string, entity mapping.Entity, key *crmv1.ExternalKey) {
		switch {
		case len(missing) > 0 && !missing[field]:
		case r.holds(entity, key):
			found++
		default:
			unknown++
		}
	})
	// Without a named field, one unknown reference may be in Tandem already: any that the files hold explains the answer.
	return found > 0 && (unknown == 0 || len(missing) == 0)
}

// deliverNowhere passes batches on unanswered: judge answers them.
func deliverNowhere(ctx context.Context, in <-chan *batch, out chan<- *batch) error {
	for b := range in {
		if !pass(ctx, out, b) {
			return context.Cause(ctx)
		}
	}
	return nil
}

// checkAlone judges a record by the rules of the contract.
func (r *rehearsal) checkAlone(record proto.Message) *crmv1.UpsertResult {
	if err := apperr.Invalid(check.Message(record)...); err != nil {
		return &crmv1.UpsertResult{Error: statusOf(err)}
	}
	references(record, func(_ string, entity mapping.Entity, key *crmv1.ExternalKey) {
		if !r.holds(entity, key) {
			r.unknown++
		}
	})
	return &crmv1.UpsertResult{Outcome: crmv1.UpsertOutcome_UPSERT_OUTCOME_CREATED}
}

// violations returns the broken fields of a rejected row.
func violations(result *crmv1.UpsertResult) []*errdetails.BadRequest_FieldViolation {
	for _, detail := range status.FromProto(result.GetError()).Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			return bad.GetFieldViolations()
		}
	}
	return nil
}
