// Package readmask shows of a message only what a caller asks for (AIP-157).
package readmask

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
)

// wildcard stands for everything.
const wildcard = "*"

// Mask is what a caller asks for. The nil Mask is everything.
type Mask map[string]Mask

// Parse reads a mask over a kind of message. Paths go into messages, also into each of a list. No path, or "*", is
// everything; unknown paths are all named, each with the name that it may stand for.
func Parse(mask *fieldmaskpb.FieldMask, over protoreflect.MessageDescriptor) (Mask, error) {
	if paths := mask.GetPaths(); len(paths) == 0 || slices.Contains(paths, wildcard) {
		return nil, nil
	}
	parsed := Mask{}
	var broken []apperr.Violation
	for _, path := range mask.GetPaths() {
		if fault := Fault(path, over); fault != "" {
			broken = append(broken, apperr.Violation{Field: "read_mask", Description: fault})
			continue
		}
		parsed.add(strings.Split(path, "."))
	}
	return parsed, apperr.Invalid(broken...)
}

// Fault says what is wrong with a path over a kind of message, and which name it may stand for; empty is nothing.
func Fault(path string, over protoreflect.MessageDescriptor) string {
	for i, name := range strings.Split(path, ".") {
		if over == nil {
			return fmt.Sprintf("%q goes into a field that has no fields", path)
		}
		field := over.Fields().ByName(protoreflect.Name(name))
		if field == nil {
			names := make([]string, over.Fields().Len())
			for j := range names {
				names[j] = string(over.Fields().Get(j).Name())
			}
			before := strings.Join(strings.Split(path, ".")[:i], ".")
			if before != "" {
				before += "."
			}
			if like := filter.Nearest(name, names); like != "" {
				return fmt.Sprintf("%q is not a field; did you mean %q?", path, before+like)
			}
			return fmt.Sprintf("%q is not a field; %s has %s", path, over.Name(), strings.Join(names, ", "))
		}
		over = held(field)
	}
	return ""
}

// held is the kind of message in a field; nil when it holds none.
func held(field protoreflect.FieldDescriptor) protoreflect.MessageDescriptor {
	if field.IsMap() {
		return nil
	}
	return field.Message()
}

// add puts a path in. A path to the whole of something makes those into it idle.
func (m Mask) add(path []string) {
	inner, known := m[path[0]]
	switch {
	case len(path) == 1:
		m[path[0]] = nil
	case known && inner == nil:
	default:
		if !known {
			inner = Mask{}
			m[path[0]] = inner
		}
		inner.add(path[1:])
	}
}

// Has reports whether anything of a field is asked for.
func (m Mask) Has(field string) bool {
	_, ok := m[field]
	return ok || m == nil
}

// Paths are the paths of the mask in their order, without those that others make idle. Everything has none.
func (m Mask) Paths() []string {
	var paths []string
	for field, inner := range m {
		if inner == nil {
			paths = append(paths, field)
		}
		for _, rest := range inner.Paths() {
			paths = append(paths, field+"."+rest)
		}
	}
	slices.Sort(paths)
	return paths
}

// Prune clears in a message what nobody asked for.
func (m Mask) Prune(message proto.Message) { m.prune(message.ProtoReflect()) }

func (m Mask) prune(message protoreflect.Message) {
	if m == nil {
		return
	}
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		inner, asked := m[string(field.Name())]
		switch {
		case !asked:
			message.Clear(field)
		case inner == nil:
		case field.IsList():
			for i := range value.List().Len() {
				inner.prune(value.List().Get(i).Message())
			}
		default:
			inner.prune(value.Message())
		}
		return true
	})
}
