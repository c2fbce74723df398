package segment

import (
	"bytes"
	"context"
	_ "embed" // the SQL files
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/google/uuid"

	"tandem.bank/services/analytics/internal/warehouse"
)

var (
	//go:embed sql/runs.sql
	runsSQL string
	//go:embed sql/members.sql
	membersSQL string
	//go:embed sql/events.sql
	eventsSQL string
	//go:embed sql/days.sql
	daysSQL string
	//go:embed sql/since.sql
	sinceSQL string
	//go:embed sql/evaluation_events.sql
	evaluationEventsSQL string
)

// clickHouseTime is an instant in UTC as statements take it.
const clickHouseTime = "2006-01-02 15:04:05.000000"

func instant(t time.Time) string { return t.UTC().Format(clickHouseTime) }

// now is the time as the warehouse keeps it.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// store reads and writes the tables of segments.
type store struct{ conn driver.Conn }

var runTable = warehouse.NewTable("segment_run",
	warehouse.Col("run_id", func(r *Run) uuid.UUID { return r.ID }),
	warehouse.Col("segment", func(r *Run) string { return r.Segment }),
	warehouse.Col("definition_version", func(r *Run) uint32 { return uint32(r.Version) }),
	warehouse.Col("as_of", func(r *Run) time.Time { return r.AsOf }),
	warehouse.Col("customers", func(r *Run) uint64 { return r.Customers }),
	warehouse.Col("base_customers", func(r *Run) uint64 { return r.Base }),
	warehouse.Col("reference_versions", func(r *Run) map[string]uint32 { return r.References }),
	warehouse.Col("thresholds", func(r *Run) map[string]string { return r.Thresholds }),
	warehouse.Col("computed_time", func(r *Run) time.Time { return r.ComputedTime }),
	warehouse.Col("newest_event_time", func(r *Run) time.Time { return warehouse.OrEpoch(r.NewestEventTime) }),
)

// runs returns snapshots. which and order are constants of this package.
func (s store) runs(ctx context.Context, which, order string, limit int, args ...any) ([]Run, error) {
	sql := strings.NewReplacer("/*which*/", which, "/*order*/", order, "/*limit*/", strconv.Itoa(limit)).Replace(runsSQL)
	var out []Run
	err := warehouse.Each(ctx, s.conn, "segment: read snapshots", warehouse.Query{SQL: sql, Args: args}, func(rows driver.Rows) error {
		var r Run
		var version uint32
		var reached map[string]string
		err := rows.Scan(&r.ID, &r.Segment, &version, &r.AsOf, &r.Customers, &r.Base, &r.References, &reached, &r.ComputedTime, &r.NewestEventTime)
		r.Version, r.Thresholds, r.NewestEventTime = uint64(version), reached, warehouse.FromEpoch(r.NewestEventTime)
		out = append(out, r)
		return err
	})
	return out, err
}

// snapshot finds the snapshot of a version and a day. When two were computed at once, the first stands.
func (s store) snapshot(ctx context.Context, name string, version uint64, asOf time.Time) (Run, bool, error) {
	found, err := s.runs(ctx, "segment = {segment:String} AND definition_version = {version:UInt32} AND as_of = {as_of:Date}",
		"computed_time, run_id", 1, warehouse.Named("segment", name), warehouse.Named("version", version), warehouse.Named("as_of", warehouse.Day(asOf)))
	if err != nil || len(found) == 0 {
		return Run{}, false, err
	}
	return found[0], true, nil
}

// members calls yield for a page of members of a snapshot.
func (s store) members(ctx context.Context, r Run, after uint64, limit int, yield func(uint64)) error {
	q := warehouse.Query{SQL: membersSQL, Args: []any{
		warehouse.Named("segment", r.Segment), warehouse.Named("as_of", warehouse.Day(r.AsOf)), warehouse.Named("run_id", r.ID.String()),
		warehouse.Named("after", after), warehouse.Named("limit", limit),
	}}
	return warehouse.Each(ctx, s.conn, "segment: read members", q, func(rows driver.Rows) error {
		var id uint64
		err := rows.Scan(&id)
		yield(id)
		return err
	})
}

// membership is a row of segment_membership.
type membership struct {
	run     uuid.UUID
	members string
}

var membershipTable = warehouse.NewTable("segment_membership",
	warehouse.Col("run_id", func(m *membership) uuid.UUID { return m.run }),
	warehouse.Col("members", func(m *membership) string { return m.members }),
)

// bitmap reads the members of a snapshot.
func (s store) bitmap(ctx context.Context, r Run) (*roaring64.Bitmap, error) {
	var text string
	q := warehouse.Query{
		SQL:  "SELECT members FROM segment_membership FINAL WHERE run_id = {run_id:UUID}",
		Args: []any{warehouse.Named("run_id", r.ID.String())},
	}
	if err := s.one(ctx, "read a bitmap", q, &text); err != nil {
		return nil, err
	}
	if text != "" {
		return parseBitmap(text)
	}
	// Snapshots from before there were bitmaps have their members only.
	out := roaring64.New()
	return out, s.members(ctx, r, 0, int(r.Customers), func(id uint64) { out.Add(id) }) //nolint:gosec // a count
}

func formatBitmap(b *roaring64.Bitmap) (string, error) {
	b.RunOptimize()
	var out bytes.Buffer
	_, err := b.WriteTo(&out)
	return out.String(), err
}

func parseBitmap(text string) (*roaring64.Bitmap, error) {
	out := roaring64.New()
	if _, err := out.ReadFrom(strings.NewReader(text)); err != nil {
		return nil, fmt.Errorf("segment: read a bitmap: %w", err)
	}
	return out, nil
}

// state is a row of segment_state.
type state struct {
	segment, signature string
	reached            time.Time
	members            string
}

var stateTable = warehouse.NewTable("segment_state",
	warehouse.Col("segment", func(s *state) string { return s.segment }),
	warehouse.Col("signature", func(s *state) string { return s.signature }),
	warehouse.Col("reached", func(s *state) time.Time { return s.reached }),
	warehouse.Col("members", func(s *state) string { return s.members }),
)

// states are those of all segments, or of one.
func (s store) states(ctx context.Context, name string) ([]state, error) {
	var out []state
	q := warehouse.Query{
		SQL:  "SELECT segment, signature, reached, members FROM segment_state FINAL WHERE {segment:String} IN ('', segment)",
		Args: []any{warehouse.Named("segment", name)},
	}
	err := warehouse.Each(ctx, s.conn, "segment: read states", q, func(rows driver.Rows) error {
		var row state
		err := rows.Scan(&row.segment, &row.signature, &row.reached, &row.members)
		out = append(out, row)
		return err
	})
	return out, err
}

var eventTable = warehouse.NewTable("segment_event",
	warehouse.Col("segment", func(e *Event) string { return e.Segment }),
	warehouse.Col("customer_id", func(e *Event) uint64 { return e.CustomerID }),
	warehouse.Col("event_time", func(e *Event) time.Time { return e.Time }),
	warehouse.Col("joined", func(e *Event) uint8 { return warehouse.Flag(e.Joined) }),
	warehouse.Col("definition_version", func(e *Event) uint32 { return e.Version }),
	warehouse.Col("as_of", func(e *Event) time.Time { return e.AsOf }),
	warehouse.Col("run_id", func(e *Event) uuid.UUID { return e.Run }),
	warehouse.Col("cause", func(e *Event) string { return string(e.Cause) }),
	warehouse.Col("changed", func(e *Event) []string { return e.Changed }),
)

// evaluation is a row of segment_evaluation.
type evaluation struct {
	run                 uuid.UUID
	asOf, eventTime     time.Time
	complete, published bool
}

var evaluationTable = warehouse.NewTable("segment_evaluation",
	warehouse.Col("run_id", func(e *evaluation) uuid.UUID { return e.run }),
	warehouse.Col("as_of", func(e *evaluation) time.Time { return e.asOf }),
	warehouse.Col("event_time", func(e *evaluation) time.Time { return e.eventTime }),
	warehouse.Col("complete", func(e *evaluation) uint8 { return warehouse.Flag(e.complete) }),
	warehouse.Col("insights_published", func(e *evaluation) uint8 { return warehouse.Flag(e.published) }),
	warehouse.Col("changed_time", func(*evaluation) time.Time { return now() }),
)

// evaluations returns evaluations, oldest first. which is a constant of this package.
func (s store) evaluations(ctx context.Context, which string, args ...any) ([]evaluation, error) {
	q := warehouse.Query{
		SQL: "SELECT run_id, as_of, event_time, complete, insights_published FROM segment_evaluation FINAL WHERE " + which +
			" ORDER BY event_time LIMIT 10000",
		Args: args,
	}
	var out []evaluation
	err := warehouse.Each(ctx, s.conn, "segment: read evaluations", q, func(rows driver.Rows) error {
		var e evaluation
		var complete, published uint8
		err := rows.Scan(&e.run, &e.asOf, &e.eventTime, &complete, &published)
		e.complete, e.published = complete == 1, published == 1
		out = append(out, e)
		return err
	})
	return out, err
}

// events returns a page of events. which is a constant of this package.
func (s store) events(ctx context.Context, which string, args ...any) ([]Event, error) {
	q := warehouse.Query{SQL: strings.Replace(eventsSQL, "/*which*/", which, 1), Args: args}
	var out []Event
	err := warehouse.Each(ctx, s.conn, "segment: read events", q, func(rows driver.Rows) error {
		var e Event
		var joined uint8
		var cause string
		err := rows.Scan(&e.Segment, &e.CustomerID, &e.Time, &joined, &e.Version, &e.AsOf, &e.Run, &cause, &e.Changed)
		e.Joined, e.Cause = joined == 1, Cause(cause)
		out = append(out, e)
		return err
	})
	return out, err
}
