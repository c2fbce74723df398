package clvfit

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"text/tabwriter"
	"time"

	"tandem.bank/pkg/btyd"
)

// Print writes the result for people.
func (r *Result) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(t, format, args...) }
	line("%d purchases from %s to %s, calibration to %s\n",
		r.Rows, r.First.Format(time.DateOnly), r.Last.Format(time.DateOnly), r.CalibrationEnd.Format(time.DateOnly))
	line("%d customers, %d bought again, %d came after the calibration; rates are per %s\n",
		r.Customers, r.RepeatCustomers, r.LateCustomers, r.options.unit())
	if len(r.Choices) > 0 {
		line("\nmodel\tlog-likelihood of customers not seen\t\n")
		for _, c := range r.Choices {
			if c.Err != nil {
				line("%s\t%s\t\n", c.Kind, c.Err)
			} else {
				line("%s\t%.3f\t\n", c.Kind, c.HeldOut)
			}
		}
	}
	line("\n%s, log-likelihood %.3f, %s, %d groups\n", r.Counts.Kind, r.Counts.LogLikelihood, reached(r.Counts.Converged), r.Counts.Groups)
	printParameters(line, r.Counts.Parameters)
	if r.Spend != nil {
		line("\ngamma_gamma of %d customers, log-likelihood %.4f, %s\n", r.Spend.Customers, r.Spend.LogLikelihood, reached(r.Spend.Converged))
		printParameters(line, r.Spend.Parameters)
	} else {
		line("\nno amounts: %s\n", r.SpendRefused)
	}
	for _, warning := range r.Warnings {
		line("\nWARNING: %s\n", warning)
	}
	if r.Backtest != nil {
		r.printBacktest(line)
	}
	return t.Flush()
}

// unit is the name of the unit of time.
func (o Options) unit() string {
	switch o.UnitDays {
	case 1:
		return "day"
	case weekDays:
		return "week"
	}
	return fmt.Sprintf("%d days", o.UnitDays)
}

func reached(converged bool) string {
	if converged {
		return "converged"
	}
	return "NOT converged: the data do not tell all parameters"
}

func printParameters(line func(string, ...any), parameters []btyd.Parameter) {
	line("\tvalue\tstandard error\t95 %% from\tto\t\n")
	for _, p := range parameters {
		line("%s\t%.6g\t%s\t%s\t%s\t\n", p.Name, p.Value, known("%.3g", p.StandardError), known("%.6g", p.Low), known("%.6g", p.High))
	}
}

// known is a figure, or a dash for one that the data do not tell.
func known(format string, figure float64) string {
	if math.IsNaN(figure) || math.IsInf(figure, 0) {
		return "-"
	}
	return fmt.Sprintf(format, figure)
}

func (r *Result) printBacktest(line func(string, ...any)) {
	b := r.Backtest
	line("\nholdout of %.4g weeks: %.0f purchases came\n", r.HoldoutWeeks, b.Actual)
	line("forecast\tpurchases\tmean absolute error\troot mean square error\t\n")
	for _, f := range []struct {
		name string
		btyd.Errors
	}{{"model", b.Model}, {"same rate", b.SameRate}, {"same mean", b.SameMean}} {
		line("%s\t%.1f\t%.4f\t%.4f\t\n", f.name, f.Total, f.MeanAbsolute, f.RootMeanSquare)
	}
	line("\nrepeats\tcustomers\tcame, mean\texpected, mean\t\n")
	for i, c := range b.Classes {
		more := ""
		if i == len(b.Classes)-1 {
			more = "+"
		}
		line("%d%s\t%d\t%.4f\t%.4f\t\n", c.X, more, c.Customers, c.Actual, c.Expected)
	}
}

// PredictionsCSV writes a line for each customer.
func (r *Result) PredictionsCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"id", "x", "t_x_days", "t_days", "mean_amount", "p_alive", "expected_purchases", "low", "high", "expected_amount", "value"})
	for _, p := range r.Predictions() {
		_ = out.Write([]string{ // a failure stays in out
			p.ID, strconv.Itoa(p.X), strconv.Itoa(p.TX), strconv.Itoa(p.T), number(p.Mean), number(p.Alive),
			number(p.Purchases.Value), number(p.Purchases.Low), number(p.Purchases.High), number(p.Amount), number(p.Value),
		})
	}
	out.Flush()
	return out.Error()
}

// number is empty for what is not known.
func number(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', 10, 64)
}

type jsonParameter struct {
	Name          string   `json:"name"`
	Value         float64  `json:"value"`
	StandardError *float64 `json:"standard_error"`
	Low           *float64 `json:"low"`
	High          *float64 `json:"high"`
}

type jsonModel struct {
	Model         string          `json:"model"`
	Parameters    []jsonParameter `json:"parameters"`
	LogLikelihood float64         `json:"log_likelihood"`
	Customers     int             `json:"customers"`
	Converged     bool            `json:"converged"`
	Evaluations   int             `json:"evaluations"`
	// Groups of equal customers; only of the model of purchases.
	Groups int `json:"groups,omitempty"`
	// LeftOut had no positive mean amount; only of the model of amounts.
	LeftOut int `json:"left_out,omitempty"`
}

type jsonErrors struct {
	Total          float64 `json:"purchases"`
	MeanAbsolute   float64 `json:"mean_absolute_error"`
	RootMeanSquare float64 `json:"root_mean_square_error"`
}

type jsonClass struct {
	Repeats   int     `json:"repeats"`
	Customers int     `json:"customers"`
	Actual    float64 `json:"actual"`
	Expected  float64 `json:"expected"`
}

type jsonBin struct {
	From      float64 `json:"expected_from"`
	Customers int     `json:"customers"`
	Actual    float64 `json:"actual"`
	Expected  float64 `json:"expected"`
}

type jsonHoldout struct {
	Weeks       float64     `json:"weeks"`
	Actual      float64     `json:"actual"`
	Model       jsonErrors  `json:"model"`
	SameRate    jsonErrors  `json:"same_rate"`
	SameMean    jsonErrors  `json:"same_mean"`
	Classes     []jsonClass `json:"classes"`
	Calibration []jsonBin   `json:"calibration"`
}

// jsonFrequency counts customers by repeat purchases; in the last one are also those with more.
type jsonFrequency struct {
	Repeats   int `json:"repeats"`
	Customers int `json:"customers"`
}

type jsonChoice struct {
	Model   string  `json:"model"`
	HeldOut float64 `json:"held_out_log_likelihood"`
	Error   string  `json:"error,omitempty"`
}

type jsonResult struct {
	Rows            int             `json:"rows"`
	First           string          `json:"first"`
	Last            string          `json:"last"`
	CalibrationEnd  string          `json:"calibration_end"`
	Customers       int             `json:"customers"`
	RepeatCustomers int             `json:"repeat_customers"`
	LateCustomers   int             `json:"late_customers"`
	Frequencies     []jsonFrequency `json:"frequencies"`
	UnitDays        int             `json:"unit_days"`
	Choices         []jsonChoice    `json:"choices,omitempty"`
	Counts          jsonModel       `json:"counts"`
	ExpectedNewYear float64         `json:"expected_new_52_weeks"`
	Spend           *jsonModel      `json:"spend,omitempty"`
	SpendRefused    string          `json:"spend_refused,omitempty"`
	Holdout         *jsonHoldout    `json:"holdout,omitempty"`
	Warnings        []string        `json:"warnings,omitempty"`
}

// JSON writes the result for programs.
func (r *Result) JSON(w io.Writer) error {
	out := jsonResult{
		Rows: r.Rows, First: r.First.Format(time.DateOnly), Last: r.Last.Format(time.DateOnly),
		CalibrationEnd: r.CalibrationEnd.Format(time.DateOnly), Customers: r.Customers, RepeatCustomers: r.RepeatCustomers,
		LateCustomers: r.LateCustomers, UnitDays: r.options.UnitDays, Warnings: r.Warnings,
		Counts: jsonModel{
			Model: string(r.Counts.Kind), Parameters: jsonParameters(r.Counts.Parameters), LogLikelihood: r.Counts.LogLikelihood,
			Customers: r.Counts.Customers, Converged: r.Counts.Converged,
			Evaluations: r.Counts.Evaluations, Groups: r.Counts.Groups,
		},
		ExpectedNewYear: r.ExpectedNew(52), SpendRefused: r.SpendRefused,
	}
	for repeats, customers := range r.Frequencies {
		out.Frequencies = append(out.Frequencies, jsonFrequency{Repeats: repeats, Customers: customers})
	}
	for _, c := range r.Choices {
		choice := jsonChoice{Model: string(c.Kind), HeldOut: c.HeldOut}
		if c.Err != nil {
			choice.Error = c.Err.Error()
		}
		out.Choices = append(out.Choices, choice)
	}
	if s := r.Spend; s != nil {
		out.Spend = &jsonModel{
			Model: "gamma_gamma", Parameters: jsonParameters(s.Parameters), LogLikelihood: s.LogLikelihood, Customers: s.Customers, Converged: s.Converged,
			Evaluations: s.Evaluations, LeftOut: s.LeftOut,
		}
	}
	if b := r.Backtest; b != nil {
		out.Holdout = &jsonHoldout{
			Weeks: r.HoldoutWeeks, Actual: b.Actual,
			Model: jsonErrors(b.Model), SameRate: jsonErrors(b.SameRate), SameMean: jsonErrors(b.SameMean),
		}
		for _, c := range b.Classes {
			out.Holdout.Classes = append(out.Holdout.Classes, jsonClass{Repeats: c.X, Customers: c.Customers, Actual: c.Actual, Expected: c.Expected})
		}
		for _, c := range b.Calibration {
			out.Holdout.Calibration = append(out.Holdout.Calibration, jsonBin(c))
		}
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(out)
}

// jsonParameters leaves out what is not known: JSON has no NaN.
func jsonParameters(parameters []btyd.Parameter) []jsonParameter {
	orNull := func(v float64) *float64 {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		return &v
	}
	out := make([]jsonParameter, len(parameters))
	for i, p := range parameters {
		out[i] = jsonParameter{Name: p.Name, Value: p.Value, StandardError: orNull(p.StandardError), Low: orNull(p.Low), High: orNull(p.High)}
	}
	return out
}
