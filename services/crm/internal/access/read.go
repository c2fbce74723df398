package access

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// reader reads the file node by node, so that every error can name its line.
type reader struct {
	policy  *Policy
	methods []string
	errs    []error
}

// errorsMax bounds how many errors are listed: one slip in the indentation can cause many.
const errorsMax = 50

func (r *reader) refuse(line int, format string, args ...any) {
	if len(r.errs) < errorsMax {
		r.errs = append(r.errs, fmt.Errorf("%s, line %d: %s", r.policy.Origin, line, fmt.Sprintf(format, args...)))
	}
}

func (r *reader) read(text []byte) error {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return fmt.Errorf("%s: %w", r.policy.Origin, err)
	}
	if len(document.Content) == 0 {
		return fmt.Errorf("%s: the policy is empty", r.policy.Origin)
	}
	r.policy.open, r.policy.classOf = map[string]bool{}, map[string]*classified{}
	r.policy.aliases = map[string]protoreflect.FieldDescriptor{}
	var roles *yaml.Node
	for _, e := range r.entries(document.Content[0], "the policy") {
		switch e.name {
		case "version":
			if e.value.Value != "1" {
				r.refuse(e.line, "version %q is not known; this crm reads version 1", e.value.Value)
			}
		case "methods":
			r.groups(e.value)
		case "fields":
			r.classes(e.value)
		case "filters":
			for name := range r.names(e.value, "filters") {
				r.policy.open[name] = true
			}
		case "aliases":
			r.aliases(e.value)
		case "roles":
			roles = e.value
		default:
			r.refuse(e.line, "%q is not a part of a policy; it has version, methods, fields, filters, aliases, roles", e.name)
		}
	}
	if roles == nil {
		r.refuse(document.Content[0].Line, "roles are missing")
	} else {
		r.roles(roles)
	}
	return errors.Join(r.errs...)
}

// aliases reads for which fields names in filters stand.
func (r *reader) aliases(n *yaml.Node) {
	for _, e := range r.entries(n, "aliases") {
		if r.policy.aliases[e.name] = apiField(e.value.Value); r.policy.aliases[e.name] == nil {
			r.refuse(e.line, "aliases: %q is not a field of the API; write Message.field", e.value.Value)
		}
	}
}

// entry is one name of a mapping with its value.
type entry struct {
	name  string
	line  int
	value *yaml.Node
}

// entries reads a mapping; a name that comes twice is refused.
func (r *reader) entries(n *yaml.Node, what string) []entry {
	if n.Kind != yaml.MappingNode {
		r.refuse(n.Line, "%s must be a mapping of names", what)
		return nil
	}
	var out []entry
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode || seen[key.Value] {
			r.refuse(key.Line, "%s: %q comes twice, or is no name", what, key.Value)
			continue
		}
		seen[key.Value] = true
		out = append(out, entry{key.Value, key.Line, n.Content[i+1]})
	}
	return out
}

// names reads a list of names with their lines.
func (r *reader) names(n *yaml.Node, what string) map[string]int {
	out := map[string]int{}
	if n.Kind != yaml.SequenceNode {
		r.refuse(n.Line, "%s must be a list", what)
		return out
	}
	for _, item := range n.Content {
		if item.Kind != yaml.ScalarNode || out[item.Value] != 0 {
			r.refuse(item.Line, "%s: %q comes twice, or is no name", what, item.Value)
			continue
		}
		out[item.Value] = item.Line
	}
	return out
}

func (r *reader) groups(n *yaml.Node) {
	for _, e := range r.entries(n, "methods") {
		g := &group{name: e.name, line: e.line, methods: map[string]int{}}
		if e.name == everything {
			r.refuse(e.line, "a group can't be called %q", everything)
		}
		for _, part := range r.entries(e.value, e.name) {
			switch part.name {
			case "title":
				g.title = part.value.Value
			case "calls":
				for pattern, line := range r.names(part.value, e.name+".calls") {
					r.calls(g, pattern, line)
				}
			default:
				r.refuse(part.line, "%s: %q is not a part of a group; it has title and calls", e.name, part.name)
			}
		}
		r.policy.groups = append(r.policy.groups, g)
	}
}

// calls adds the methods that a pattern names, such as "CardService/Get*".
func (r *reader) calls(g *group, pattern string, line int) {
	found := false
	for _, method := range r.methods {
		matched, err := path.Match(pattern, shortMethod(method))
		if err != nil {
			r.refuse(line, "%s: %q is not a pattern", g.name, pattern)
			return
		}
		if matched {
			found = true
			g.methods[method] = line
		}
	}
	if !found {
		r.refuse(line, "%s: %q names no method of the API", g.name, pattern)
	}
}

func (r *reader) classes(n *yaml.Node) {
	for _, e := range r.entries(n, "fields") {
		c := &class{name: e.name, line: e.line}
		if e.name == everything {
			r.refuse(e.line, "a class can't be called %q", everything)
		}
		for _, part := range r.entries(e.value, e.name) {
			switch part.name {
			case "title":
				c.title = part.value.Value
			case "fields":
				for _, f := range r.entries(part.value, e.name+".fields") {
					r.field(c, f)
				}
			default:
				r.refuse(part.line, "%s: %q is not a part of a class; it has title and fields", e.name, part.name)
			}
		}
		r.policy.classes = append(r.policy.classes, c)
	}
}

func (r *reader) field(c *class, e entry) {
	descriptor := apiField(e.name)
	w, known := ways[e.value.Value]
	switch {
	case descriptor == nil:
		r.refuse(e.line, "%s: %q is not a field of the API; write Message.field", c.name, e.name)
	case r.policy.classOf[e.name] != nil:
		r.refuse(e.line, "%s: %s is in class %s already", c.name, e.name, r.policy.classOf[e.name].class.name)
	case !known:
		r.refuse(e.line, "%s: %q is not a way to show a part; there are %s", c.name, e.value.Value, strings.Join(wayNames(), ", "))
	case !w.fits(descriptor):
		r.refuse(e.line, "%s: %s can't be shown as %q", c.name, e.name, e.value.Value)
	default:
		f := &classified{name: e.name, class: c, way: w, line: e.line}
		c.fields, r.policy.classOf[e.name] = append(c.fields, f), f
	}
}

func (r *reader) roles(n *yaml.Node) {
	for _, e := range r.entries(n, "roles") {
		role := &role{name: e.name, line: e.line}
		for _, part := range r.entries(e.value, e.name) {
			r.rolePart(role, part)
		}
		if role.rows == "" {
			r.refuse(e.line, "%s: rows are missing: %s", e.name, strings.Join(scopes, ", "))
		}
		for name, line := range role.mask {
			if role.show[name] != 0 {
				r.refuse(line, "%s: %s can't be shown and masked", e.name, name)
			}
		}
		r.policy.roles = append(r.policy.roles, role)
	}
}

var scopes = []string{rowsNone, rowsOwn, rowsTree, rowsBranch, rowsAll}

func (r *reader) rolePart(role *role, part entry) {
	what := role.name + "." + part.name
	known := func(lines map[string]int, exists func(string) bool, kind string) map[string]int {
		for name, line := range lines {
			if name != everything && !exists(name) {
				r.refuse(line, "%s: %q is not a %s", what, name, kind)
			}
		}
		return lines
	}
	isGroup := func(name string) bool {
		return slices.ContainsFunc(r.policy.groups, func(g *group) bool { return g.name == name })
	}
	isClass := func(name string) bool {
		return slices.ContainsFunc(r.policy.classes, func(c *class) bool { return c.name == name })
	}
	switch part.name {
	case "title":
		role.title = part.value.Value
	case "rows":
		role.rows, role.rowsLine = part.value.Value, part.line
		if !slices.Contains(scopes, role.rows) {
			r.refuse(part.line, "%s: %q is not a scope; there are %s", what, role.rows, strings.Join(scopes, ", "))
		}
	case "may":
		role.may = known(r.names(part.value, what), isGroup, "group of methods")
	case "show":
		role.show = known(r.names(part.value, what), isClass, "class of fields")
	case "mask":
		role.mask = known(r.names(part.value, what), isClass, "class of fields")
	case "write":
		role.write = known(r.names(part.value, what), isClass, "class of fields")
	default:
		r.refuse(part.line, "%s: %q is not a part of a role; it has title, rows, may, show, mask, write", role.name, part.name)
	}
}
