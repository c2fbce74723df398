package app

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"tandem.bank/pkg/auth"
)

// twistsAtLeast are the requests that the test must have sent, so that it does not look at nothing.
const twistsAtLeast = 3000

// TestNoRequestIsAnInternalError makes the day's calls and then each again with one field after the other taken away, emptied
// or filled with what nobody should send. Whatever comes of it is the caller's to mend: nothing is an internal error.
func TestNoRequestIsAnInternalError(t *testing.T) {
	t.Parallel()
	d := newDay(t)
	ctx := d.as(t, worker, auth.RoleAdministrator)
	var all []twisted
	for _, s := range daySteps(t) {
		request, err := d.request(s)
		if err != nil {
			t.Fatal(err)
		}
		answers, err := d.send(ctx, s.method, request)
		if err != nil {
			t.Fatalf("day.txt, line %d: %v", s.line, err)
		}
		if s.keep != "" && len(answers) > 0 {
			d.kept[s.keep] = idOf(answers[0].ProtoReflect(), s.keep == keyID)
		}
		for _, r := range twists(request) {
			all = append(all, twisted{s, r})
		}
	}
	if len(all) < twistsAtLeast {
		t.Errorf("only %d requests to send", len(all))
	}
	var calls errgroup.Group
	calls.SetLimit(callsAtOnce)
	for _, w := range all {
		calls.Go(func() error {
			if err := d.internal(ctx, w); err != nil {
				t.Errorf("%s %s: %v", shortName(w.method), shortened(protojson.Format(w.request)), err)
			}
			return nil
		})
	}
	_ = calls.Wait()
}

// twisted is a request that nobody should send.
type twisted struct {
	step
	request proto.Message
}

// internal sends a request and returns the error, of the call or of a row, that is not the caller's.
func (d *day) internal(ctx context.Context, w twisted) error {
	answers, err := d.send(ctx, w.method, w.request)
	switch status.Code(err) {
	case codes.Internal, codes.Unknown, codes.Unavailable, codes.DataLoss, codes.Unimplemented:
		return err
	}
	for _, answer := range answers {
		if text := protojson.Format(answer); strings.Contains(text, `"code": 13`) || strings.Contains(text, `"code":13`) {
			return fmt.Errorf("a row: %s", text)
		}
	}
	return nil
}

func shortened(text string) string { return text[:min(len(text), 600)] }

// twists are copies of a message of which each differs in one field, at any depth.
func twists(m proto.Message) []proto.Message {
	var out []proto.Message
	twist(m.ProtoReflect(), func() { out = append(out, proto.Clone(m)) })
	return out
}

// twist changes one field of a message after the other, tells that it did, and puts the field back.
func twist(m protoreflect.Message, changed func()) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		had, before := m.Has(field), m.Get(field)
		if had {
			m.Clear(field)
			changed()
		}
		for _, value := range hostile(field, m.NewField(field)) {
			m.Set(field, value)
			changed()
		}
		m.Clear(field)
		if !had {
			continue
		}
		m.Set(field, before)
		switch {
		case field.IsMap():
		case field.IsList() && field.Message() != nil:
			twist(before.List().Get(0).Message(), changed)
		case field.Message() != nil:
			twist(before.Message(), changed)
		}
	}
}

// hostile are values of a field that nobody should send.
func hostile(field protoreflect.FieldDescriptor, empty protoreflect.Value) []protoreflect.Value {
	switch {
	case field.IsMap():
		if values := scalars(field.MapKey()); len(values) > 0 {
			empty.Map().Set(values[0].MapKey(), empty.Map().NewValue())
		}
		return []protoreflect.Value{empty}
	case field.IsList():
		list := empty.List()
		list.Append(list.NewElement())
		list.Append(list.NewElement())
		return []protoreflect.Value{empty}
	case field.Message() != nil:
		return append(extremes(field.Message()), empty)
	}
	return scalars(field)
}

// extremes are messages of a kind that bend the calendar and the mint.
func extremes(of protoreflect.MessageDescriptor) (out []protoreflect.Value) {
	texts := map[protoreflect.FullName][]string{
		"google.protobuf.Timestamp": {`"0001-01-01T00:00:00Z"`, `"9999-12-31T23:59:59.999999999Z"`},
		"google.type.Date":          {`{"year":2026,"month":2,"day":30}`, `{"year":9999,"month":12,"day":31}`, `{"year":1,"month":1,"day":1}`, `{"month":13}`},
		"google.type.Money":         {`{"currencyCode":"XXX","units":"9223372036854775807","nanos":999999999}`, `{"currencyCode":"CZK","units":"1","nanos":-1}`},
		"google.type.LatLng":        {`{"latitude":"NaN","longitude":"Infinity"}`},
		"google.protobuf.FieldMask": {`"no_such_field"`, `"customer.individual.no"`, `"*"`},
	}
	for _, text := range texts[of.FullName()] {
		m := dynamicpb.NewMessage(of)
		if err := protojson.Unmarshal([]byte(text), m); err == nil {
			out = append(out, protoreflect.ValueOfMessage(m))
		}
	}
	return out
}

// scalars are the hostile values of a kind of field.
func scalars(field protoreflect.FieldDescriptor) []protoreflect.Value {
	switch field.Kind() {
	case protoreflect.StringKind:
		return []protoreflect.Value{
			protoreflect.ValueOfString("\x00"), protoreflect.ValueOfString(`';--%_\"(` + "\u202e\U0001F984"),
			protoreflect.ValueOfString(strings.Repeat("я", 30_000)), protoreflect.ValueOfString("99999999999999999999"),
		}
	case protoreflect.BytesKind:
		return []protoreflect.Value{protoreflect.ValueOfBytes([]byte("\xff\x00"))}
	case protoreflect.BoolKind:
		return []protoreflect.Value{protoreflect.ValueOfBool(true)}
	case protoreflect.EnumKind:
		return []protoreflect.Value{protoreflect.ValueOfEnum(99), protoreflect.ValueOfEnum(-1), protoreflect.ValueOfEnum(1)}
	case protoreflect.Int32Kind:
		return []protoreflect.Value{protoreflect.ValueOfInt32(math.MaxInt32), protoreflect.ValueOfInt32(math.MinInt32)}
	case protoreflect.Int64Kind:
		return []protoreflect.Value{protoreflect.ValueOfInt64(math.MaxInt64), protoreflect.ValueOfInt64(math.MinInt64), protoreflect.ValueOfInt64(1)}
	case protoreflect.DoubleKind:
		return []protoreflect.Value{protoreflect.ValueOfFloat64(math.NaN()), protoreflect.ValueOfFloat64(math.MaxFloat64)}
	}
	return nil
}
