package insight

import (
	_ "embed"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/date"
	"tandem.bank/pkg/money"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/record"
)

//go:embed apply_clv.sql
var applyClvSQL string

// clvBatch is a bundle of lifetime values; nil stands for what is not known.
type clvBatch struct {
	header
	results                         *eventsv1.ClvResults
	predictive, low, high, previous []*string
	alive, expected                 []*float64
}

func (b *clvBatch) customers() []int64 { return b.results.GetCustomerIds() }

func (b *clvBatch) apply(s span, known []int64) (sql string, args []any) {
	r := b.results
	return applyClvSQL, b.args(cut(r.GetCustomerIds(), s), cut(r.GetHistoricValues(), s), cut(b.predictive, s), cut(b.low, s), cut(b.high, s),
		cut(b.previous, s), cut(b.alive, s), cut(b.expected, s), r.GetCustomers(), r.GetHorizonDays(), cut(r.GetRanks(), s), known)
}

func parseClv(h header, r *eventsv1.ClvResults) (batch, error) {
	b := &clvBatch{
		header: h, results: r, predictive: texts(r.GetPredictiveValues()), low: texts(r.GetPredictiveLows()),
		high: texts(r.GetPredictiveHighs()), previous: texts(r.GetPreviousValues()), alive: numbers(r.GetPAlive()),
		expected: numbers(r.GetExpectedPurchases()),
	}
	err := checkColumns(r.GetCustomerIds(), column{"historic_values", len(r.GetHistoricValues())}, column{"predictive_values", len(b.predictive)},
		column{"predictive_lows", len(b.low)}, column{"predictive_highs", len(b.high)}, column{"previous_values", len(b.previous)},
		column{"p_alive", len(b.alive)}, column{"expected_purchases", len(b.expected)}, column{"ranks", len(r.GetRanks())})
	if err != nil {
		return nil, err
	}
	for i, id := range r.GetCustomerIds() {
		if err := b.checkEntry(i); err != nil {
			return nil, fmt.Errorf("%w: customer %d: %w", errMalformed, id, err)
		}
	}
	return b, nil
}

func (b *clvBatch) checkEntry(i int) error {
	r := b.results
	if rank := r.GetRanks()[i]; rank < 1 || rank > r.GetCustomers() {
		return fmt.Errorf("ranks: must be from 1 to %d, is %d", r.GetCustomers(), rank)
	}
	if p := b.alive[i]; p != nil && (*p < 0 || *p > 1) {
		return fmt.Errorf("p_alive: must be from 0 to 1, is %g", *p)
	}
	if e := b.expected[i]; e != nil && (*e < 0 || math.IsInf(*e, 0)) {
		return fmt.Errorf("expected_purchases: must be a number from 0, is %g", *e)
	}
	for field, text := range map[string]*string{
		"historic_values": &r.GetHistoricValues()[i], "predictive_values": b.predictive[i], "predictive_lows": b.low[i],
		"predictive_highs": b.high[i], "previous_values": b.previous[i],
	} {
		if text != nil {
			if err := checkMonetary(field, *text); err != nil {
				return err
			}
		}
	}
	return nil
}

// texts makes empty ones nil.
func texts(all []string) []*string {
	out := make([]*string, len(all))
	for i := range all {
		if all[i] != "" {
			out[i] = &all[i]
		}
	}
	return out
}

// numbers makes NaN nil.
func numbers(all []float64) []*float64 {
	out := make([]*float64, len(all))
	for i := range all {
		if !math.IsNaN(all[i]) {
			out[i] = &all[i]
		}
	}
	return out
}

const clvColumns = `as_of, run_id::text, historic::text, predictive::text, predictive_low::text, predictive_high::text, previous::text,
p_alive, expected, rank, customers, horizon_days, base_currency, computed_at, applied_at`

// ClvForCustomer reads what the customer is worth by the newest run, nil when no run has covered the customer yet.
func ClvForCustomer(into **crmv1.ClvInsight, customerID int64) record.Part {
	sql := "SELECT " + clvColumns + " FROM customer_clv WHERE customer_id = $1"
	return record.Part{SQL: sql, Args: []any{customerID}, Take: func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectExactlyOneRow(rows, scanClv)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil // no insight yet is an ordinary answer
		}
		if err != nil {
			return fmt.Errorf("read the lifetime value of customer %d: %w", customerID, err)
		}
		return nil
	}}
}

// ClvStoodAt reads the value that stood beside a customer at a moment; nil when there was none.
func ClvStoodAt(into **crmv1.ClvInsight, customerID int64, at time.Time) record.Part {
	part := ClvForCustomer(into, customerID)
	part.SQL = "SELECT " + clvColumns + ` FROM customer_clv_history
WHERE customer_id = $1 AND applied_at <= $2 ORDER BY applied_at DESC LIMIT 1`
	part.Args = append(part.Args, at)
	return part
}

func scanClv(row pgx.CollectableRow) (*crmv1.ClvInsight, error) {
	var (
		asOf, computedAt, appliedAt     time.Time
		historic, currency              string
		predictive, low, high, previous *string
		insight                         crmv1.ClvInsight
	)
	err := row.Scan(&asOf, &insight.RunId, &historic, &predictive, &low, &high, &previous, &insight.PAlive, &insight.ExpectedPurchases,
		&insight.Rank, &insight.Customers, &insight.HorizonDays, &currency, &computedAt, &appliedAt)
	if err != nil {
		return nil, err
	}
	values := make([]*decimal.Decimal, 5)
	for i, text := range []*string{&historic, predictive, low, high, previous} {
		if text == nil {
			continue
		}
		value, err := decimal.NewFromString(*text)
		if err != nil {
			return nil, fmt.Errorf("lifetime value: %w", err)
		}
		values[i] = &value
	}
	insight.AsOf, insight.ComputedTime, insight.AppliedTime = date.Proto(asOf), timestamppb.New(computedAt), timestamppb.New(appliedAt)
	insight.Historic = money.Proto(*values[0], currency)
	if values[1] != nil {
		insight.Predictive = money.Proto(*values[1], currency)
	}
	if values[2] != nil && values[3] != nil {
		insight.PredictiveLow, insight.PredictiveHigh = money.Proto(*values[2], currency), money.Proto(*values[3], currency)
	}
	if values[1] != nil && values[4] != nil {
		insight.Trend = money.Proto(values[1].Sub(*values[4]), currency)
	}
	return &insight, nil
}
