package rfm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"google.golang.org/protobuf/encoding/protojson"

	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

// errNoRun says that a run does not exist.
var errNoRun = errors.New("no such rfm run")

// store reads and writes the tables of runs.
type store struct{ conn driver.Conn }

func (s store) exec(ctx context.Context, what string, q query) error {
	if err := s.conn.Exec(ctx, q.sql, q.args...); err != nil {
		return fmt.Errorf("rfm: %s: %w", what, err)
	}
	return nil
}

// each calls scan for each row of a query.
func (s store) each(ctx context.Context, what string, q query, scan func(driver.Rows) error) error {
	rows, err := s.conn.Query(ctx, q.sql, q.args...)
	if err != nil {
		return fmt.Errorf("rfm: %s: %w", what, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("rfm: %s: %w", what, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("rfm: %s: %w", what, err)
	}
	return nil
}

// currencies returns the base currencies in the window, at most two.
func (s store) currencies(ctx context.Context, settings Settings) ([]string, error) {
	var out []string
	err := s.each(ctx, "find the base currency", currencyQuery(settings), func(rows driver.Rows) error {
		var currency string
		err := rows.Scan(&currency)
		out = append(out, currency)
		return err
	})
	return out, err
}

// stage fills the values of a run.
func (s store) stage(ctx context.Context, r Run) error {
	return s.exec(ctx, "aggregate transactions", stageQuery(r.ID, r.Settings))
}

// edges reads totals and cut points of a run's values into it.
func (s store) edges(ctx context.Context, r *Run) error {
	return s.each(ctx, "find cut points", edgesQuery(*r), func(rows driver.Rows) error {
		return rows.Scan(&r.Customers, &r.Transactions, &r.Monetary, &r.RecencyEdges, &r.FrequencyEdges, &r.MonetaryEdges)
	})
}

// score fills the scores of a run.
func (s store) score(ctx context.Context, r Run) error {
	return s.exec(ctx, "score customers", scoreQuery(r))
}

// unstage removes the values of a run.
func (s store) unstage(ctx context.Context, r Run) error {
	if err := warehouse.DropPartition(ctx, s.conn, "rfm_value", "'"+r.ID.String()+"'"); err != nil {
		return fmt.Errorf("rfm: clear values: %w", err)
	}
	return nil
}

// runTable writes rows of rfm_run.
var runTable = warehouse.NewTable("rfm_run",
	warehouse.Col("run_id", func(r *Run) uuid.UUID { return r.ID }),
	warehouse.Col("as_of", func(r *Run) time.Time { return r.AsOf }),
	warehouse.Col("window_days", func(r *Run) uint32 { return uint32(r.WindowDays) }),
	warehouse.Col("transaction_kinds", func(r *Run) []string { return r.Kinds }),
	warehouse.Col("customers", func(r *Run) uint64 { return r.Customers }),
	warehouse.Col("transactions", func(r *Run) uint64 { return r.Transactions }),
	warehouse.Col("monetary", func(r *Run) decimal.Decimal { return r.Monetary }),
	warehouse.Col("base_currency", func(r *Run) string { return r.BaseCurrency }),
	warehouse.Col("recency_edges", func(r *Run) []uint32 { return r.RecencyEdges }),
	warehouse.Col("frequency_edges", func(r *Run) []uint64 { return r.FrequencyEdges }),
	warehouse.Col("monetary_edges", func(r *Run) []decimal.Decimal { return r.MonetaryEdges }),
	warehouse.Col("computed_time", func(r *Run) time.Time { return r.ComputedTime }),
	warehouse.Col("newest_event_time", func(r *Run) time.Time { return orEpoch(r.NewestEventTime) }),
	warehouse.Col("insights_published", func(r *Run) uint8 { return flag(r.InsightsPublished) }),
	warehouse.Col("bins", func(r *Run) uint8 { return uint8(r.Bins) }),
	warehouse.Col("settings", func(r *Run) string {
		text, _ := r.json() // it was encoded before, for its key
		return text
	}),
	warehouse.Col("settings_key", func(r *Run) string { return r.SettingsKey }),
	warehouse.Col("cell_segments", func(r *Run) map[uint16]string { return r.Segments }),
)

// save writes the row that makes a run visible, or the same with its insights published.
func (s store) save(ctx context.Context, r Run) error {
	if err := runTable.Insert(ctx, s.conn, []Run{r}); err != nil {
		return fmt.Errorf("rfm: store the run: %w", err)
	}
	return nil
}

// runs returns what a query over rfm_run finds.
func (s store) runs(ctx context.Context, q query) ([]Run, error) {
	var out []Run
	err := s.each(ctx, "read runs", q, func(rows driver.Rows) error {
		var r Run
		var window uint32
		var published, bins uint8
		var settings string
		if err := rows.Scan(&r.ID, &r.AsOf, &window, &r.Kinds, &r.Customers, &r.Transactions, &r.Monetary, &r.BaseCurrency,
			&r.RecencyEdges, &r.FrequencyEdges, &r.MonetaryEdges, &r.ComputedTime, &r.NewestEventTime, &published,
			&bins, &settings, &r.SettingsKey, &r.Segments); err != nil {
			return err
		}
		r.WindowDays, r.InsightsPublished, r.Bins = int(window), published == 1, int(bins)
		r.spec = &definitionv1.RfmDefinition{}
		if settings != "" {
			if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal([]byte(settings), r.spec); err != nil {
				return err
			}
		}
		if r.NewestEventTime.UnixMicro() == 0 {
			r.NewestEventTime = time.Time{}
		}
		out = append(out, r)
		return nil
	})
	return out, err
}

// run returns one run, or the newest for the zero UUID; errNoRun when there is none.
func (s store) run(ctx context.Context, id uuid.UUID) (Run, error) {
	found, err := s.runs(ctx, runQuery(id))
	if err != nil {
		return Run{}, err
	}
	if len(found) == 0 {
		return Run{}, errNoRun
	}
	return found[0], nil
}

// grid returns the cells of a run that hold customers.
func (s store) grid(ctx context.Context, r Run) ([]Cell, error) {
	var out []Cell
	err := s.each(ctx, "read the grid", gridQuery(r), func(rows driver.Rows) error {
		var c Cell
		err := rows.Scan(&c.Recency, &c.Frequency, &c.Customers, &c.Monetary)
		out = append(out, c)
		return err
	})
	return out, err
}

// scores calls yield for each score of a page.
func (s store) scores(ctx context.Context, q query, yield func(Score) error) error {
	return s.each(ctx, "read scores", q, func(rows driver.Rows) error {
		var c Score
		if err := rows.Scan(&c.CustomerID, &c.RecencyDays, &c.Frequency, &c.Monetary,
			&c.RecencyBin, &c.FrequencyBin, &c.MonetaryBin, &c.Place); err != nil {
			return err
		}
		return yield(c)
	})
}

func orEpoch(t time.Time) time.Time {
	if t.IsZero() {
		return time.UnixMicro(0).UTC()
	}
	return t
}

func flag(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}
