package clv

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"

	"tandem.bank/pkg/btyd"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

// errNoRun says that a run does not exist.
var errNoRun = errors.New("no such clv run")

// store reads and writes the tables of runs.
type store struct{ conn driver.Conn }

func (s store) exec(ctx context.Context, what string, q query) error {
	if err := s.conn.Exec(ctx, q.sql, q.args...); err != nil {
		return fmt.Errorf("clv: %s: %w", what, err)
	}
	return nil
}

// each calls scan for each row of a query.
func (s store) each(ctx context.Context, what string, q query, scan func(driver.Rows) error) error {
	rows, err := s.conn.Query(ctx, q.sql, q.args...)
	if err != nil {
		return fmt.Errorf("clv: %s: %w", what, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("clv: %s: %w", what, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("clv: %s: %w", what, err)
	}
	return nil
}

// currencies returns the base currencies of the time looked at, at most two.
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

// stage makes the histories of a run's customers, and counts them.
func (s store) stage(ctx context.Context, r *Run) error {
	if err := s.exec(ctx, "make histories", stageQuery(*r)); err != nil {
		return err
	}
	return s.each(ctx, "count histories", ofRun(totalsSQL, r.ID), func(rows driver.Rows) error {
		return rows.Scan(&r.Customers, &r.Purchases, &r.DataFrom, &r.DataTo)
	})
}

// samples reads what models are fitted to, of the whole past or of that before the holdout.
func (s store) samples(ctx context.Context, r Run, purpose string) (samples, error) {
	groups, spends := groupsSQL, amountsSQL
	if purpose == purposeHoldout {
		groups, spends = calibrationGroupsSQL, calibrationAmountsSQL
	}
	out := samples{}
	err := s.each(ctx, "read groups of histories", ofRun(groups, r.ID), func(rows driver.Rows) error {
		var group string
		var half uint8
		var x, tx, t uint32
		var customers uint64
		err := rows.Scan(&group, &half, &x, &tx, &t, &customers)
		out.addGroup(group, int(half), btyd.Group{History: history(x, tx, t), Customers: int(customers)})
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, s.each(ctx, "read groups of amounts", ofRun(spends, r.ID), func(rows driver.Rows) error {
		var group string
		var x uint32
		var mean float64
		var customers uint64
		err := rows.Scan(&group, &x, &mean, &customers)
		out.addSpend(group, btyd.SpendGroup{Spend: btyd.Spend{X: int(x), Mean: mean}, Customers: int(customers)})
		return err
	})
}

func history(x, tx, t uint32) btyd.History {
	return btyd.History{X: int(x), TX: int(tx), T: int(t)}
}

// outcomes calls yield for each group of equal histories before the holdout.
func (s store) outcomes(ctx context.Context, r Run, yield func(outcome)) error {
	return s.each(ctx, "read outcomes", ofRun(outcomesSQL, r.ID), func(rows driver.Rows) error {
		var o outcome
		var x, tx, t, later uint32
		var customers, spenders uint64
		if err := rows.Scan(&o.group, &x, &tx, &t, &later, &customers, &spenders, &o.means, &o.amount); err != nil {
			return err
		}
		o.history, o.later = history(x, tx, t), int(later)
		o.customers, o.spenders = int(customers), int(spenders)
		yield(o)
		return nil
	})
}

// customers calls yield for each customer of a run, in the order of their numbers.
func (s store) customers(ctx context.Context, r Run, yield func(History) error) error {
	return s.each(ctx, "read histories", ofRun(customersSQL, r.ID), func(rows driver.Rows) error {
		var h History
		var x, tx, t uint32
		if err := rows.Scan(&h.CustomerID, &h.Kind, &h.RegionID, &h.BranchID, &h.ManagerID, &h.Sector, &h.Group, &x, &tx, &t,
			&h.MeanAmount, &h.MarginShare, &h.Historic); err != nil {
			return err
		}
		h.History = history(x, tx, t)
		return yield(h)
	})
}

// place writes the values of a run from its predictions, and reads their totals.
func (s store) place(ctx context.Context, r *Run) error {
	if err := s.exec(ctx, "place customers", valueQuery(*r)); err != nil {
		return err
	}
	return s.each(ctx, "sum up", sumsQuery(*r), func(rows driver.Rows) error {
		return rows.Scan(&r.Historic, &r.Predictive, &r.Predicted)
	})
}

// unstage removes what a run needed while it was computed.
func (s store) unstage(ctx context.Context, r Run) error {
	partition := "'" + r.ID.String() + "'"
	for _, table := range []string{"clv_customer", "clv_prediction"} {
		if err := warehouse.DropPartition(ctx, s.conn, table, partition); err != nil {
			return fmt.Errorf("clv: clear %s: %w", table, err)
		}
	}
	return nil
}

// runs returns what a query over clv_run finds.
func (s store) runs(ctx context.Context, q query) ([]Run, error) {
	var out []Run
	err := s.each(ctx, "read runs", q, func(rows driver.Rows) error {
		var r Run
		var settings string
		var published uint8
		if err := rows.Scan(&r.ID, &r.AsOf, &r.SettingsKey, &settings, &r.Customers, &r.Purchases, &r.BaseCurrency, &r.DataFrom, &r.DataTo,
			&r.Historic, &r.Predictive, &r.Predicted, &r.PreviousID, &r.PreviousAsOf, &r.ComputedTime, &r.NewestEventTime, &published); err != nil {
			return err
		}
		r.spec = &definitionv1.ClvDefinition{}
		if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal([]byte(settings), r.spec); err != nil {
			return err
		}
		r.InsightsPublished = published == 1
		if r.NewestEventTime.UnixMicro() == 0 {
			r.NewestEventTime = time.Time{}
		}
		out = append(out, r)
		return nil
	})
	return out, err
}

// first returns the first run that a query finds; errNoRun when there is none.
func (s store) first(ctx context.Context, q query) (Run, error) {
	found, err := s.runs(ctx, q)
	if err != nil {
		return Run{}, err
	}
	if len(found) == 0 {
		return Run{}, errNoRun
	}
	return found[0], nil
}

// run returns one run, or the last that was computed for the zero UUID.
func (s store) run(ctx context.Context, id uuid.UUID) (Run, error) { return s.first(ctx, runQuery(id)) }

// values calls yield for each value of a page.
func (s store) values(ctx context.Context, q query, yield func(Value) error) error {
	return s.each(ctx, "read values", q, func(rows driver.Rows) error {
		var v Value
		var x, tx, t uint32
		if err := rows.Scan(&v.CustomerID, &v.Group, &x, &tx, &t, &v.MeanAmount, &v.MarginShare, &v.HistoricValue, &v.Alive, &v.AliveLow,
			&v.AliveHigh, &v.Expected, &v.ExpectedLow, &v.ExpectedHigh, &v.Amount, &v.Predictive, &v.PredictiveLow, &v.PredictiveHigh,
			&v.PreviousHistoric, &v.PreviousPredictive, &v.Place, &v.HistoricPlace); err != nil {
			return err
		}
		v.History.History = history(x, tx, t)
		return yield(v)
	})
}

func orEpoch(t time.Time) time.Time {
	if t.IsZero() {
		return time.UnixMicro(0).UTC()
	}
	return t
}

// orFirst is a day that the type Date can hold.
func orFirst(t time.Time) time.Time {
	if t.IsZero() {
		return dayMin
	}
	return t
}

func flag(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}
