package tour

import (
	"bytes"
	"context"
	"fmt"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/cli/internal/show"
)

// discountYear is the rate at which the demonstration discounts what is to come.
const discountYear = 0.08

// Worth is what the run of lifetime value says.
type Worth struct {
	Run      *analyticsv1.ClvRun
	Model    *analyticsv1.ClvFittedModel
	Branches *analyticsv1.GetClvSlicesResponse
	// Best is the explanation of the most valuable customer.
	Best *analyticsv1.ExplainClvResponse
}

// foretell runs lifetime value as of the day of the RFM run.
func (t *tour) foretell(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, t.config.Patience)
	defer cancel()
	clv := analyticsv1.NewClvServiceClient(t.config.Analytics)
	answer, err := clv.RunClv(ctx, &analyticsv1.RunClvRequest{
		AsOf: t.source.asOf, Settings: &definitionv1.ClvDefinition{TransactionKinds: t.source.kinds, AnnualDiscountRate: discountYear},
	})
	if err != nil {
		return err
	}
	worth := &Worth{Run: answer.GetRun()}
	id := worth.Run.GetRunId()
	model, err := clv.GetClvModel(ctx, &analyticsv1.GetClvModelRequest{RunId: id})
	if err != nil {
		return fmt.Errorf("read the model: %w", err)
	}
	worth.Model = model.GetModel()
	if worth.Branches, err = clv.GetClvSlices(ctx, &analyticsv1.GetClvSlicesRequest{
		RunId: id, By: analyticsv1.ClvSliceBy_CLV_SLICE_BY_BRANCH, SlicesMax: bestShown,
	}); err != nil {
		return fmt.Errorf("read the branches: %w", err)
	}
	best, err := clv.ListClvValues(ctx, &analyticsv1.ListClvValuesRequest{
		RunId: id, PageSize: 1, Order: analyticsv1.ClvOrder_CLV_ORDER_PREDICTIVE,
	})
	if err != nil {
		return fmt.Errorf("list the most valuable: %w", err)
	}
	for _, v := range best.GetValues() {
		if worth.Best, err = clv.ExplainClv(ctx, &analyticsv1.ExplainClvRequest{RunId: id, CustomerId: v.GetCustomerId()}); err != nil {
			return fmt.Errorf("explain customer %d: %w", v.GetCustomerId(), err)
		}
	}
	t.report.Worth = worth
	return nil
}

// writeWorth prints it; a buffer takes everything.
func writeWorth(b *bytes.Buffer, w *Worth) {
	_ = show.ClvRun(b, w.Run)
	_ = show.ClvModel(b, w.Model)
	if w.Best != nil {
		fmt.Fprintln(b)
		_ = show.ClvExplanation(b, w.Best)
	}
	if len(w.Branches.GetSlices()) > 0 {
		fmt.Fprintln(b)
		_ = show.ClvSlices(b, w.Branches)
	}
}
