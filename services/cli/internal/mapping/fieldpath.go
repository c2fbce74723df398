package mapping

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// externalKey is the message of references and of a record's own key.
const externalKey protoreflect.FullName = "tandem.crm.v1.ExternalKey"

// fieldPath leads from a record to the field that a mapping sets.
type fieldPath struct {
	// name as written in the mapping.
	name string
	// steps on the way; the last is the one that is set.
	steps []step
	leaf  leaf
}

// step is one field on the way: a field, an element of a list or an entry of a map.
type step struct {
	field protoreflect.FieldDescriptor
	// name is the path up to here.
	name string
	// index of the element, when the field is a list.
	index int
	// key of the entry, when the field is a map.
	key protoreflect.MapKey
}

// value is the field that gives what stands here its type.
func (s step) value() protoreflect.FieldDescriptor {
	if s.field.IsMap() {
		return s.field.MapValue()
	}
	return s.field
}

// message is what to descend into; nil for what one text fills.
func (s step) message() protoreflect.MessageDescriptor { return subMessage(s.value()) }

func (p fieldPath) last() step { return p.steps[len(p.steps)-1] }

// reference says whether the path names an external key of another record.
func (p fieldPath) reference() bool {
	message := p.last().value().Message()
	return message != nil && message.FullName() == externalKey
}

// findPath looks a dotted path up in the entity's message.
func findPath(entity Entity, name string) (fieldPath, error) {
	p := fieldPath{name: name}
	message := entity.New().ProtoReflect().Descriptor()
	rest := name
	for more := true; more; {
		before := strings.TrimSuffix(name[:len(name)-len(rest)], ".")
		if message == nil {
			return p, fmt.Errorf("%s has no field %q: %s holds a single value", entity, name, before)
		}
		s, length, err := findStep(entity, message, before, rest)
		if err != nil {
			return p, err
		}
		p.steps = append(p.steps, s)
		message = s.message()
		rest, more = strings.CutPrefix(rest[length:], ".")
	}
	if message != nil {
		return p, fmt.Errorf("%s.%s has parts: name one of %s", entity, name, strings.Join(leafPaths(message, name+".", 1), ", "))
	}
	var err error
	p.leaf, err = leafOf(p.last().value())
	return p, err
}

// element is the place in a list, counted from 0.
var element = regexp.MustCompile(`^(.*)\[(0|[1-9][0-9]?)\]$`)

// findStep looks up what stands at the beginning of the rest of a path, and says how long that is.
func findStep(entity Entity, message protoreflect.MessageDescriptor, before, rest string) (step, int, error) {
	prefix := before
	if prefix != "" {
		prefix += "."
	}
	part, after, _ := strings.Cut(rest, ".")
	s, fieldName, length := step{}, part, len(part)
	at := element.FindStringSubmatch(part)
	if at != nil {
		fieldName = at[1]
		s.index, _ = strconv.Atoi(at[2]) // the pattern leaves no other
	}
	path := prefix + fieldName
	if s.field = message.Fields().ByName(protoreflect.Name(fieldName)); s.field == nil {
		name := prefix + rest
		return s, 0, fmt.Errorf("%s has no field %q%s", entity, name, nearest(name, leafPaths(message, prefix, 0)))
	}
	if before == "" && entity.outputOnly(fieldName) {
		return s, 0, fmt.Errorf("%s.%s is set by Tandem alone", entity, path)
	}
	switch {
	case s.field.IsList() && at == nil:
		return s, 0, fmt.Errorf("%s.%s is a list: write %[2]s[0] for its first element", entity, path)
	case !s.field.IsList() && at != nil:
		return s, 0, fmt.Errorf("%s.%s is no list", entity, path)
	case s.field.IsMap():
		key, _, _ := strings.Cut(after, ".")
		if key == "" || s.field.MapKey().Kind() != protoreflect.StringKind {
			return s, 0, fmt.Errorf("%s.%s is a map: write %[2]s.name for one of its entries", entity, path)
		}
		s.key = protoreflect.ValueOfString(key).MapKey()
		length += len(".") + len(key)
	}
	s.name = prefix + rest[:length]
	return s, length, nil
}

// subMessage returns the message to descend into; nil for fields that one text fills.
func subMessage(field protoreflect.FieldDescriptor) protoreflect.MessageDescriptor {
	message := field.Message()
	if message == nil || messageLeaves[message.FullName()] != nil || message.FullName() == externalKey {
		return nil
	}
	return message
}

// leafPaths lists the paths that can be set, for suggestions.
func leafPaths(message protoreflect.MessageDescriptor, prefix string, depth int) []string {
	var out []string
	fields := message.Fields()
	for i := range fields.Len() {
		s := step{field: fields.Get(i)}
		name := prefix + string(s.field.Name())
		switch {
		case s.field.IsMap():
			name += ".name"
		case s.field.IsList():
			name += "[0]"
		}
		if sub := s.message(); sub != nil && depth < 3 {
			out = append(out, leafPaths(sub, name+".", depth+1)...)
			continue
		}
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// set writes a value read by the path's leaf into the record.
func (p fieldPath) set(record protoreflect.Message, value protoreflect.Value) {
	for _, s := range p.steps[:len(p.steps)-1] {
		record = s.enter(record)
	}
	switch s := p.last(); {
	case s.field.IsMap():
		record.Mutable(s.field).Map().Set(s.key, value)
	case s.field.IsList():
		s.list(record).Set(s.index, value)
	default:
		record.Set(s.field, value)
	}
}

// enter returns the message that stands here, making it when there is none.
func (s step) enter(in protoreflect.Message) protoreflect.Message {
	switch {
	case s.field.IsMap():
		return in.Mutable(s.field).Map().Mutable(s.key).Message()
	case s.field.IsList():
		return s.list(in).Get(s.index).Message()
	default:
		return in.Mutable(s.field).Message()
	}
}

// list returns the list, long enough for the element.
func (s step) list(in protoreflect.Message) protoreflect.List {
	list := in.Mutable(s.field).List()
	for list.Len() <= s.index {
		list.Append(list.NewElement())
	}
	return list
}
