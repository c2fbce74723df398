package access

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func builtInPolicy(t *testing.T) *Policy {
	t.Helper()
	p, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEveryMethodOfTheAPIStandsInAGroup(t *testing.T) {
	t.Parallel()
	if missing := builtInPolicy(t).Unruled(apiMethods()); len(missing) > 0 {
		t.Errorf("no group of policy.yaml holds %s", strings.Join(missing, ", "))
	}
}

// Every group is given to somebody, if only to those who may do everything, and every class is shown to somebody.
func TestEveryGroupAndClassIsUsed(t *testing.T) {
	t.Parallel()
	p := builtInPolicy(t)
	for _, g := range p.groups {
		if !slices.ContainsFunc(p.roles, func(r *role) bool { return r.allows(g) != 0 }) {
			t.Errorf("line %d: nobody may %s", g.line, g.name)
		}
		if g.title == "" {
			t.Errorf("line %d: %s has no title", g.line, g.name)
		}
	}
	for _, c := range p.classes {
		if !slices.ContainsFunc(p.roles, func(r *role) bool { return has(r.show, c) != 0 }) {
			t.Errorf("line %d: nobody sees %s", c.line, c.name)
		}
		if c.title == "" {
			t.Errorf("line %d: %s has no title", c.line, c.name)
		}
	}
}

const small = `version: 1
methods:
  look:
    title: Look
    calls: [CustomerService/Get*]
fields:
  contact:
    title: Contact
    fields:
      Customer.phone: phone
roles:
  clerk:
    title: Clerk
    rows: branch
    may: [look]
    mask: [contact]
`

func TestPolicyErrorsNameLineAndEntry(t *testing.T) {
	t.Parallel()
	if _, err := Parse("p.yaml", []byte(small)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, changed, want string }{
		{"version: 1", "version: 2", `line 1: version "2" is not known`},
		{"CustomerService/Get*", "CustomerService/Fetch*", `line 5: look: "CustomerService/Fetch*" names no method`},
		{"CustomerService/Get*", "'CustomerService/[*'", `line 5: look: "CustomerService/[*" is not a pattern`},
		{"Customer.phone: phone", "Customer.fone: phone", `line 10: contact: "Customer.fone" is not a field`},
		{"Customer.phone: phone", "Customer.phone: phonetic", `line 10: contact: "phonetic" is not a way`},
		{"Customer.phone: phone", "Customer.customer_since: phone", `line 10: contact: Customer.customer_since can't be shown as "phone"`},
		{"rows: branch", "rows: village", `line 14: clerk.rows: "village" is not a scope`},
		{"    rows: branch\n", "", `line 12: clerk: rows are missing`},
		{"may: [look]", "may: [lok]", `line 15: clerk.may: "lok" is not a group`},
		{"mask: [contact]", "mask: [contacts]", `line 16: clerk.mask: "contacts" is not a class`},
		{"mask: [contact]", "mask: [contact]\n    show: [contact]", `line 16: clerk: contact can't be shown and masked`},
		{"mask: [contact]", "hide: [contact]", `line 16: clerk: "hide" is not a part of a role`},
		{"roles:", "aliases: {Customer.fone: Customer.fone}\nroles:", `line 11: aliases: "Customer.fone" is not a field of the API`},
		{"roles:", "rules:", `line 11: "rules" is not a part of a policy`},
		{"  clerk:", "  clerk: {}\n  clerk:", `comes twice`},
	} {
		_, err := Parse("p.yaml", []byte(strings.Replace(small, c.old, c.changed, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q for %q: %v, want %s", c.changed, c.old, err, c.want)
		}
	}
}

// A role that tokens don't carry is of no use to anybody, so a file with one is refused.
func TestRolesAreThoseOfTokens(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "policy.yaml")
	for text, want := range map[string]string{
		small: `line 12: tokens carry no role "clerk"; there are front_office, manager`,
		strings.ReplaceAll(small, "clerk", "analyst"): "",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(file); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(small)
	f.Add(string(builtIn))
	f.Add("a: &a [*a]")
	f.Add("roles: {x: {may: [all], rows: all}}")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse("fuzz", []byte(text))
		if err != nil {
			return
		}
		// Whatever a policy that is accepted says, it can be asked, and unknown roles get nothing.
		g := &grants{policy: p}
		for _, method := range apiMethods() {
			if g.of([]string{"nobody of that name"}, method).allowed() && p.role("nobody of that name") == nil {
				t.Fatalf("an unknown role may %s", method)
			}
			for _, r := range p.roles {
				if made := g.of([]string{r.name}, method); made.allowed() != (len(p.rules(r, method)) > 0) {
					t.Fatalf("%s: %s", r.name, method)
				}
			}
		}
	})
}
