package clv

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"

	"tandem.bank/services/analytics/internal/snapshot"
	"tandem.bank/services/analytics/internal/warehouse"
)

// batchRows is how many predictions one insert holds.
const batchRows = 50_000

// predictionRow is a prediction of a run.
type predictionRow struct {
	run uuid.UUID
	Prediction
}

var predictionTable = warehouse.NewTable("clv_prediction",
	warehouse.Col("run_id", func(r *predictionRow) uuid.UUID { return r.run }),
	warehouse.Col("customer_id", func(r *predictionRow) uint64 { return r.CustomerID }),
	warehouse.Col("historic", func(r *predictionRow) decimal.Decimal { return r.HistoricValue }),
	warehouse.Col("p_alive", func(r *predictionRow) *float64 { return r.Alive }),
	warehouse.Col("p_alive_low", func(r *predictionRow) *float64 { return r.AliveLow }),
	warehouse.Col("p_alive_high", func(r *predictionRow) *float64 { return r.AliveHigh }),
	warehouse.Col("expected", func(r *predictionRow) *float64 { return r.Expected }),
	warehouse.Col("expected_low", func(r *predictionRow) *float64 { return r.ExpectedLow }),
	warehouse.Col("expected_high", func(r *predictionRow) *float64 { return r.ExpectedHigh }),
	warehouse.Col("expected_amount", func(r *predictionRow) *float64 { return r.Amount }),
	warehouse.Col("predictive", func(r *predictionRow) *decimal.Decimal { return r.Predictive }),
	warehouse.Col("predictive_low", func(r *predictionRow) *decimal.Decimal { return r.PredictiveLow }),
	warehouse.Col("predictive_high", func(r *predictionRow) *decimal.Decimal { return r.PredictiveHigh }),
)

// runTable writes rows of clv_run.
var runTable = warehouse.NewTable("clv_run", append(
	snapshot.Columns(func(r *Run) *snapshot.Head { return &r.Head }),
	warehouse.Col("as_of", func(r *Run) time.Time { return r.AsOf }),
	warehouse.Col("settings", func(r *Run) string {
		text, _ := snapshot.JSON(r.spec) // it was encoded before, for its key
		return text
	}),
	warehouse.Col("purchases", func(r *Run) uint64 { return r.Purchases }),
	warehouse.Col("base_currency", func(r *Run) string { return r.BaseCurrency }),
	warehouse.Col("data_from", func(r *Run) time.Time { return r.DataFrom }),
	warehouse.Col("data_to", func(r *Run) time.Time { return r.DataTo }),
	warehouse.Col("historic", func(r *Run) decimal.Decimal { return r.Historic }),
	warehouse.Col("predictive", func(r *Run) decimal.Decimal { return r.Predictive }),
	warehouse.Col("predicted", func(r *Run) uint64 { return r.Predicted }),
	warehouse.Col("previous_run_id", func(r *Run) uuid.UUID { return r.PreviousID }),
	warehouse.Col("previous_as_of", func(r *Run) time.Time { return orFirst(r.PreviousAsOf) }),
)...)

// predictions foretells each customer by the model that serves the customer, and writes batch by batch: one is written while the
// next is made.
func (s store) predictions(ctx context.Context, r Run, models fleet) error {
	work, ctx := errgroup.WithContext(ctx)
	full, free := make(chan []predictionRow), make(chan []predictionRow, 2)
	for range cap(free) {
		free <- make([]predictionRow, 0, batchRows)
	}
	work.Go(func() error {
		defer close(full)
		return s.foretell(ctx, r, models, free, full)
	})
	work.Go(func() error {
		for rows := range full {
			if err := predictionTable.Insert(ctx, s.Conn, rows); err != nil {
				return err
			}
			free <- rows[:0]
		}
		return nil
	})
	return work.Wait()
}

// foretell fills free batches with predictions, and hands the full ones on.
func (s store) foretell(ctx context.Context, r Run, models fleet, free <-chan []predictionRow, full chan<- []predictionRow) error {
	known := map[*Model]*predictor{}
	rows := <-free
	err := s.customers(ctx, r, func(h History) error {
		model := models.serving(h.Group)
		with, ok := known[model]
		if !ok {
			with = newPredictor(r.Settings, model)
			known[model] = with
		}
		prediction, err := with.predict(h)
		if err != nil {
			return err
		}
		if rows = append(rows, predictionRow{r.ID, prediction}); len(rows) < batchRows {
			return nil
		}
		if err := hand(ctx, full, rows); err != nil {
			return err
		}
		select {
		case rows = <-free:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if err != nil {
		return err
	}
	return hand(ctx, full, rows)
}

// hand hands a batch on, unless nobody takes it any more.
func hand(ctx context.Context, full chan<- []predictionRow, rows []predictionRow) error {
	select {
	case full <- rows:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
