package conformance

import (
	"context"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

const api = "tandem.crm.v1."

// has says whether the kind's service has a method.
func (k kind) has(method string) bool {
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(api + k.service))
	if err != nil {
		return false
	}
	service, ok := found.(protoreflect.ServiceDescriptor)
	return ok && service.Methods().ByName(protoreflect.Name(method)) != nil
}

// blank makes an empty message of the API.
func blank(name string) (protoreflect.Message, error) {
	found, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(api + name))
	if err != nil {
		return nil, err
	}
	return found.New(), nil
}

// call invokes a method with a request whose fields are given by name, and returns the response.
func (b *bank) call(ctx context.Context, k kind, method string, fields map[string]any) (protoreflect.Message, error) {
	request, err := blank(method + "Request")
	if err != nil {
		return nil, err
	}
	for name, value := range fields {
		set(request, name, value)
	}
	response, err := blank(method + "Response")
	if err != nil {
		return nil, err
	}
	err = b.conn.Invoke(ctx, "/"+api+k.service+"/"+method, request.Interface(), response.Interface())
	return response, err
}

// set sets a field: a message, a list of messages, or a scalar.
func set(m protoreflect.Message, name string, value any) {
	field := m.Descriptor().Fields().ByName(protoreflect.Name(name))
	switch v := value.(type) {
	case proto.Message:
		if v.ProtoReflect().IsValid() {
			m.Set(field, protoreflect.ValueOfMessage(v.ProtoReflect()))
		}
	case []proto.Message:
		list := m.Mutable(field).List()
		for _, item := range v {
			list.Append(protoreflect.ValueOfMessage(item.ProtoReflect()))
		}
	default:
		m.Set(field, protoreflect.ValueOf(v))
	}
}

// get reads a field.
func get(m proto.Message, name string) protoreflect.Value {
	r := m.ProtoReflect()
	return r.Get(r.Descriptor().Fields().ByName(protoreflect.Name(name)))
}

// edit returns a copy with another value of one text field.
func edit(m proto.Message, field, value string) proto.Message {
	edited := proto.Clone(m)
	set(edited.ProtoReflect(), field, value)
	return edited
}

func (k kind) id(m proto.Message) int64 { return get(m, k.name+"_id").Int() }

func (k kind) rows() string {
	name := strings.ToLower(k.many[:1])
	for _, r := range k.many[1:] {
		if r >= 'A' && r <= 'Z' {
			name += "_"
		}
		name += strings.ToLower(string(r))
	}
	return name
}

func (b *bank) create(ctx context.Context, k kind, m proto.Message, requestID string) (proto.Message, error) {
	response, err := b.call(ctx, k, "Create"+k.one, map[string]any{k.name: m, "request_id": requestID})
	return only(k, response, err)
}

func (b *bank) get(ctx context.Context, k kind, id int64) (proto.Message, error) {
	response, err := b.call(ctx, k, "Get"+k.one, map[string]any{k.name + "_id": id})
	return only(k, response, err)
}

func (b *bank) getByKey(ctx context.Context, k kind, key *crmv1.ExternalKey) (proto.Message, error) {
	response, err := b.call(ctx, k, "Get"+k.one, map[string]any{"key": key})
	return only(k, response, err)
}

func (b *bank) update(ctx context.Context, k kind, m proto.Message, requestID string, mask ...string) (proto.Message, error) {
	fields := map[string]any{k.name: m, "request_id": requestID}
	if len(mask) > 0 {
		fields["update_mask"] = &fieldmaskpb.FieldMask{Paths: mask}
	}
	response, err := b.call(ctx, k, "Update"+k.one, fields)
	return only(k, response, err)
}

func only(k kind, response protoreflect.Message, err error) (proto.Message, error) {
	if err != nil {
		return nil, err
	}
	return get(response.Interface(), k.name).Message().Interface(), nil
}

func (b *bank) list(ctx context.Context, k kind, size int32, token, filter string) ([]proto.Message, string, error) {
	records, next, _, err := b.listAs(ctx, k, map[string]any{"page_size": size, "page_token": token, "filter": filter})
	return records, next, err
}

// listAs lists with any fields of the request.
func (b *bank) listAs(ctx context.Context, k kind, fields map[string]any) ([]proto.Message, string, *crmv1.Count, error) {
	response, err := b.call(ctx, k, "List"+k.many, fields)
	if err != nil {
		return nil, "", nil, err
	}
	list := get(response.Interface(), k.rows()).List()
	records := make([]proto.Message, list.Len())
	for i := range records {
		records[i] = list.Get(i).Message().Interface()
	}
	count, _ := get(response.Interface(), "count").Message().Interface().(*crmv1.Count)
	return records, get(response.Interface(), "next_page_token").String(), count, nil
}

func (b *bank) batch(ctx context.Context, k kind, records []proto.Message, importID string, validateOnly bool) ([]*crmv1.UpsertResult, error) {
	response, err := b.call(ctx, k, "BatchUpsert"+k.many, map[string]any{k.rows(): records, "import_id": importID, "validate_only": validateOnly})
	if err != nil {
		return nil, err
	}
	list := get(response.Interface(), "results").List()
	results := make([]*crmv1.UpsertResult, list.Len())
	for i := range results {
		results[i] = list.Get(i).Message().Interface().(*crmv1.UpsertResult)
	}
	return results, nil
}

// refusal is what a refused call or row must say.
type refusal struct {
	code   codes.Code
	reason string
	// field that must be named; empty when there is none.
	field string
}

func (want refusal) check(t *testing.T, err error) {
	t.Helper()
	st, ok := status.FromError(err)
	if err == nil || !ok {
		t.Errorf("error is %v, want %s", err, want.code)
		return
	}
	var reason string
	var fields []string
	for _, detail := range st.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			reason = d.GetReason()
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				fields = append(fields, v.GetField())
			}
		}
	}
	if st.Code() != want.code || reason != want.reason || (want.field != "" && !slices.Contains(fields, want.field)) {
		t.Errorf("refused with %s %s on %q (%s); want %s %s on %q", st.Code(), reason, fields, st.Message(), want.code, want.reason, want.field)
	}
}

// checkRow is check for one row of a batch.
func (want refusal) checkRow(t *testing.T, result *crmv1.UpsertResult) {
	t.Helper()
	if result.GetError() == nil {
		t.Errorf("the row was taken: %v; want %s", result, want.code)
		return
	}
	want.check(t, status.ErrorProto(result.GetError()))
}
