package relation

import (
	"maps"
	"slices"
	"testing"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

func TestEveryTypeHasARule(t *testing.T) {
	t.Parallel()
	types := record.EnumTexts[crmv1.RelationType]()
	slices.Sort(types)
	if got := slices.Sorted(maps.Keys(rules)); !slices.Equal(got, types) {
		t.Errorf("rules for %v, types are %v", got, types)
	}
	for name, r := range rules {
		if r.inverse == "" && r.customer != r.other {
			t.Errorf("%s reads the same from both sides, but asks for other parties there", name)
		}
	}
}

func TestSeenName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		relationType string
		inverse      bool
		want         string
	}{
		{"child", false, "child"},
		{"child", true, "parent"},
		{"spouse", false, "spouse"},
		{"spouse", true, "spouse"},
		{"parent_company", false, "parent company"},
		{"parent_company", true, "subsidiary"},
		{"business_partner", true, "business partner"},
	} {
		if got := seenName(c.relationType, c.inverse); got != c.want {
			t.Errorf("%s, inverse %t: %q, want %q", c.relationType, c.inverse, got, c.want)
		}
	}
}

// A way counts only when all its relations hold on one day, whichever branch is tried first.
func TestReach(t *testing.T) {
	t.Parallel()
	g := graph{
		1: {{from: 1, to: 2, during: period{0, 10}}, {from: 1, to: 3, during: always}},
		2: {{from: 2, to: 4, during: period{11, 20}}},
		3: {{from: 3, to: 2, during: period{15, 15}}, {from: 3, to: 1, during: always}},
	}
	for _, c := range []struct {
		from, to int64
		during   period
		want     bool
	}{
		{1, 2, always, true},
		{1, 4, always, true},
		{1, 4, period{0, 14}, false},
		{1, 4, period{15, 15}, true},
		{4, 1, always, false},
		{3, 3, period{1, 1}, true},
		{2, 3, always, false},
	} {
		if got := g.reach(c.from, c.to, c.during); got != c.want {
			t.Errorf("from %d to %d in %v: %t", c.from, c.to, c.during, got)
		}
	}
}
