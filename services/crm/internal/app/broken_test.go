package app

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"tandem.bank/pkg/auth"
)

// brokenAtLeast are the fields that the test must have seen refused together, so that it does not look at nothing.
const brokenAtLeast = 60

// TestEveryBrokenFieldIsNamed breaks the limits of every list at once: the size of the page, its token, filter and order.
func TestEveryBrokenFieldIsNamed(t *testing.T) {
	t.Parallel()
	a := serveAPI(t, "")
	ctx := a.as(t, "root", auth.RoleAdministrator)
	long := strings.Repeat("x", 5000)
	seen := 0
	for _, method := range contractMethods() {
		fields, m := method.Input().Fields(), dynamicpb.NewMessage(method.Input())
		var want []string
		for name, value := range map[protoreflect.Name]protoreflect.Value{
			"page_size": protoreflect.ValueOfInt32(1001), "filter": protoreflect.ValueOfString(long), "order_by": protoreflect.ValueOfString(long),
			"count": protoreflect.ValueOfEnum(99), "request_id": protoreflect.ValueOfString("no uuid"), "import_id": protoreflect.ValueOfString("no uuid"),
			"etag": protoreflect.ValueOfString(long), "reason": protoreflect.ValueOfString(long), "query": protoreflect.ValueOfString(long),
		} {
			if f := fields.ByName(name); f != nil && !f.IsList() && f.Kind() == kindOf(value) {
				m.Set(f, value)
				want = append(want, string(name))
			}
		}
		if len(want) < 2 || method.IsStreamingClient() {
			continue
		}
		err := a.conn.Invoke(ctx, fullName(method), m, dynamicpb.NewMessage(method.Output()))
		if status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v, want INVALID_ARGUMENT", shortName(method), err)
			continue
		}
		var named []string
		for _, detail := range status.Convert(err).Details() {
			if bad, ok := detail.(*errdetails.BadRequest); ok {
				for _, v := range bad.GetFieldViolations() {
					named = append(named, v.GetField())
				}
			}
		}
		for _, name := range want {
			if !slices.Contains(named, name) {
				t.Errorf("%s: %s is broken and not named; %v are", shortName(method), name, named)
			}
			seen++
		}
	}
	if seen < brokenAtLeast {
		t.Errorf("only %d broken fields were looked at", seen)
	}
}

// kindOf is the kind of field that a value is for.
func kindOf(value protoreflect.Value) protoreflect.Kind {
	switch value.Interface().(type) {
	case int32:
		return protoreflect.Int32Kind
	case protoreflect.EnumNumber:
		return protoreflect.EnumKind
	}
	return protoreflect.StringKind
}
