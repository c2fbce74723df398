// Package access says who may do what: it reads the policy, and holds every call to it.
package access

import (
	"crypto/sha256"
	_ "embed" // the policy
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"tandem.bank/pkg/auth"
)

//go:embed policy.yaml
var builtIn []byte

// originBuiltIn is where the policy comes from when no file is named.
const originBuiltIn = "built in"

// everything stands for all groups or classes in a role.
const everything = "all"

// Scopes of rows.
const (
	rowsNone   = "none"
	rowsOwn    = "own"
	rowsTree   = "tree"
	rowsBranch = "branch"
	rowsAll    = "all"
)

// Policy is the file, read and checked.
type Policy struct {
	// Text of the file, and where it comes from.
	Text, Origin string
	// Hash of the text.
	Hash string

	groups  []*group
	classes []*class
	roles   []*role
	// open are names in filters that are no field of a message.
	open map[string]bool
	// aliases are the fields for which other such names stand.
	aliases map[string]protoreflect.FieldDescriptor
	// classOf holds the class of each classified field, as "Customer.phone".
	classOf map[string]*classified
}

// group is some methods under one name.
type group struct {
	name, title string
	line        int
	// methods holds, by full name as in "/tandem.crm.v1.CustomerService/GetCustomer", the line that names each.
	methods map[string]int
}

// class is some fields under one name.
type class struct {
	name, title string
	line        int
	fields      []*classified
}

// classified is a field with the way in which a part of it is shown.
type classified struct {
	name  string
	class *class
	way   way
	line  int
}

// role is what people of one kind of work may do; the maps hold the line that says so.
type role struct {
	name, title string
	line        int
	rows        string
	rowsLine    int
	may         map[string]int
	show        map[string]int
	mask        map[string]int
	write       map[string]int
}

// Load reads the policy from a file, or the one that is built in when path is empty, and names everything that is wrong.
func Load(path string) (*Policy, error) {
	if path == "" {
		return Parse(originBuiltIn, builtIn)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	p, err := Parse(path, text)
	if err != nil {
		return nil, err
	}
	return p, p.checkRoles()
}

// checkRoles refuses roles that no token can carry: who is given one would be refused everything, and nobody would see why.
func (p *Policy) checkRoles() error {
	var errs []error
	for _, r := range p.roles {
		if !slices.Contains(auth.Roles(), r.name) {
			errs = append(errs, fmt.Errorf("%s, line %d: tokens carry no role %q; there are %s", p.Origin, r.line, r.name, strings.Join(auth.Roles(), ", ")))
		}
	}
	return errors.Join(errs...)
}

// Parse reads a policy; origin stands in errors.
func Parse(origin string, text []byte) (*Policy, error) {
	sum := sha256.Sum256(text)
	p := &Policy{Text: string(text), Origin: origin, Hash: hex.EncodeToString(sum[:])}
	r := &reader{policy: p, methods: apiMethods()}
	if err := r.read(text); err != nil {
		return nil, err
	}
	return p, nil
}

// allows returns the line of the role that gives it a group, and 0 when nothing does.
func (r *role) allows(g *group) int {
	if line := r.may[g.name]; line != 0 {
		return line
	}
	return r.may[everything]
}

func has(lines map[string]int, c *class) int {
	if line := lines[c.name]; line != 0 {
		return line
	}
	return lines[everything]
}

// Unruled returns the methods, by full name, that stand in no group.
func (p *Policy) Unruled(methods []string) []string {
	var missing []string
	for _, method := range methods {
		if p.groupOf(method) == nil {
			missing = append(missing, method)
		}
	}
	return missing
}

// groupOf returns the first group that holds a method, or nil.
func (p *Policy) groupOf(method string) *group {
	for _, g := range p.groups {
		if g.methods[method] != 0 {
			return g
		}
	}
	return nil
}

func (p *Policy) role(name string) *role {
	for _, r := range p.roles {
		if r.name == name {
			return r
		}
	}
	return nil
}
