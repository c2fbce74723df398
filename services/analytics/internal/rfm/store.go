package rfm

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"

	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/snapshot"
	"tandem.bank/services/analytics/internal/warehouse"
)

// store reads and writes the tables of runs.
type store struct{ snapshot.Store[Run] }

func newStore(conn driver.Conn) store {
	return store{snapshot.Store[Run]{Conn: conn, Table: runTable, SQL: runsSQL, Scan: scanRun}}
}

// stage fills the values of a run.
func (s store) stage(ctx context.Context, r Run) error {
	return s.Exec(ctx, "aggregate transactions", stageQuery(r.ID, r.Settings))
}

// edges reads totals and cut points of a run's values into it.
func (s store) edges(ctx context.Context, r *Run) error {
	return s.Each(ctx, "find cut points", edgesQuery(*r), func(rows driver.Rows) error {
		return rows.Scan(&r.Customers, &r.Transactions, &r.Monetary, &r.RecencyEdges, &r.FrequencyEdges, &r.MonetaryEdges)
	})
}

// score fills the scores of a run, shares beside each other: an insert is one stream.
func (s store) score(ctx context.Context, r Run) error {
	shares, err := s.shares(ctx, r)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, of := range shares {
		group.Go(func() error { return s.Exec(ctx, "score customers", scoreQuery(r, of)) })
	}
	return group.Wait()
}

// share are the customers with some of the sums of bins, and how many have higher ones.
type share struct {
	least, most uint8
	before      uint64
}

// arrange has the scores of the run's year laid down in the order of places, too, where they are not yet. It does not wait.
func (s store) arrange(ctx context.Context, r Run) error {
	return warehouse.OnParts(ctx, s.Conn, fmt.Sprintf("ALTER TABLE rfm_score MATERIALIZE PROJECTION best_first IN PARTITION %d", r.AsOf.Year()))
}

// scoreShares is into how many shares customers are divided, as far as whole sums allow.
const scoreShares = 2

// shares divides the customers of a run into about equal ones.
func (s store) shares(ctx context.Context, r Run) ([]share, error) {
	var out []share
	var before, begun uint64
	err := s.Each(ctx, "count sums of bins", sumsQuery(r), func(rows driver.Rows) error {
		var bins uint8
		var customers uint64
		if err := rows.Scan(&bins, &customers); err != nil {
			return err
		}
		if len(out) == 0 || before-begun >= r.Customers/scoreShares {
			out, begun = append(out, share{most: bins, before: before}), before
		}
		out[len(out)-1].least = bins
		before += customers
		return nil
	})
	return out, err
}

// unstage removes the values of a run.
func (s store) unstage(ctx context.Context, r Run) error {
	if err := warehouse.DropPartition(ctx, s.Conn, "rfm_value", "'"+r.ID.String()+"'"); err != nil {
		return fmt.Errorf("rfm: clear values: %w", err)
	}
	return nil
}

// runTable writes rows of rfm_run.
var runTable = warehouse.NewTable("rfm_run", append(
	snapshot.Columns(func(r *Run) *snapshot.Head { return &r.Head }),
	warehouse.Col("as_of", func(r *Run) time.Time { return r.AsOf }),
	warehouse.Col("window_days", func(r *Run) uint32 { return uint32(r.WindowDays) }),
	warehouse.Col("transaction_kinds", func(r *Run) []string { return r.Kinds }),
	warehouse.Col("transactions", func(r *Run) uint64 { return r.Transactions }),
	warehouse.Col("monetary", func(r *Run) decimal.Decimal { return r.Monetary }),
	warehouse.Col("base_currency", func(r *Run) string { return r.BaseCurrency }),
	warehouse.Col("recency_edges", func(r *Run) []uint32 { return r.RecencyEdges }),
	warehouse.Col("frequency_edges", func(r *Run) []uint64 { return r.FrequencyEdges }),
	warehouse.Col("monetary_edges", func(r *Run) []decimal.Decimal { return r.MonetaryEdges }),
	warehouse.Col("bins", func(r *Run) uint8 { return uint8(r.Bins) }),
	warehouse.Col("settings", func(r *Run) string {
		text, _ := snapshot.JSON(r.spec) // it was encoded before, for its key
		return text
	}),
	warehouse.Col("cell_segments", func(r *Run) map[uint16]string { return r.Segments }),
)...)

// scanRun reads a row of runs.sql.
func scanRun(rows driver.Rows) (Run, error) {
	var r Run
	var window uint32
	var published, bins uint8
	var settings string
	if err := rows.Scan(&r.ID, &r.AsOf, &window, &r.Kinds, &r.Customers, &r.Transactions, &r.Monetary, &r.BaseCurrency,
		&r.RecencyEdges, &r.FrequencyEdges, &r.MonetaryEdges, &r.ComputedTime, &r.NewestEventTime, &published,
		&bins, &settings, &r.SettingsKey, &r.Segments); err != nil {
		return r, err
	}
	r.WindowDays, r.InsightsPublished, r.Bins = int(window), published == 1, int(bins)
	r.NewestEventTime = warehouse.FromEpoch(r.NewestEventTime)
	r.spec = &definitionv1.RfmDefinition{}
	return r, snapshot.FromJSON(settings, r.spec)
}

// grid returns the cells of a run that hold customers.
func (s store) grid(ctx context.Context, r Run) ([]Cell, error) {
	var out []Cell
	err := s.Each(ctx, "read the grid", gridQuery(r), func(rows driver.Rows) error {
		var c Cell
		err := rows.Scan(&c.Recency, &c.Frequency, &c.Customers, &c.Monetary)
		out = append(out, c)
		return err
	})
	return out, err
}

// page reads pages of scores in an order.
func (s store) page(by order) func(ctx context.Context, r Run, after uint64, limit int, yield func(Score) error) error {
	return func(ctx context.Context, r Run, after uint64, limit int, yield func(Score) error) error {
		return s.scores(ctx, pageQuery(r, by, after, limit), yield)
	}
}

// scores calls yield for each score that a query finds.
func (s store) scores(ctx context.Context, q warehouse.Query, yield func(Score) error) error {
	return s.Each(ctx, "read scores", q, func(rows driver.Rows) error {
		var c Score
		if err := rows.Scan(&c.CustomerID, &c.RecencyDays, &c.Frequency, &c.Monetary,
			&c.RecencyBin, &c.FrequencyBin, &c.MonetaryBin, &c.Place); err != nil {
			return err
		}
		return yield(c)
	})
}
