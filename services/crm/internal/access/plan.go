package access

import (
	"sync"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// plan says what to look at in messages of one type: fields that are meant, and fields whose messages may hold such.
type plan struct {
	meant  []protoreflect.FieldDescriptor
	lead   []protoreflect.FieldDescriptor
	leadTo []*plan
}

// plans are those of all types of messages for one choice of fields, each made when it is first needed. Messages that
// hold nothing of what is meant have none, and are not looked into.
type plans struct {
	means func(protoreflect.FieldDescriptor) bool
	mu    sync.RWMutex
	known map[protoreflect.FullName]*plan
}

func newPlans(means func(protoreflect.FieldDescriptor) bool) *plans {
	return &plans{means: means, known: map[protoreflect.FullName]*plan{}}
}

// of returns the plan of a type, nil when there is nothing to look at.
func (p *plans) of(d protoreflect.MessageDescriptor) *plan {
	p.mu.RLock()
	known, ok := p.known[d.FullName()]
	p.mu.RUnlock()
	if ok {
		return known
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.make(d)
}

func (p *plans) make(d protoreflect.MessageDescriptor) *plan {
	if known, ok := p.known[d.FullName()]; ok {
		return known
	}
	if !p.holds(d, map[protoreflect.FullName]bool{}) {
		p.known[d.FullName()] = nil
		return nil
	}
	made := &plan{}
	p.known[d.FullName()] = made // before its fields: a type may hold itself
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		if p.means(f) {
			made.meant = append(made.meant, f)
			continue
		}
		if inner := messageOf(f); inner != nil {
			if next := p.make(inner); next != nil {
				made.lead, made.leadTo = append(made.lead, f), append(made.leadTo, next)
			}
		}
	}
	return made
}

// holds says whether a type has a field that is meant, at any depth.
func (p *plans) holds(d protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool) bool {
	if seen[d.FullName()] {
		return false
	}
	seen[d.FullName()] = true
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		if p.means(f) {
			return true
		}
		if inner := messageOf(f); inner != nil && p.holds(inner, seen) {
			return true
		}
	}
	return false
}

// messageOf is the type of a field's messages; of a map that of its values. Nil when it holds none.
func messageOf(f protoreflect.FieldDescriptor) protoreflect.MessageDescriptor {
	if f.IsMap() {
		return f.MapValue().Message()
	}
	return f.Message()
}

// visit calls back for every message that a field leads to, with its path.
func visit(m protoreflect.Message, f protoreflect.FieldDescriptor, path string, each func(protoreflect.Message, string)) {
	if !m.Has(f) {
		return
	}
	path += string(f.Name())
	switch value := m.Get(f); {
	case f.IsList():
		for i := range value.List().Len() {
			each(value.List().Get(i).Message(), indexed(path, i))
		}
	case f.IsMap():
		value.Map().Range(func(key protoreflect.MapKey, inner protoreflect.Value) bool {
			each(inner.Message(), path+"["+key.String()+"]")
			return true
		})
	default:
		each(value.Message(), path)
	}
}
