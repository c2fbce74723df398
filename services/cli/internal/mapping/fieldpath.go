package mapping

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// externalKey is the message of references and of a record's own key.
const externalKey protoreflect.FullName = "tandem.crm.v1.ExternalKey"

// fieldPath leads from a record to the field that a mapping sets.
type fieldPath struct {
	// name as written in the mapping.
	name string
	// steps are the fields on the way; the last is the one that is set.
	steps []protoreflect.FieldDescriptor
	// mapKey is set when the last step is a map: the entry that is set.
	mapKey string
	leaf   leaf
}

// reference says whether the path names an external key of another record.
func (p fieldPath) reference() bool {
	last := p.steps[len(p.steps)-1]
	return last.Message() != nil && last.Message().FullName() == externalKey
}

// field returns the field that gives the value its type.
func (p fieldPath) field() protoreflect.FieldDescriptor {
	last := p.steps[len(p.steps)-1]
	if last.IsMap() {
		return last.MapValue()
	}
	return last
}

// findPath looks a dotted path up in the entity's message.
func findPath(entity Entity, name string) (fieldPath, error) {
	root := entity.New().ProtoReflect().Descriptor()
	p := fieldPath{name: name}
	message := root
	parts := strings.Split(name, ".")
	for i, part := range parts {
		if message == nil {
			return p, fmt.Errorf("%s has no field %q: %s holds a single value", entity, name, strings.Join(parts[:i], "."))
		}
		field := message.Fields().ByName(protoreflect.Name(part))
		if field == nil {
			return p, fmt.Errorf("%s has no field %q%s", entity, name, nearest(name, leafPaths(root, "", 0)))
		}
		if i == 0 && entity.outputOnly(part) {
			return p, fmt.Errorf("%s.%s is set by Tandem alone", entity, part)
		}
		p.steps = append(p.steps, field)
		if field.IsMap() {
			return p, p.finishMap(entity, parts[i+1:])
		}
		message = subMessage(field)
	}
	if message != nil {
		return p, fmt.Errorf("%s.%s has parts: name one of %s", entity, name, strings.Join(leafPaths(message, name+".", 1), ", "))
	}
	var err error
	p.leaf, err = leafOf(p.field())
	return p, err
}

// finishMap takes what follows the name of a map as the key of the entry.
func (p *fieldPath) finishMap(entity Entity, rest []string) error {
	if len(rest) != 1 || rest[0] == "" {
		return fmt.Errorf("%s.%s is a map: write %[2]s.name for one of its entries", entity, p.steps[len(p.steps)-1].Name())
	}
	p.mapKey = rest[0]
	var err error
	p.leaf, err = leafOf(p.field())
	return err
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
		field := fields.Get(i)
		name := prefix + string(field.Name())
		switch sub := subMessage(field); {
		case field.IsMap():
			out = append(out, name+".name")
		case sub != nil && depth < 3:
			out = append(out, leafPaths(sub, name+".", depth+1)...)
		default:
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// set writes a value read by the path's leaf into the record.
func (p fieldPath) set(record protoreflect.Message, value protoreflect.Value) {
	last := len(p.steps) - 1
	for _, step := range p.steps[:last] {
		record = record.Mutable(step).Message()
	}
	field := p.steps[last]
	if field.IsMap() {
		record.Mutable(field).Map().Set(protoreflect.ValueOfString(p.mapKey).MapKey(), value)
		return
	}
	record.Set(field, value)
}
