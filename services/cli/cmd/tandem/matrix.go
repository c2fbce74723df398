package main

import (
	"context"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/cli/internal/show"
)

// ProfileMatrixCmd sets products against segments.
type ProfileMatrixCmd struct {
	Segments []string `arg:"" help:"Segments, such as bank_profile/invest."`
	AsOf     day      `required:"" placeholder:"YYYY-MM-DD" help:"Day to look at."`
	Before   day      `placeholder:"YYYY-MM-DD" help:"Earlier day that growth is against; default is a year before."`
	Products bool     `help:"By product, not by family."`
}

// Run prints the matrix.
func (c *ProfileMatrixCmd) Run(ctx context.Context, app *App) error {
	req := &analyticsv1.GetProductMatrixRequest{Segments: c.Segments, AsOf: c.AsOf.Date, ComparedAsOf: c.Before.Date}
	if c.Products {
		req.By = analyticsv1.ProductMatrixBy_PRODUCT_MATRIX_BY_PRODUCT
	}
	return ask(ctx, app, matrixService, listTimeout, analyticsv1.ProductMatrixServiceClient.GetProductMatrix, req, show.ProductMatrix)
}
