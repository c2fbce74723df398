package access

import (
	"slices"
	"strings"
	"sync"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// view is how a field is shown.
type view int

const (
	hidden view = iota
	masked
	shown
)

// grant is what some roles together may do with one method.
type grant struct {
	// roles that allow the method; none means that it is refused.
	roles  []*role
	scopes map[string]bool
	// clouded are the fields that are not shown in full.
	clouded map[string]bool
	// answers masks what is not shown in full, requests finds what may not be written, partial what may be written though it
	// is not shown in full.
	answers, requests, partial *plans
}

func (g *grant) allowed() bool { return len(g.roles) > 0 }

// grants makes grants and keeps them: there are few sets of roles.
type grants struct {
	policy *Policy
	known  sync.Map // of *grant by the names of roles and method
}

// of returns what a caller with these roles may do with a method. Names that the policy does not know give nothing.
func (g *grants) of(roles []string, method string) *grant {
	known := make([]string, 0, len(roles))
	for _, r := range g.policy.roles {
		if slices.Contains(roles, r.name) {
			known = append(known, r.name)
		}
	}
	key := strings.Join(known, ",") + method
	if made, ok := g.known.Load(key); ok {
		return made.(*grant) //nolint:forcetypeassert // nothing else is stored
	}
	made, _ := g.known.LoadOrStore(key, g.policy.grant(known, method))
	return made.(*grant) //nolint:forcetypeassert // nothing else is stored
}

func (p *Policy) grant(names []string, method string) *grant {
	g := &grant{scopes: map[string]bool{}, clouded: map[string]bool{}}
	for _, name := range names {
		if r := p.role(name); len(p.rules(r, method)) > 0 {
			g.roles = append(g.roles, r)
			g.scopes[r.rows] = true
		}
	}
	refused := map[string]bool{}
	for _, f := range p.classOf {
		if v, _ := g.view(f.class); v != shown {
			g.clouded[f.name] = true
		}
		if role, _ := g.writer(f.class); role == nil {
			refused[f.name] = true
		}
	}
	g.answers = newPlans(func(f protoreflect.FieldDescriptor) bool { return g.clouded[fieldName(f)] })
	g.requests = newPlans(func(f protoreflect.FieldDescriptor) bool { return refused[fieldName(f)] })
	g.partial = newPlans(func(f protoreflect.FieldDescriptor) bool { return g.clouded[fieldName(f)] && !refused[fieldName(f)] })
	return g
}

// rule is one way in which a role is given a method.
type rule struct {
	role                 *role
	group                *group
	methodLine, roleLine int
}

func (r rule) name() string { return r.role.name + " may " + r.group.name }

// rules are all the ways in which a role is given a method.
func (p *Policy) rules(r *role, method string) []rule {
	var out []rule
	for _, g := range p.groups {
		if line, given := g.methods[method], r.allows(g); line != 0 && given != 0 {
			out = append(out, rule{role: r, group: g, methodLine: line, roleLine: given})
		}
	}
	return out
}

// view says how fields of a class are shown, and which role shows the most of them; nil when none shows any.
func (g *grant) view(c *class) (view, *role) {
	best, by := hidden, (*role)(nil)
	for _, r := range g.roles {
		switch {
		case has(r.show, c) != 0:
			return shown, r
		case has(r.mask, c) != 0:
			best, by = masked, r
		}
	}
	return best, by
}

// writer returns the role that lets fields of a class be written, and the line that says so.
func (g *grant) writer(c *class) (*role, int) {
	for _, r := range g.roles {
		if line := has(r.write, c); line != 0 {
			return r, line
		}
	}
	return nil, 0
}
