package segment

import (
	"context"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/google/uuid"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/warehouse"
)

// Compute makes the snapshot of a definition for a day, or returns the one that there is. Errors: INVALID_ARGUMENT, UNAVAILABLE.
func (s *Service) Compute(ctx context.Context, d *definition.Definition, asOf time.Time) (Run, error) {
	done, err := s.turn.Take(ctx)
	if err != nil {
		return Run{}, err
	}
	defer done()
	run, found, err := s.store.snapshot(ctx, d.Name, d.Version, asOf)
	if err != nil || found {
		return run, warehouse.Public(err)
	}
	run, err = s.compute(ctx, d, asOf)
	return run, warehouse.Public(err)
}

// compute fills a snapshot step by step; its row comes last and makes it visible.
func (s *Service) compute(ctx context.Context, d *definition.Definition, asOf time.Time) (Run, error) {
	began := time.Now()
	if asOf.After(s.facts.Today()) {
		return Run{}, apperr.InvalidField("as_of", "%s has not come yet", date.Text(asOf))
	}
	known, err := s.library(ctx)
	if err != nil {
		return Run{}, err
	}
	order, err := ordered(ctx, known.find, d)
	if err != nil {
		return Run{}, apperr.InvalidField("definition", "%v", err)
	}
	run := Run{Segment: d.Name, Version: d.Version, AsOf: asOf, References: map[string]uint32{}, NewestEventTime: s.newestChange()}
	if run.ID, err = uuid.NewV7(); err != nil {
		return Run{}, err
	}
	for _, other := range order[:len(order)-1] {
		run.References[other.Name] = uint32(other.Version) //nolint:gosec // a version
	}
	if err := s.fill(ctx, &run, order); err != nil {
		return Run{}, err
	}
	run.ComputedTime = now()
	if err := runTable.Insert(ctx, s.store.conn, []Run{run}); err != nil {
		return Run{}, err
	}
	s.log.InfoContext(ctx, "computed", "segment", run.Segment, "as_of", warehouse.Day(asOf), "customers", run.Customers,
		"seconds", time.Since(began).Seconds())
	return run, nil
}

// fill writes the members of a snapshot, as rows and as a bitmap. The segment is the last in the order.
func (s *Service) fill(ctx context.Context, run *Run, order []*definition.Definition) error {
	p, err := s.planned(ctx, order, run.AsOf, nil)
	if err != nil {
		return err
	}
	last := p.rules[len(p.rules)-1]
	if last.problem != nil {
		return last.problem
	}
	run.Thresholds = p.thresholds.with(nil)
	from, err := s.from(ctx, p, nil)
	if err != nil {
		return err
	}
	from.SQL = "INSERT INTO segment_member (segment, as_of, run_id, customer_id) " +
		"SELECT {run_segment:String}, {run_as_of:Date}, {run_id:UUID}, f.customer_id FROM " + from.SQL + " WHERE " + last.holds()
	from.Args = append(from.Args, warehouse.Named("run_segment", run.Segment), warehouse.Named("run_as_of", warehouse.Day(run.AsOf)),
		warehouse.Named("run_id", run.ID.String()))
	if err := warehouse.Exec(ctx, s.store.conn, "segment: find members", from); err != nil {
		return err
	}
	if run.Base, err = s.base(ctx, run.AsOf); err != nil {
		return err
	}
	return s.keepBitmap(ctx, run)
}

// base counts the customers of a day.
func (s *Service) base(ctx context.Context, day time.Time) (uint64, error) {
	source, err := s.facts.Source(ctx, nil, day, nil)
	if err != nil {
		return 0, err
	}
	var count uint64
	err = s.store.one(ctx, "count customers", warehouse.Query{SQL: "SELECT count() FROM " + source.SQL + " AS f", Args: source.Parameters}, &count)
	return count, err
}

func (s *Service) keepBitmap(ctx context.Context, run *Run) error {
	members := roaring64.New()
	const all = 1 << 62
	if err := s.store.members(ctx, *run, 0, all, func(id uint64) { members.Add(id) }); err != nil {
		return err
	}
	run.Customers = members.GetCardinality()
	text, err := formatBitmap(members)
	if err != nil {
		return err
	}
	return membershipTable.Insert(ctx, s.store.conn, []membership{{run.ID, text}})
}

// RunDefinition makes the snapshot of a definition by schedule, and returns the id of the run; it is a schedule.Runner.
func (s *Service) RunDefinition(ctx context.Context, d *definition.Definition, asOf time.Time) (string, error) {
	run, err := s.Compute(ctx, d, asOf)
	return run.ID.String(), err
}

// snapshotOf finds or makes the snapshot of the newest version of a segment, or of the one named, for the caller of a context.
func (s *Service) snapshotOf(ctx context.Context, ref definition.Ref, asOf time.Time) (Run, error) {
	d, err := s.visible(ctx, ref)
	if err != nil {
		return Run{}, err
	}
	if err := d.Runnable(definition.KindSegment); err != nil {
		return Run{}, err
	}
	return s.Compute(ctx, d, asOf)
}
