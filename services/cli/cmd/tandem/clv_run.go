package main

import (
	"context"
	"io"
	"strconv"

	"google.golang.org/genproto/googleapis/type/money"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/cli/internal/show"
)

// RunClvCmd computes lifetime values.
type RunClvCmd struct {
	AsOf          day      `required:"" placeholder:"YYYY-MM-DD" help:"Day to look from."`
	Definition    string   `placeholder:"NAME" help:"Saved definition that says how, in place of the flags below."`
	Version       int64    `placeholder:"N" help:"Version of the definition; default is the newest."`
	Model         []string `enum:"bg_nbd,mbg_nbd,pareto_nbd" help:"Models that may be used: bg_nbd, mbg_nbd, pareto_nbd. Default is all; the best by customers it did not see is taken."`
	Kinds         []string `help:"Kinds of transaction that are purchases, such as card_payment; default are those that customers make themselves."`
	WindowDays    int32    `placeholder:"N" help:"Days to look back; default is the whole history."`
	HalfLifeDays  int32    `placeholder:"365" help:"Days after which margin earned counts half."`
	HorizonDays   int32    `placeholder:"365" help:"Days for which value is predicted."`
	HoldoutDays   int32    `placeholder:"90" help:"Days held out for the backtest."`
	UnitDays      int32    `placeholder:"7" help:"Days of a unit of time: rates are per unit."`
	Discount      float64  `placeholder:"0.1" help:"Discount rate a year; default is none."`
	Margin        float64  `default:"1" help:"Part of an amount that is margin where no product says otherwise."`
	IgnoreMargins bool     `help:"Do not use the margins of products."`
	FitBy         string   `enum:"all,customer_kind,region,branch" default:"all" help:"Who shares a model: all, customer_kind, region, branch."`
	FitMin        int32    `placeholder:"1000" help:"Customers with a repeat purchase that a group needs for a model of its own."`
	runFlags
}

var (
	modelsByFlag = map[string]definitionv1.ClvModel{
		"bg_nbd": definitionv1.ClvModel_CLV_MODEL_BG_NBD, "mbg_nbd": definitionv1.ClvModel_CLV_MODEL_MBG_NBD,
		"pareto_nbd": definitionv1.ClvModel_CLV_MODEL_PARETO_NBD,
	}
	fitByFlag = map[string]definitionv1.ClvFitBy{
		"all": definitionv1.ClvFitBy_CLV_FIT_BY_UNSPECIFIED, "customer_kind": definitionv1.ClvFitBy_CLV_FIT_BY_CUSTOMER_KIND,
		"region": definitionv1.ClvFitBy_CLV_FIT_BY_REGION, "branch": definitionv1.ClvFitBy_CLV_FIT_BY_BRANCH,
	}
)

// request is what the flags ask for.
func (c *RunClvCmd) request() *analyticsv1.RunClvRequest {
	req := &analyticsv1.RunClvRequest{AsOf: c.AsOf.Date}
	if c.Definition != "" {
		req.Definition = &analyticsv1.DefinitionRef{Name: c.Definition, Version: c.Version}
		return req
	}
	req.Settings = &definitionv1.ClvDefinition{
		TransactionKinds: c.Kinds, WindowDays: c.WindowDays, HalfLifeDays: c.HalfLifeDays, HorizonDays: c.HorizonDays,
		AnnualDiscountRate: c.Discount, UnitDays: c.UnitDays, HoldoutDays: c.HoldoutDays, FitBy: fitByFlag[c.FitBy], FitCustomersMin: c.FitMin,
		Margin: &definitionv1.ClvMargin{DefaultShare: &c.Margin, IgnoreProductMargins: c.IgnoreMargins},
	}
	for _, name := range c.Model {
		req.Settings.Models = append(req.Settings.Models, modelsByFlag[name])
	}
	return req
}

// Run computes the values and prints the run with its models.
func (c *RunClvCmd) Run(ctx context.Context, app *App) error {
	if c.Detach {
		return begin(ctx, app, c.request())
	}
	client, err := clvService.on(app)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	response, err := client.RunClv(ctx, c.request())
	if err != nil {
		return err
	}
	if app.JSON {
		return printJSON(app, response)
	}
	model, err := client.GetClvModel(ctx, &analyticsv1.GetClvModelRequest{RunId: response.GetRun().GetRunId()})
	if err != nil {
		return err
	}
	if err := show.ClvRun(app.Out, response.GetRun()); err != nil {
		return err
	}
	if err := show.ClvWarnings(app.Out, response.GetWarnings()); err != nil {
		return err
	}
	return show.ClvModel(app.Out, model.GetModel())
}

// clvRun names a run.
type clvRun struct {
	RunID string `name:"run" placeholder:"ID" help:"Run; default is the last computed."`
}

// ClvListCmd lists values.
type ClvListCmd struct {
	clvRun
	Order    string `enum:"customer,best,historic" default:"customer" help:"By customer number, the best predictive value first, or the best historic value first."`
	Limit    int    `help:"Most customers to list; 0 lists all."`
	CSV      bool   `name:"csv" help:"Print CSV."`
	WithKeys bool   `help:"Add each customer's external key, looked up in the operational service."`
}

var clvOrders = map[string]analyticsv1.ClvOrder{
	"customer": analyticsv1.ClvOrder_CLV_ORDER_UNSPECIFIED, "best": analyticsv1.ClvOrder_CLV_ORDER_PREDICTIVE,
	"historic": analyticsv1.ClvOrder_CLV_ORDER_HISTORIC,
}

// valueTitles are the columns of the list.
var valueTitles = []string{
	"customer_id", "rank", "percentile", "repeats", "last_days", "age_days", "mean_amount", "historic", "p_alive", "expected_purchases",
	"expected_amount", "predictive", "predictive_low", "predictive_high", "currency",
}

// Run prints the values page by page.
func (c *ClvListCmd) Run(ctx context.Context, app *App) error {
	client, err := clvService.on(app)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	return printCustomers(ctx, app, c.WithKeys, c.CSV, valueTitles, func(write func(customer int64, cells ...string) error) error {
		// A page's token names the run, so that a newer one does not mix in.
		return each(c.Limit, scorePage, func(size int32, token string) ([]*analyticsv1.ClvValue, string, error) {
			page, err := client.ListClvValues(ctx, &analyticsv1.ListClvValuesRequest{
				RunId: c.RunID, PageSize: size, PageToken: token, Order: clvOrders[c.Order],
			})
			return page.GetValues(), page.GetNextPageToken(), err
		}, func(v *analyticsv1.ClvValue) error { return write(v.GetCustomerId(), valueCells(v)...) })
	})
}

// valueCells are the columns of a value after the customer number; empty for what is not known.
func valueCells(v *analyticsv1.ClvValue) []string {
	number := func(known bool, value float64) string {
		if !known {
			return ""
		}
		return strconv.FormatFloat(value, 'g', 10, 64)
	}
	modelled := v.GetPAlive() != nil
	return []string{
		strconv.FormatInt(v.GetRank(), 10), number(true, v.GetPercentile()),
		strconv.Itoa(int(v.GetRepeats())), strconv.Itoa(int(v.GetLastDays())), strconv.Itoa(int(v.GetAgeDays())), number(true, v.GetMeanAmount()),
		show.Plain(v.GetHistoric()), number(modelled, v.GetPAlive().GetValue()), number(modelled, v.GetExpectedPurchases().GetValue()),
		number(v.ExpectedAmount != nil, v.GetExpectedAmount()), plainOf(v.GetPredictive().GetValue()), plainOf(v.GetPredictive().GetLow()),
		plainOf(v.GetPredictive().GetHigh()), v.GetHistoric().GetCurrencyCode(),
	}
}

// ClvModelCmd prints models of the registry.
type ClvModelCmd struct {
	clvRun
	Group   string `help:"Group of customers; default is all."`
	Holdout bool   `help:"The model of the backtest instead of that of the values."`
}

// Run prints a model.
func (c *ClvModelCmd) Run(ctx context.Context, app *App) error {
	purpose := analyticsv1.ClvModelPurpose_CLV_MODEL_PURPOSE_FORECAST
	if c.Holdout {
		purpose = analyticsv1.ClvModelPurpose_CLV_MODEL_PURPOSE_HOLDOUT
	}
	return ask(ctx, app, clvService, callTimeout, analyticsv1.ClvServiceClient.GetClvModel,
		&analyticsv1.GetClvModelRequest{RunId: c.RunID, Group: c.Group, Purpose: purpose},
		func(out io.Writer, r *analyticsv1.GetClvModelResponse) error { return show.ClvModel(out, r.GetModel()) })
}

// ClvBacktestCmd prints what a run's models foretold, and what came.
type ClvBacktestCmd struct {
	clvRun
	Group string `help:"Group of customers; default is all."`
}

// Run prints the backtest.
func (c *ClvBacktestCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, clvService, callTimeout, analyticsv1.ClvServiceClient.GetClvBacktest,
		&analyticsv1.GetClvBacktestRequest{RunId: c.RunID, Group: c.Group},
		func(out io.Writer, r *analyticsv1.GetClvBacktestResponse) error {
			return show.ClvBacktest(out, r.GetBacktest())
		})
}

// ClvExplainCmd explains a customer's value.
type ClvExplainCmd struct {
	clvRun
	Customer int64 `arg:"" help:"Customer number."`
}

// Run prints the explanation.
func (c *ClvExplainCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, clvService, callTimeout, analyticsv1.ClvServiceClient.ExplainClv,
		&analyticsv1.ExplainClvRequest{RunId: c.RunID, CustomerId: c.Customer},
		show.ClvExplanation)
}

// ClvSlicesCmd sums up a run.
type ClvSlicesCmd struct {
	clvRun
	By         string `enum:"bank,manager,branch,region,sector,kind,segment,campaign" default:"bank" help:"manager, branch, region, sector, kind, RFM segment, campaign that reached the customer last, or the whole bank."`
	RunsBefore int32  `default:"3" help:"Earlier days to show beside it."`
	Limit      int32  `default:"20" help:"Most slices."`
	Plan       string `placeholder:"NAME" help:"Plan with the goals of the slices."`
	Indicator  string `default:"clv" help:"Indicator of the plan."`
}

var slicesByFlag = map[string]analyticsv1.ClvSliceBy{
	"bank": analyticsv1.ClvSliceBy_CLV_SLICE_BY_UNSPECIFIED, "manager": analyticsv1.ClvSliceBy_CLV_SLICE_BY_MANAGER,
	"branch": analyticsv1.ClvSliceBy_CLV_SLICE_BY_BRANCH, "region": analyticsv1.ClvSliceBy_CLV_SLICE_BY_REGION,
	"sector": analyticsv1.ClvSliceBy_CLV_SLICE_BY_SECTOR, "kind": analyticsv1.ClvSliceBy_CLV_SLICE_BY_CUSTOMER_KIND,
	"segment": analyticsv1.ClvSliceBy_CLV_SLICE_BY_RFM_SEGMENT, "campaign": analyticsv1.ClvSliceBy_CLV_SLICE_BY_CAMPAIGN,
}

// Run prints the slices.
func (c *ClvSlicesCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, clvService, callTimeout, analyticsv1.ClvServiceClient.GetClvSlices, &analyticsv1.GetClvSlicesRequest{
		RunId: c.RunID, By: slicesByFlag[c.By], RunsBefore: c.RunsBefore, SlicesMax: c.Limit, Plan: c.Plan, Indicator: c.Indicator,
	}, show.ClvSlices)
}

// plainOf is a bare number, empty for an amount that is not known.
func plainOf(m *money.Money) string {
	if m == nil {
		return ""
	}
	return show.Plain(m)
}
