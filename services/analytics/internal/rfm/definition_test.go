package rfm_test

import (
	"strings"
	"testing"

	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/rfm"
)

func TestCompile(t *testing.T) {
	t.Parallel()
	segment := func(name string, cells ...*definitionv1.RfmCells) *definitionv1.RfmSegment {
		return &definitionv1.RfmSegment{Name: name, Title: name, Cells: cells}
	}
	every := &definitionv1.RfmCells{}
	cases := map[string]struct {
		definition *definitionv1.RfmDefinition
		want       []string
	}{
		"nothing said": {&definitionv1.RfmDefinition{}, nil},
		"all said": {&definitionv1.RfmDefinition{
			TransactionKinds: []string{"card_payment", "cash_deposit"}, Bins: 3, MonetaryEdges: []string{"-1.50", "10"},
			Segments: []*definitionv1.RfmSegment{segment("best", &definitionv1.RfmCells{RecencyMin: 3, FrequencyMin: 3, MonetaryMin: 2}), segment("rest", every)},
		}, nil},
		"an unknown kind": {&definitionv1.RfmDefinition{TransactionKinds: []string{"card_payment", "bribe"}}, []string{"transaction_kinds[1]: "}},
		"falling edges":   {&definitionv1.RfmDefinition{MonetaryEdges: []string{"1", "2", "2.0", "3"}}, []string{"monetary_edges[2]: must be greater"}},
		"cells left over": {
			&definitionv1.RfmDefinition{Bins: 3, Segments: []*definitionv1.RfmSegment{segment("recent", &definitionv1.RfmCells{RecencyMin: 2})}},
			[]string{"segments: 9 cells belong to no segment: 111, 112, 113, 121"},
		},
		"a segment without cells of its own": {
			&definitionv1.RfmDefinition{Segments: []*definitionv1.RfmSegment{segment("all", every), segment("best", &definitionv1.RfmCells{RecencyMin: 5})}},
			[]string{"segments[1].cells: every cell"},
		},
		"a bin that is not there": {
			&definitionv1.RfmDefinition{Bins: 3, Segments: []*definitionv1.RfmSegment{segment("all", every, &definitionv1.RfmCells{MonetaryMin: 4})}},
			[]string{"segments[0].cells[1]: there is no bin above 3"},
		},
		"a name that comes twice": {
			&definitionv1.RfmDefinition{Segments: []*definitionv1.RfmSegment{segment("a", &definitionv1.RfmCells{RecencyMin: 3}), segment("a", every)}},
			[]string{`segments[1].name: "a" is the name`},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broken, err := rfm.Compile(t.Context(), "", &definitionv1.Spec{Kind: &definitionv1.Spec_Rfm{Rfm: c.definition}})
			if err != nil || len(broken) != len(c.want) {
				t.Fatalf("%v, %v", broken, err)
			}
			for i, want := range c.want {
				if got := broken[i].Field + ": " + broken[i].Description; !strings.HasPrefix(got, want) {
					t.Errorf("%s, want %s", got, want)
				}
			}
		})
	}
}
