package rfm

import (
	"cmp"
	"slices"
	"time"

	"github.com/shopspring/decimal"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/snapshot"
)

// Settings say what to compute.
type Settings struct {
	// AsOf is the day to look from, inclusive, at midnight UTC.
	AsOf time.Time
	// WindowDays to look back, AsOf included.
	WindowDays int
	// Kinds that count, sorted; none means all but those that the bank books.
	Kinds []string
	// Bins of each measure.
	Bins int
	// spec is the whole definition, complete: no field relies on its default. Runs from before definitions have none.
	spec *definitionv1.RfmDefinition
}

// NewSettings are those of a run without a definition: five bins by quantile, and the segments of Standard.
func NewSettings(asOf time.Time, windowDays int, kinds []string) (Settings, error) {
	return SettingsOf(asOf, &definitionv1.RfmDefinition{
		WindowDays: int32(windowDays), TransactionKinds: kinds, Segments: Standard(), //nolint:gosec // bounded by the contract
	})
}

// SettingsOf turns a definition into the settings of a run, and refuses what can't be computed.
func SettingsOf(asOf time.Time, d *definitionv1.RfmDefinition) (Settings, error) {
	if err := snapshot.CheckDay(asOf); err != nil {
		return Settings{}, err
	}
	if broken := problems(d); len(broken) > 0 {
		return Settings{}, apperr.Invalid(broken...)
	}
	spec := proto.CloneOf(d)
	slices.Sort(spec.GetTransactionKinds())
	spec.WindowDays = cmp.Or(spec.GetWindowDays(), WindowDaysDefault)
	spec.Bins = cmp.Or(spec.GetBins(), BinsDefault)
	return Settings{
		AsOf: asOf, WindowDays: int(spec.GetWindowDays()), Kinds: spec.GetTransactionKinds(), Bins: int(spec.GetBins()), spec: spec,
	}, nil
}

// key names the settings but for as_of and the names of cells: snapshots with equal ones can be compared.
func (s Settings) key() (string, error) {
	measured := proto.CloneOf(s.spec)
	measured.Segments = nil
	return snapshot.Key(measured)
}

// fixEdges puts the edges that the definition fixes in the place of those by quantile.
func (r *Run) fixEdges() {
	if edges := r.spec.GetRecencyEdges(); len(edges) > 0 {
		r.RecencyEdges = nil
		for _, edge := range edges {
			r.RecencyEdges = append(r.RecencyEdges, uint32(edge)) //nolint:gosec // not negative
		}
	}
	if edges := r.spec.GetFrequencyEdges(); len(edges) > 0 {
		r.FrequencyEdges = nil
		for _, edge := range edges {
			r.FrequencyEdges = append(r.FrequencyEdges, uint64(edge)) //nolint:gosec // positive
		}
	}
	if edges := r.spec.GetMonetaryEdges(); len(edges) > 0 {
		r.MonetaryEdges = nil
		for _, edge := range edges {
			r.MonetaryEdges = append(r.MonetaryEdges, decimal.RequireFromString(edge)) // compiled before
		}
	}
}

// cellSegments names every cell; empty when the definition names none.
func (s Settings) cellSegments() map[uint16]string {
	names := map[uint16]string{}
	bins := int32(s.Bins) //nolint:gosec // at most 5
	for _, cell := range allCells(bins) {
		for _, segment := range s.spec.GetSegments() {
			if slices.ContainsFunc(segment.GetCells(), func(c *definitionv1.RfmCells) bool { return Holds(c, cell.r, cell.f, cell.m, bins) }) {
				names[uint16(100*cell.r+10*cell.f+cell.m)] = segment.GetName() //nolint:gosec // three digits
				break
			}
		}
	}
	return names
}

// Standard are the segments of runs without a definition, for five bins: what customers are called by how recently and how
// often they were active, the amount standing for often where customers are as recent.
func Standard() []*definitionv1.RfmSegment {
	block := func(recencyMin, recencyMax, frequencyMin, frequencyMax int32) *definitionv1.RfmCells {
		return &definitionv1.RfmCells{RecencyMin: recencyMin, RecencyMax: recencyMax, FrequencyMin: frequencyMin, FrequencyMax: frequencyMax}
	}
	segment := func(name, title string, cells ...*definitionv1.RfmCells) *definitionv1.RfmSegment {
		return &definitionv1.RfmSegment{Name: name, Title: title, Cells: cells}
	}
	champions := block(5, 5, 4, 5)
	champions.MonetaryMin = 4
	return []*definitionv1.RfmSegment{
		segment("champions", "Champions", champions),
		segment("loyal", "Loyal", block(4, 5, 4, 5)),
		segment("potential", "Potentially loyal", block(4, 5, 2, 3)),
		segment("new", "New", block(5, 5, 1, 1)),
		segment("promising", "Promising", block(4, 4, 1, 1)),
		segment("need_attention", "Need attention", block(3, 3, 3, 5)),
		segment("about_to_sleep", "About to sleep", block(3, 3, 1, 2)),
		segment("cannot_lose", "Can't lose them", block(1, 1, 5, 5)),
		segment("at_risk", "At risk", block(1, 2, 3, 5)),
		segment("hibernating", "Hibernating", block(2, 2, 1, 2)),
		segment("lost", "Lost", block(1, 1, 1, 2)),
	}
}
