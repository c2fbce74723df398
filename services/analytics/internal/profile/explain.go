package profile

import (
	"cmp"
	"context"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/division"
	"tandem.bank/services/analytics/internal/snapshot"
	"tandem.bank/services/analytics/internal/warehouse"
)

// place is a customer's in a run.
type place struct {
	branch uint64
	values []string
	points []float64
	scores [3]float64
	levels [3]uint8
	cell   string
}

// find returns a customer's place; nil when the customer is not in the run.
func (s *Service) find(ctx context.Context, run division.Run, customer int64) (*place, error) {
	var out *place
	q := ofRun(oneSQL, run, warehouse.Named("customer_id", uint64(customer))) //nolint:gosec // positive
	err := warehouse.Each(ctx, s.conn, "profile: read a place", q, func(rows driver.Rows) error {
		out = &place{}
		return rows.Scan(&out.branch, &out.values, &out.points, &out.scores[0], &out.scores[1], &out.scores[2],
			&out.levels[0], &out.levels[1], &out.levels[2], &out.cell)
	})
	return out, err
}

// ExplainProfile explains a customer's cell.
func (s *Server) ExplainProfile(ctx context.Context, req *analyticsv1.ExplainProfileRequest) (*analyticsv1.ExplainProfileResponse, error) {
	of, err := division.CallerScope(ctx)
	if err != nil {
		return nil, err
	}
	run, err := s.service.runs.Find(ctx, req.GetRunId(), req.GetDefinition())
	if err != nil {
		return nil, err
	}
	found, err := s.service.find(ctx, run, req.GetCustomerId())
	if err != nil {
		return nil, snapshot.Public(err)
	}
	if found == nil || !of.Admits(found.branch) {
		return nil, apperr.NotFound("customer %d is not in run %s of %s, or not of your branches", req.GetCustomerId(), run.ID, run.Definition)
	}
	scheme, err := schemeOf(run)
	if err != nil {
		return nil, err
	}
	catalogue, err := s.service.facts.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	var positions [3]*analyticsv1.ProfilePosition
	first := 0
	for i, a := range axes(scheme) {
		positions[i] = position(catalogue, a, *found, i, first)
		first += len(a.GetMeasures())
	}
	return &analyticsv1.ExplainProfileResponse{
		RunId: run.ID.String(), Definition: run.Definition,
		DefinitionVersion: int64(run.Version), AsOf: date.Proto(run.AsOf), //nolint:gosec // versions are few
		CustomerId: req.GetCustomerId(), Cell: cellOf(scheme, found.cell),
		Attractiveness: positions[0], Interaction: positions[1], Risk: positions[2],
	}, nil
}

// position is a place on the i-th axis, whose measures begin at first.
func position(catalogue *customerfact.Catalogue, a axis, p place, i, first int) *analyticsv1.ProfilePosition {
	level := int(p.levels[i]) - 1
	out := &analyticsv1.ProfilePosition{Score: p.scores[i], Level: a.GetLevels()[level].GetName(), Threshold: a.GetLevels()[level].GetFrom()}
	if level+1 < len(a.GetLevels()) {
		next := a.GetLevels()[level+1]
		out.NextLevel, out.Missing = next.GetName(), next.GetFrom()-p.scores[i]
	}
	sum := 0.0
	for _, m := range a.GetMeasures() {
		sum += m.GetWeight()
	}
	for j, m := range a.GetMeasures() {
		c := &analyticsv1.ProfileContribution{
			Fact: m.GetFact(), Title: m.GetTitle(), Value: p.values[first+j], Points: p.points[first+j], Weight: m.GetWeight(),
			Contribution: p.points[first+j] * m.GetWeight() / sum,
		}
		if f, known := catalogue.Fact(m.GetFact()); known {
			c.Title, c.Unit = cmp.Or(c.GetTitle(), f.Title), f.Unit
		}
		out.Measures = append(out.Measures, c)
	}
	return out
}
