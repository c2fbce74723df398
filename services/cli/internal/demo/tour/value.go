package tour

import (
	"context"
	"errors"
	"fmt"
	"time"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/show"
)

const (
	bestShown   = 5
	scoresPage  = 10_000
	contactsMax = 10
	// waitedFor bounds the customers whose screens are looked at until the results are back.
	waitedFor = 50
)

// value runs RFM and reads its scores.
func (t *tour) value(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, t.config.Patience)
	defer cancel()
	rfm := analyticsv1.NewRfmServiceClient(t.config.Analytics)
	answer, err := rfm.RunRfm(ctx, &analyticsv1.RunRfmRequest{
		AsOf: t.source.asOf, WindowDays: t.source.windowDays, TransactionKinds: t.source.kinds,
	})
	if err != nil {
		return err
	}
	t.report.Run = answer.GetRun()
	t.computed = time.Now()
	best, err := rfm.ListRfmScores(ctx, &analyticsv1.ListRfmScoresRequest{
		RunId: t.report.Run.GetRunId(), PageSize: bestShown, Order: analyticsv1.RfmOrder_RFM_ORDER_BEST_FIRST,
	})
	if err != nil {
		return fmt.Errorf("list the best: %w", err)
	}
	for _, score := range best.GetScores() {
		t.report.Best = append(t.report.Best, Best{Score: score})
		t.watched = append(t.watched, score.GetCustomerId())
	}
	return t.readCells(ctx, rfm)
}

// readCells goes through all scores for their fingerprint, and picks customers whose results are waited for: the last of
// each page, since results travel in the order of customers.
func (t *tour) readCells(ctx context.Context, rfm analyticsv1.RfmServiceClient) error {
	var cells cellHash
	request := &analyticsv1.ListRfmScoresRequest{RunId: t.report.Run.GetRunId(), PageSize: scoresPage}
	for {
		page, err := rfm.ListRfmScores(ctx, request)
		if err != nil {
			return fmt.Errorf("list scores: %w", err)
		}
		scores := page.GetScores()
		for _, score := range scores {
			cells.add(score)
		}
		if len(scores) > 0 && len(t.watched) < waitedFor {
			t.watched = append(t.watched, scores[len(scores)-1].GetCustomerId())
		}
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			t.report.Cells.Now = cells.text()
			return nil
		}
	}
}

// await waits until the operational half shows this run's results beside the customers.
func (t *tour) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, t.config.Patience)
	defer cancel()
	screens := crmv1.NewCustomer360ServiceClient(t.config.CRM)
	for i, customer := range t.watched {
		for {
			answer, err := screens.GetCustomer360(ctx, &crmv1.GetCustomer360Request{CustomerId: customer, InteractionsMax: 1})
			if err != nil {
				return fmt.Errorf("customer %d: %w", customer, err)
			}
			if t.arrived(answer.GetRfm()) {
				break
			}
			t.console.state("the results of %s of %s customers looked at are there", show.Count(i), show.Count(len(t.watched)))
			if err := pause(ctx); err != nil {
				return fmt.Errorf("customer %d: the results of the run have not come back: %w", customer, err)
			}
		}
	}
	t.report.Fresh.Insights = time.Since(t.computed)
	return nil
}

// arrived says whether a customer shows this run, or one that looks from a later day and therefore stands above it.
func (t *tour) arrived(found *crmv1.RfmInsight) bool {
	return found.GetRunId() == t.report.Run.GetRunId() || show.Date(found.GetAsOf()) > show.Date(t.source.asOf)
}

// look reads the best customers' screens.
func (t *tour) look(ctx context.Context) error {
	if len(t.report.Best) == 0 {
		return errors.New("the run has no customers")
	}
	screens := crmv1.NewCustomer360ServiceClient(t.config.CRM)
	places := crmv1.NewBranchServiceClient(t.config.CRM)
	for i := range t.report.Best {
		best := &t.report.Best[i]
		answer, err := screens.GetCustomer360(ctx, &crmv1.GetCustomer360Request{
			CustomerId: best.Score.GetCustomerId(), InteractionsMax: contactsMax,
		})
		if err != nil {
			return fmt.Errorf("customer %d: %w", best.Score.GetCustomerId(), err)
		}
		best.Screen = answer
		if id := answer.GetCustomer().GetRegionId(); id != 0 {
			region, err := places.GetRegion(ctx, &crmv1.GetRegionRequest{RegionId: id})
			if err != nil {
				return fmt.Errorf("region %d: %w", id, err)
			}
			best.Region = region.GetRegion().GetName()
		}
	}
	return nil
}
