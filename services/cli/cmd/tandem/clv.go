package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"tandem.bank/services/cli/internal/clvfit"
)

// ClvCmd groups the work with customer lifetime value.
type ClvCmd struct {
	Fit      ClvFitCmd      `cmd:"" help:"Fit lifetime-value models to a plain file of purchases; no service is needed."`
	List     ClvListCmd     `cmd:"" help:"List the customers of a run."`
	Explain  ClvExplainCmd  `cmd:"" help:"Explain a customer's value: its parts, and what moved it since the run before."`
	Slices   ClvSlicesCmd   `cmd:"" help:"Sum up a run by manager, branch, region, sector or kind, beside earlier runs."`
	Model    ClvModelCmd    `cmd:"" help:"Print a model of a run."`
	Backtest ClvBacktestCmd `cmd:"" help:"Print what the models of a run foretold of its last days, and what came."`
}

// ClvFitCmd fits BG/NBD, MBG/NBD or Pareto/NBD to how often, and Gamma-Gamma to how much.
type ClvFitCmd struct {
	File           string  `arg:"" type:"existingfile" help:"File of purchases: id, date and, where known, amount, delimited by , ; | tab or blanks, with or without titles."`
	CalibrationEnd string  `placeholder:"DAY" help:"Last day that the model sees; what comes later is foretold and compared. Default is the last day of the file."`
	Model          string  `enum:"best,bg_nbd,mbg_nbd,pareto_nbd" default:"best" help:"bg_nbd, mbg_nbd, pareto_nbd, or the best by the likelihood of customers it did not see."`
	Columns        string  `placeholder:"ID,DATE,AMOUNT" help:"Numbers of the columns, from 1, the amount's if there is one; default is by their titles, or 1,2,3."`
	DateFormat     string  `placeholder:"LAYOUT" help:"How dates are written, by the example 2006-01-02; default takes 2006-01-02, 2006/01/02, 20060102 and 02.01.2006, with or without a time behind it."`
	UnitDays       int     `default:"7" help:"Days of a unit of time: rates are per unit. Publications mostly use weeks, some programs days."`
	Predictions    string  `placeholder:"FILE" type:"path" help:"Also write what is expected of each customer, as CSV."`
	Horizon        float64 `default:"52" help:"Weeks that predictions look ahead."`
	Discount       float64 `default:"0.1" help:"Continuous rate of discount per year."`
}

// Help says what is counted, and how.
func (ClvFitCmd) Help() string {
	return `Purchases of a customer on one day are one purchase of their sum, whatever the time of day. The first day is no repeat: x
counts the days after it, t_x is the day of the last of them and T the end of the calibration, both in whole days since the first.
Rates are per unit of --unit-days. The mean amount is that of the repeat days.
A negative amount is money back: a day that comes to less than nothing is no purchase, but lowers the mean. Equal rows are
different purchases. Customers who came after the calibration are left out.

Standard errors are those by the curvature of the likelihood at its maximum. --json gives parameters, log-likelihoods, counts and
the holdout by classes; --predictions gives x, t_x, T and the mean amount of each customer beside what is expected of them.`
}

// Run fits and prints.
func (c *ClvFitCmd) Run(ctx context.Context, app *App) error {
	options, layout, err := c.read()
	if err != nil {
		return err
	}
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	purchases, err := clvfit.Read(file, layout)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	result, err := fit(ctx, purchases, options)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if c.Predictions != "" {
		if err := writePredictions(c.Predictions, result); err != nil {
			return err
		}
	}
	if app.JSON {
		return result.JSON(app.Out)
	}
	return result.Print(app.Out)
}

// fit computes without looking up; an interrupted command does not wait for it.
func fit(ctx context.Context, purchases *clvfit.Purchases, options clvfit.Options) (result *clvfit.Result, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		result, err = clvfit.Fit(purchases, options)
	}()
	select {
	case <-done:
		return result, err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (c *ClvFitCmd) read() (options clvfit.Options, layout clvfit.Layout, err error) {
	options = clvfit.Options{Model: c.Model, UnitDays: c.UnitDays, HorizonWeeks: c.Horizon, DiscountYear: c.Discount}
	if c.UnitDays < 1 || c.UnitDays > 366 {
		return options, layout, errors.New("--unit-days: must be 1 to 366")
	}
	if !(c.Horizon > 0 && c.Horizon <= 5200) {
		return options, layout, errors.New("--horizon: must be above 0 and at most 5200 weeks")
	}
	if !(c.Discount >= 0 && c.Discount <= 10) {
		return options, layout, errors.New("--discount: must be 0 to 10 a year")
	}
	if c.CalibrationEnd != "" {
		if options.CalibrationEnd, err = time.Parse(time.DateOnly, c.CalibrationEnd); err != nil {
			return options, layout, fmt.Errorf("--calibration-end: %q is not a date such as 1997-09-30", c.CalibrationEnd)
		}
	}
	layout.DateFormat = c.DateFormat
	if c.Columns != "" {
		layout.Columns, err = columns(c.Columns)
	}
	return options, layout, err
}

func columns(text string) (numbers [3]int, err error) {
	parts := strings.Split(text, ",")
	if len(parts) != len(numbers) && len(parts) != len(numbers)-1 {
		return numbers, fmt.Errorf("--columns: %q must be numbers such as 1,2,3, or 1,2 without amounts", text)
	}
	for i, part := range parts {
		if numbers[i], err = strconv.Atoi(part); err != nil || numbers[i] < 1 || numbers[i] > 1000 {
			return numbers, fmt.Errorf("--columns: %q is not the number of a column, from 1", part)
		}
	}
	return numbers, nil
}

func writePredictions(path string, result *clvfit.Result) error {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := result.PredictionsCSV(out); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}
