package division

import (
	"context"
	_ "embed" // the SQL file
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tandem.bank/services/analytics/internal/snapshot"
	"tandem.bank/services/analytics/internal/warehouse"
)

//go:embed sql/members.sql
var membersSQL string

// segmentRun is a row of segment_run.
type segmentRun struct {
	Run

	id      uuid.UUID
	segment string
	members uint64
}

var segmentRunTable = warehouse.NewTable("segment_run",
	warehouse.Col("run_id", func(r *segmentRun) uuid.UUID { return r.id }),
	warehouse.Col("segment", func(r *segmentRun) string { return r.segment }),
	warehouse.Col("definition_version", func(r *segmentRun) uint32 { return uint32(r.Version) }),
	warehouse.Col("as_of", func(r *segmentRun) time.Time { return r.AsOf }),
	warehouse.Col("customers", func(r *segmentRun) uint64 { return r.members }),
	warehouse.Col("computed_time", func(r *segmentRun) time.Time { return r.ComputedTime }),
	warehouse.Col("newest_event_time", func(r *segmentRun) time.Time { return warehouse.OrEpoch(r.NewestEventTime) }),
)

// Finish makes a run visible whose customers are stored: first its parts as segments, then the row of the run itself. What
// was a part of the run before and is none now becomes a segment without members.
func (s *Store) Finish(ctx context.Context, run *Run) error {
	if err := s.writeMembers(ctx, *run); err != nil {
		return s.public(err)
	}
	run.Computed()
	keys, err := s.allKeys(ctx, *run)
	if err != nil {
		return s.public(err)
	}
	rows := make([]segmentRun, 0, len(keys))
	for _, key := range keys {
		row := segmentRun{Run: *run, id: run.SegmentRun(key), segment: run.Segment(key)}
		if i := slices.Index(run.keys(), key); i >= 0 {
			row.members = run.Parts[i].Customers
		}
		rows = append(rows, row)
	}
	if err := segmentRunTable.Insert(ctx, s.Conn, rows); err != nil {
		return s.public(err)
	}
	return s.public(s.Save(ctx, *run))
}

func (s *Store) writeMembers(ctx context.Context, run Run) error {
	keys, segments, ids := run.keys(), make([]string, len(run.Parts)), make([]string, len(run.Parts))
	if len(keys) == 0 {
		return nil
	}
	for i, key := range keys {
		segments[i], ids[i] = run.Segment(key), run.SegmentRun(key).String()
	}
	return s.Exec(ctx, "store members of segments", warehouse.Query{
		SQL: strings.NewReplacer("/*key*/", s.key, "/*members*/", s.members).Replace(membersSQL),
		Args: []any{
			warehouse.Named("keys", keys), warehouse.Named("segments", segments), warehouse.Named("runs", ids),
			warehouse.Named("run_id", run.ID.String()), warehouse.Named("as_of", warehouse.Day(run.AsOf)),
		},
	})
}

// allKeys are the parts of a run, and those of the run that it replaces.
func (s *Store) allKeys(ctx context.Context, run Run) ([]string, error) {
	keys := run.keys()
	if run.ReplacedID == uuid.Nil {
		return keys, nil
	}
	replaced, err := s.First(ctx, "run_id = {run_id:UUID}", snapshot.LastFirst, warehouse.Named("run_id", run.ReplacedID.String()))
	if err != nil {
		return nil, err
	}
	for _, key := range replaced.keys() {
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}
