package definition_test

import (
	"strings"
	"testing"

	"buf.build/go/protovalidate"

	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
)

// The rules that stand in the contract hold before anything is compiled.
func TestTheContractsRules(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		rfm    *definitionv1.RfmDefinition
		refuse string
	}{
		"nothing said":              {rfm: &definitionv1.RfmDefinition{}},
		"edges for five bins":       {rfm: &definitionv1.RfmDefinition{RecencyEdges: []int32{7, 30, 90, 180}}},
		"edges for three bins":      {rfm: &definitionv1.RfmDefinition{Bins: 3, FrequencyEdges: []int64{2, 5}}},
		"too few edges":             {rfm: &definitionv1.RfmDefinition{RecencyEdges: []int32{7, 30}}, refuse: "recency_edges"},
		"too many edges":            {rfm: &definitionv1.RfmDefinition{Bins: 3, MonetaryEdges: []string{"1", "2", "3"}}, refuse: "monetary_edges"},
		"edges that fall":           {rfm: &definitionv1.RfmDefinition{RecencyEdges: []int32{7, 30, 30, 180}}, refuse: "recency_edges"},
		"two bins":                  {rfm: &definitionv1.RfmDefinition{Bins: 2}, refuse: "bins"},
		"an edge that is no number": {rfm: &definitionv1.RfmDefinition{Bins: 3, MonetaryEdges: []string{"1", "1e9"}}, refuse: "monetary_edges[1]"},
		"cells upside down": {
			rfm: &definitionv1.RfmDefinition{Segments: []*definitionv1.RfmSegment{{
				Name: "lost", Title: "Lost", Cells: []*definitionv1.RfmCells{{RecencyMin: 3, RecencyMax: 2}},
			}}},
			refuse: "segments[0].cells[0]",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := protovalidate.Validate(&definitionv1.Spec{Kind: &definitionv1.Spec_Rfm{Rfm: c.rfm}})
			if c.refuse == "" && err != nil {
				t.Fatal(err)
			}
			if c.refuse != "" && (err == nil || !strings.Contains(err.Error(), c.refuse)) {
				t.Fatalf("got %v, want a violation of %s", err, c.refuse)
			}
		})
	}
	if err := protovalidate.Validate(&definitionv1.Spec{}); err == nil {
		t.Error("a spec of no kind was taken")
	}
	for _, invalid := range []*definitionv1.ClvDefinition{
		{Models: []definitionv1.ClvModel{0}},
		{AnnualDiscountRate: -0.1},
		{IntervalProbability: 1},
		{Margin: &definitionv1.ClvMargin{FamilyShares: map[string]float64{"loan": 1.5}}},
	} {
		if err := protovalidate.Validate(invalid); err == nil {
			t.Errorf("%v was taken", invalid)
		}
	}
}
