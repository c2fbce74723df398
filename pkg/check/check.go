// Package check validates a message the same way at every door: the rules written in the protos, text that the
// database can hold, and no full card number in any field.
package check

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"tandem.bank/pkg/apperr"
)

// Message returns every broken field of the message, with paths that start at the message.
func Message(m proto.Message) []apperr.Violation {
	return append(rules(m), texts(m.ProtoReflect())...)
}

// Rules returns what the protos' own rules refuse, without the look into texts. Use it for requests that carry rows
// which are checked one by one.
func Rules(m proto.Message) []apperr.Violation { return rules(m) }

// Envelope returns the broken fields of a request itself, and leaves the message that it carries to whoever takes it.
func Envelope(m proto.Message) []apperr.Violation {
	request := m.ProtoReflect().Descriptor()
	out := rules(m, protovalidate.WithFilter(protovalidate.FilterFunc(func(in protoreflect.Message, _ protoreflect.Descriptor) bool {
		return in.Descriptor() == request
	})))
	m.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if field.Message() == nil {
			out = append(out, inField(field, value)...)
		}
		return true
	})
	return out
}

func rules(m proto.Message, options ...protovalidate.ValidationOption) []apperr.Violation {
	err := protovalidate.Validate(m, options...)
	if err == nil {
		return nil
	}
	var invalid *protovalidate.ValidationError
	if !errors.As(err, &invalid) {
		return []apperr.Violation{{Field: "", Description: err.Error()}}
	}
	out := make([]apperr.Violation, 0, len(invalid.Violations))
	for _, v := range invalid.Violations {
		out = append(out, apperr.Violation{
			Field:       protovalidate.FieldPathString(v.Proto.GetField()),
			Description: v.Proto.GetMessage(),
		})
	}
	return out
}

// texts walks every string of the message.
func texts(m protoreflect.Message) []apperr.Violation {
	var out []apperr.Violation
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		out = append(out, inField(field, value)...)
		return true
	})
	return out
}

// inField walks every string of a field. Paths are put together only for what is refused: mostly that is nothing.
func inField(field protoreflect.FieldDescriptor, value protoreflect.Value) []apperr.Violation {
	var out []apperr.Violation
	name := string(field.Name())
	switch {
	case field.IsMap():
		value.Map().Range(func(key protoreflect.MapKey, item protoreflect.Value) bool {
			if found := append(text(key.String()), one(field.MapValue(), item)...); len(found) > 0 {
				out = append(out, within(fmt.Sprintf("%s[%q]", name, key.String()), found)...)
			}
			return true
		})
	case field.IsList():
		for i := range value.List().Len() {
			if found := one(field, value.List().Get(i)); len(found) > 0 {
				out = append(out, within(fmt.Sprintf("%s[%d]", name, i), found)...)
			}
		}
	default:
		out = within(name, one(field, value))
	}
	return out
}

func one(field protoreflect.FieldDescriptor, value protoreflect.Value) []apperr.Violation {
	switch field.Kind() {
	case protoreflect.StringKind:
		return text(value.String())
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return texts(value.Message())
	default:
		return nil
	}
}

func text(s string) []apperr.Violation {
	if strings.IndexByte(s, 0) >= 0 {
		return []apperr.Violation{{Description: "must not contain the character U+0000"}}
	}
	if HasCardNumber(s) && !isUUID(s) {
		return []apperr.Violation{{Description: "must not contain a full card number"}}
	}
	return nil
}

// within puts a field's name before the paths of what was found in it.
func within(name string, found []apperr.Violation) []apperr.Violation {
	for i := range found {
		if found[i].Field == "" {
			found[i].Field = name
		} else {
			found[i].Field = name + "." + found[i].Field
		}
	}
	return found
}

// uuidForm is RFC 9562's, with version and variant. One in some ten thousand has the digits of a card number by chance.
var uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$`)

func isUUID(s string) bool { return len(s) == 36 && uuidForm.MatchString(s) }
