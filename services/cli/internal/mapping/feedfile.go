package mapping

import (
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"tandem.bank/pkg/check"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// readFeed reads an item of `feeds`.
func (m *Mapping) readFeed(r *reader, s *scope, node *yaml.Node) *Feed {
	f := &Feed{}
	var key, constants, fields *yaml.Node
	named := false
	r.object(node, "a feed", map[string]func(*yaml.Node){
		"entity":    func(n *yaml.Node) { named, f.Entity = true, r.entity(n) },
		"when":      func(n *yaml.Node) { f.when = r.when(s, n) },
		"key":       func(n *yaml.Node) { key = n },
		"constants": func(n *yaml.Node) { constants = n },
		"fields":    func(n *yaml.Node) { fields = n },
	})
	if !named {
		r.at(node, "a feed needs an `entity`")
	}
	if f.Entity == "" {
		return f
	}
	f.template = f.Entity.New()
	if !f.Entity.Keyed() {
		r.keyless(key, f.Entity)
	} else if key == nil {
		r.at(node, "a feed needs a `key`: the external key that makes a second import an update")
	} else if rule := m.readKey(r, s, f.Entity, text{value: "key", node: key}, key); rule != nil {
		rule.required = true
		f.fields = append(f.fields, *rule)
	}
	paths := m.readConstants(r, f.Entity, f.template, constants)
	if fields != nil {
		f.fields = append(f.fields, m.readFields(r, s, f.Entity, fields)...)
	}
	for _, rule := range f.fields {
		paths = append(paths, rule.path)
	}
	r.checkOverlap(node, f.Entity, paths)
	f.findElements()
	return f
}

// readRecords reads `records`: records made of constants alone, checked at once by the rules of the contract.
func (m *Mapping) readRecords(r *reader, node *yaml.Node) {
	for _, item := range r.list(node, "records") {
		var entity Entity
		var key, constants *yaml.Node
		named := false
		r.object(item, "a record", map[string]func(*yaml.Node){
			"entity":    func(n *yaml.Node) { named, entity = true, r.entity(n) },
			"key":       func(n *yaml.Node) { key = n },
			"constants": func(n *yaml.Node) { constants = n },
		})
		keyed := entity == "" || entity.Keyed()
		if !named || keyed && key == nil {
			r.at(item, "a record needs `entity` and `key`")
		}
		if entity == "" || keyed && key == nil {
			continue
		}
		record := entity.New()
		mistakes := r.count()
		if keyed {
			m.setConstantKey(r, entity, record, text{value: "key", node: key}, key)
		} else {
			r.keyless(key, entity)
		}
		r.checkOverlap(item, entity, m.readConstants(r, entity, record, constants))
		if r.count() == mistakes {
			for _, v := range check.Message(record) {
				r.at(item, "%s: %s", v.Field, v.Description)
			}
		}
		m.Constants = append(m.Constants, Constant{Entity: entity, Record: record, Line: item.Line})
	}
}

// keyless refuses a key for records that have none.
func (r *reader) keyless(key *yaml.Node, entity Entity) {
	if key != nil {
		r.at(key, "%s has no `key`: a row is told apart by account_key, as_of_time and business_date", entity)
	}
}

func (r *reader) entity(node *yaml.Node) Entity {
	t := r.text(node, "entity")
	if !slices.Contains(entityNames(), t.value) {
		r.at(node, "entity %q is not one of %s", t.value, strings.Join(entityNames(), ", "))
		return ""
	}
	return Entity(t.value)
}

func (r *reader) when(s *scope, node *yaml.Node) *expression {
	e := r.expression(s, node, "when")
	if e != nil && e.result.Kind() != types.BoolKind {
		r.at(node, "when must give true or false, not a %s", e.result.TypeName())
	}
	return e
}

// readFields reads `fields`: expressions by path.
func (m *Mapping) readFields(r *reader, s *scope, entity Entity, node *yaml.Node) []fieldRule {
	var out []fieldRule
	for _, e := range r.entries(node, "fields") {
		p, err := findPath(entity, e.key.value)
		if err != nil {
			r.at(e.key.node, "%v", err)
			continue
		}
		if p.reference() {
			if rule := m.readKey(r, s, entity, e.key, e.value); rule != nil {
				out = append(out, *rule)
			}
			continue
		}
		value := r.expression(s, e.value, e.key.value)
		if value == nil {
			continue
		}
		if !value.fits(p.leaf) {
			r.at(e.value, "%s takes %s, and the expression gives a %s", e.key.value, p.leaf.what, value.result.TypeName())
		}
		for _, outcome := range s.outcomes(value.root) {
			if _, err := p.leaf.parse(outcome); !blank(outcome) && err != nil {
				r.at(e.value, "%s: %v", e.key.value, err)
			}
		}
		out = append(out, fieldRule{path: p, value: value})
	}
	return out
}

// readKey reads `{source: name, id: expression}` for an external key.
func (m *Mapping) readKey(r *reader, s *scope, entity Entity, name text, node *yaml.Node) *fieldRule {
	p, err := findPath(entity, name.value)
	if err != nil {
		r.at(name.node, "%v", err)
		return nil
	}
	rule := fieldRule{path: p, source: m.source}
	r.object(node, name.value, map[string]func(*yaml.Node){
		"source": func(n *yaml.Node) { rule.source = r.name(n, "source") },
		"id":     func(n *yaml.Node) { rule.value = r.expression(s, n, name.value+".id") },
	})
	if rule.source == "" {
		r.at(node, "%s needs a `source`, here or for the whole mapping", name.value)
	}
	if rule.value == nil {
		r.at(node, "%s needs an `id`", name.value)
		return nil
	}
	if !rule.value.fits(leaf{kind: kindText}) {
		r.at(node, "%s.id takes a text, and the expression gives a %s", name.value, rule.value.result.TypeName())
	}
	return &rule
}

// readConstants reads `constants` into the record and returns their paths.
func (m *Mapping) readConstants(r *reader, entity Entity, record proto.Message, node *yaml.Node) []fieldPath {
	if node == nil {
		return nil
	}
	var out []fieldPath
	for _, e := range r.entries(node, "constants") {
		p, err := findPath(entity, e.key.value)
		if err != nil {
			r.at(e.key.node, "%v", err)
			continue
		}
		out = append(out, p)
		if p.reference() {
			m.setConstantKey(r, entity, record, e.key, e.value)
			continue
		}
		value, err := p.leaf.parse(r.text(e.value, e.key.value).value)
		if err != nil {
			r.at(e.value, "%s: %v", e.key.value, err)
			continue
		}
		p.set(record.ProtoReflect(), value)
	}
	return out
}

// setConstantKey sets an external key from `{source: name, id: text}`.
func (m *Mapping) setConstantKey(r *reader, entity Entity, record proto.Message, name text, node *yaml.Node) {
	p, err := findPath(entity, name.value)
	if err != nil {
		r.at(name.node, "%v", err)
		return
	}
	key := &crmv1.ExternalKey{Source: m.source}
	r.object(node, name.value, map[string]func(*yaml.Node){
		"source": func(n *yaml.Node) { key.Source = r.name(n, "source") },
		"id":     func(n *yaml.Node) { key.ExternalId = r.text(n, name.value+".id").value },
	})
	for _, v := range check.Message(key) {
		r.at(node, "%s.%s: %s", name.value, v.Field, v.Description)
	}
	p.set(record.ProtoReflect(), protoreflect.ValueOfMessage(key.ProtoReflect()))
}

// checkOverlap finds fields that are set twice, two members of one oneof (the later would silently win), and gaps in lists.
func (r *reader) checkOverlap(node *yaml.Node, entity Entity, paths []fieldPath) {
	names := map[string]bool{}
	members := map[string]step{}
	for _, p := range paths {
		if names[p.name] {
			r.at(node, "%s.%s is set twice", entity, p.name)
		}
		names[p.name] = true
		inside := ""
		for _, s := range p.steps {
			choice := s.field.ContainingOneof()
			if choice == nil || choice.IsSynthetic() {
				inside = s.name
				continue
			}
			where := inside + " " + string(choice.FullName())
			if other, ok := members[where]; ok && other.field != s.field {
				r.at(node, "%s can't have both %s and %s: write two feeds with `when`", entity, other.name, s.name)
			}
			members[where] = s
			inside = s.name
		}
	}
	r.checkElements(node, entity, paths)
}
