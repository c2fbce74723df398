package show

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	datepb "google.golang.org/genproto/googleapis/type/date"
	moneypb "google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// untold are fields that a heading tells, or that are for programs.
var untold = []protoreflect.Name{"etag", "create_time", "update_time"}

// Facts prints all that an answer says of a record: what is short in one line, and a line for each group of fields and for
// each member of a list.
func Facts(w io.Writer, record protoreflect.Message) {
	var short []string
	var groups [][2]string
	for _, f := range filled(record) {
		name, value := words(f), record.Get(f)
		switch {
		case f.IsList() && f.Message() != nil:
			for i := range value.List().Len() {
				groups = append(groups, [2]string{name, text(f, value.List().Get(i))})
			}
		case f.IsMap(), f.Message() != nil && !small(value.Message()):
			groups = append(groups, [2]string{name, whole(f, value)})
		default:
			short = append(short, phrase(f, value))
		}
	}
	if len(short) > 0 {
		_, _ = fmt.Fprintf(w, "  %s\n", strings.Join(short, ", "))
	}
	for _, group := range groups {
		_, _ = fmt.Fprintf(w, "  %s: %s\n", group[0], group[1])
	}
}

// filled are the fields of a message that have a value, in the order of the contract.
func filled(m protoreflect.Message) []protoreflect.FieldDescriptor {
	var fields []protoreflect.FieldDescriptor
	m.Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		own := string(f.Name()) == strings.ToLower(string(m.Descriptor().Name()))+"_id"
		if !own && !slices.Contains(untold, f.Name()) {
			fields = append(fields, f)
		}
		return true
	})
	slices.SortFunc(fields, func(a, b protoreflect.FieldDescriptor) int { return cmp.Compare(a.Number(), b.Number()) })
	return fields
}

// words is the name of a field as people say it.
func words(f protoreflect.FieldDescriptor) string {
	name := string(f.Name())
	if f.Kind() == protoreflect.Int64Kind {
		name = strings.TrimSuffix(name, "_id") // "branch 7"
	}
	return strings.ReplaceAll(name, "_", " ")
}

// small says whether a message is one value to people.
func small(m protoreflect.Message) bool {
	switch m.Interface().(type) {
	case *datepb.Date, *moneypb.Money, *timestamppb.Timestamp, *crmv1.ExternalKey:
		return true
	default:
		return false
	}
}

// phrase is a name with its value; what is true needs none.
func phrase(f protoreflect.FieldDescriptor, value protoreflect.Value) string {
	if f.Kind() == protoreflect.BoolKind && !f.IsList() {
		return words(f)
	}
	return words(f) + " " + whole(f, value)
}

func whole(f protoreflect.FieldDescriptor, value protoreflect.Value) string {
	var parts []string
	switch {
	case f.IsList():
		for i := range value.List().Len() {
			parts = append(parts, text(f, value.List().Get(i)))
		}
	case f.IsMap():
		value.Map().Range(func(key protoreflect.MapKey, v protoreflect.Value) bool {
			parts = append(parts, key.String()+" "+text(f.MapValue(), v))
			return true
		})
		slices.Sort(parts)
	default:
		return text(f, value)
	}
	return strings.Join(parts, ", ")
}

// text is one value.
func text(f protoreflect.FieldDescriptor, value protoreflect.Value) string {
	switch {
	case f.Enum() != nil:
		return enumText(f.Enum(), value.Enum())
	case f.Message() == nil:
		return value.String()
	}
	switch m := value.Message().Interface().(type) {
	case *datepb.Date:
		return Date(m)
	case *moneypb.Money:
		return Money(m)
	case *timestamppb.Timestamp:
		return Time(m)
	case *crmv1.ExternalKey:
		return m.GetSource() + "/" + m.GetExternalId()
	case *crmv1.AttributeValue:
		set := filled(m.ProtoReflect())
		if len(set) == 0 {
			return none
		}
		return whole(set[0], m.ProtoReflect().Get(set[0]))
	}
	var parts []string
	for _, inner := range filled(value.Message()) {
		told := phrase(inner, value.Message().Get(inner))
		if inner.Message() != nil && !inner.IsMap() && (inner.IsList() || !small(value.Message().Get(inner).Message())) {
			told = words(inner) + " (" + whole(inner, value.Message().Get(inner)) + ")"
		}
		parts = append(parts, told)
	}
	return strings.Join(parts, ", ")
}

// enumText drops what all values of an enum begin with.
func enumText(e protoreflect.EnumDescriptor, number protoreflect.EnumNumber) string {
	value := e.Values().ByNumber(number)
	if value == nil {
		return fmt.Sprint(number)
	}
	prefix := strings.TrimSuffix(string(e.Values().ByNumber(0).Name()), "UNSPECIFIED")
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(string(value.Name()), prefix)), "_", " ")
}
