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
	return append(rules(m), texts(m.ProtoReflect(), "")...)
}

// Rules returns what the protos' own rules refuse, without the look into texts. Use it for requests that carry rows
// which are checked one by one.
func Rules(m proto.Message) []apperr.Violation { return rules(m) }

func rules(m proto.Message) []apperr.Violation {
	err := protovalidate.Validate(m)
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
func texts(m protoreflect.Message, path string) []apperr.Violation {
	var out []apperr.Violation
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		at := join(path, string(field.Name()))
		switch {
		case field.IsMap():
			value.Map().Range(func(key protoreflect.MapKey, item protoreflect.Value) bool {
				where := fmt.Sprintf("%s[%q]", at, key.String())
				out = append(out, text(key.String(), where)...)
				out = append(out, one(field.MapValue(), item, where)...)
				return true
			})
		case field.IsList():
			for i := range value.List().Len() {
				out = append(out, one(field, value.List().Get(i), fmt.Sprintf("%s[%d]", at, i))...)
			}
		default:
			out = append(out, one(field, value, at)...)
		}
		return true
	})
	return out
}

func one(field protoreflect.FieldDescriptor, value protoreflect.Value, at string) []apperr.Violation {
	switch field.Kind() {
	case protoreflect.StringKind:
		return text(value.String(), at)
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return texts(value.Message(), at)
	default:
		return nil
	}
}

func text(s, at string) []apperr.Violation {
	if strings.ContainsRune(s, 0) {
		return []apperr.Violation{{Field: at, Description: "must not contain the character U+0000"}}
	}
	if !isUUID(s) && HasCardNumber(s) {
		return []apperr.Violation{{Field: at, Description: "must not contain a full card number"}}
	}
	return nil
}

// uuidForm is RFC 9562's, with version and variant. One in some ten thousand has the digits of a card number by chance.
var uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$`)

func isUUID(s string) bool { return len(s) == 36 && uuidForm.MatchString(s) }

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
