package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// listElement is an element of a list that is left out of a record for which no column gives it a value.
type listElement struct {
	steps []step
}

func (e listElement) last() step { return e.steps[len(e.steps)-1] }

// findElements notes which elements the columns decide on. Elements of lists within elements come before those, and of
// one list the last come first, so that leaving one out moves none that is still to be looked at.
func (f *Feed) findElements() {
	for _, rule := range f.fields {
		if len(rule.value.uses) == 0 {
			continue // always the same: no reason to keep an element
		}
		for i, s := range rule.path.steps {
			if s.field.IsList() && !slices.ContainsFunc(f.elements, named(s.name)) {
				f.elements = append(f.elements, listElement{steps: rule.path.steps[:i+1]})
			}
		}
	}
	slices.SortStableFunc(f.elements, func(a, b listElement) int {
		return cmp.Or(cmp.Compare(len(b.steps), len(a.steps)), cmp.Compare(b.last().index, a.last().index))
	})
	for i, rule := range f.fields {
		if len(rule.value.uses) == 0 {
			continue
		}
		for _, s := range rule.path.steps {
			if at := slices.IndexFunc(f.elements, named(s.name)); at >= 0 {
				f.fields[i].elements = append(f.fields[i].elements, at)
			}
		}
	}
}

func named(name string) func(listElement) bool {
	return func(e listElement) bool { return e.last().name == name }
}

// leaveOut removes the elements that got no value.
func (f *Feed) leaveOut(record protoreflect.Message, got []bool) {
	for i, e := range f.elements {
		if !got[i] {
			e.remove(record)
		}
	}
}

// remove takes the element out of the record, when it is there.
func (e listElement) remove(record protoreflect.Message) {
	for _, s := range e.steps[:len(e.steps)-1] {
		if record = s.look(record); record == nil {
			return
		}
	}
	s := e.last()
	if !record.Has(s.field) {
		return
	}
	list := record.Mutable(s.field).List()
	if s.index >= list.Len() {
		return
	}
	for i := s.index; i+1 < list.Len(); i++ {
		list.Set(i, list.Get(i+1))
	}
	list.Truncate(list.Len() - 1)
}

// look returns the message that stands here, or nil.
func (s step) look(in protoreflect.Message) protoreflect.Message {
	if !in.Has(s.field) {
		return nil
	}
	value := in.Get(s.field)
	switch {
	case s.field.IsMap():
		if value = value.Map().Get(s.key); !value.IsValid() {
			return nil
		}
	case s.field.IsList():
		if s.index >= value.List().Len() {
			return nil
		}
		value = value.List().Get(s.index)
	}
	return value.Message()
}

// checkElements finds gaps in lists: an element without the one before it is a mistake in counting.
func (r *reader) checkElements(node *yaml.Node, entity Entity, paths []fieldPath) {
	known, reported := map[string]bool{}, map[string]bool{}
	for _, p := range paths {
		for _, s := range p.steps {
			known[s.name] = true
		}
	}
	for _, p := range paths {
		for _, s := range p.steps {
			if !s.field.IsList() || s.index == 0 {
				continue
			}
			if before := s.before(); !known[before] && !reported[before] {
				reported[before] = true
				r.at(node, "%s.%s is set and %s is not: elements are counted from 0, without gaps", entity, s.name, before)
			}
		}
	}
}

// before is the path of the element before this one.
func (s step) before() string {
	return fmt.Sprintf("%s[%d]", s.name[:strings.LastIndex(s.name, "[")], s.index-1)
}
