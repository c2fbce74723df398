package clv

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tandem.bank/pkg/btyd"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/snapshot"
	"tandem.bank/services/analytics/internal/warehouse"
)

// store reads and writes the tables of runs.
type store struct{ snapshot.Store[Run] }

func newStore(conn driver.Conn) store {
	return store{snapshot.Store[Run]{Conn: conn, Table: runTable, SQL: runsSQL, Scan: scanRun}}
}

// stage makes the histories of a run's customers, and counts them.
func (s store) stage(ctx context.Context, r *Run) error {
	if err := s.Exec(ctx, "make histories", stageQuery(*r)); err != nil {
		return err
	}
	return s.Each(ctx, "count histories", ofRun(totalsSQL, r.ID), func(rows driver.Rows) error {
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
	err := s.Each(ctx, "read groups of histories", ofRun(groups, r.ID), func(rows driver.Rows) error {
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
	return out, s.Each(ctx, "read groups of amounts", ofRun(spends, r.ID), func(rows driver.Rows) error {
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
	return s.Each(ctx, "read outcomes", ofRun(outcomesSQL, r.ID), func(rows driver.Rows) error {
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
	return s.Each(ctx, "read histories", ofRun(customersSQL, r.ID), func(rows driver.Rows) error {
		var h History
		var x, tx, t uint32
		if err := rows.Scan(&h.CustomerID, &h.Group, &x, &tx, &t, &h.MeanAmount, &h.MarginShare, &h.Historic); err != nil {
			return err
		}
		h.History = history(x, tx, t)
		return yield(h)
	})
}

// place writes the values of a run from its predictions, and reads their totals.
func (s store) place(ctx context.Context, r *Run) error {
	if err := s.Exec(ctx, "place customers", valueQuery(*r)); err != nil {
		return err
	}
	return s.Each(ctx, "sum up", sumsQuery(*r), func(rows driver.Rows) error {
		return rows.Scan(&r.Historic, &r.Predictive, &r.Predicted)
	})
}

// unstage removes what a run needed while it was computed.
func (s store) unstage(ctx context.Context, r Run) error {
	partition := "'" + r.ID.String() + "'"
	for _, table := range []string{"clv_customer", "clv_prediction"} {
		if err := warehouse.DropPartition(ctx, s.Conn, table, partition); err != nil {
			return fmt.Errorf("clv: clear %s: %w", table, err)
		}
	}
	return nil
}

// scanRun reads a row of runs.sql.
func scanRun(rows driver.Rows) (Run, error) {
	var r Run
	var settings string
	var published uint8
	if err := rows.Scan(&r.ID, &r.AsOf, &r.SettingsKey, &settings, &r.Customers, &r.Purchases, &r.BaseCurrency, &r.DataFrom, &r.DataTo,
		&r.Historic, &r.Predictive, &r.Predicted, &r.PreviousID, &r.PreviousAsOf, &r.ComputedTime, &r.NewestEventTime, &published); err != nil {
		return r, err
	}
	r.InsightsPublished, r.NewestEventTime = published == 1, warehouse.FromEpoch(r.NewestEventTime)
	r.spec = &definitionv1.ClvDefinition{}
	return r, snapshot.FromJSON(settings, r.spec)
}

// page reads pages of values in an order.
func (s store) page(by order) func(ctx context.Context, r Run, after uint64, limit int, yield func(Value) error) error {
	return func(ctx context.Context, r Run, after uint64, limit int, yield func(Value) error) error {
		return s.values(ctx, pageQuery(r, by, after, limit), yield)
	}
}

// values calls yield for each value that a query finds.
func (s store) values(ctx context.Context, q warehouse.Query, yield func(Value) error) error {
	return s.Each(ctx, "read values", q, func(rows driver.Rows) error {
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

// orFirst is a day that the type Date can hold.
func orFirst(t time.Time) time.Time {
	if t.IsZero() {
		return warehouse.DayMin
	}
	return t
}
