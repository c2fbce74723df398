package clv

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"tandem.bank/pkg/btyd"
	"tandem.bank/services/analytics/internal/warehouse"
)

// Entry is a row of the registry.
type Entry struct {
	run     uuid.UUID
	Purpose string
	// Group of customers; empty for all.
	Group  string
	DataTo time.Time
	// Kind of model; empty when it was refused, and Refusal says why.
	Kind                      btyd.Kind
	Refusal                   string
	UnitDays                  uint32
	Customers, Repeat, Groups uint64
	Counts                    estimates
	ExpectedNew               float64
	ChoiceKinds               []string
	ChoiceLikelihoods         []float64
	ChoiceErrors              []string
	AmountRefusal             string
	AmountCustomers           uint64
	AmountMean                float64
	Amounts                   estimates
}

// estimates are the parameters of a model and how they were found.
type estimates struct {
	Names                       []string
	Values, Errors, Lows, Highs []float64
	LogLikelihood               float64
	Evaluations                 uint64
	Converged                   uint8
}

func estimatesOf(parameters []btyd.Parameter, logLikelihood float64, evaluations int, converged bool) estimates {
	e := estimates{LogLikelihood: logLikelihood, Evaluations: uint64(evaluations), Converged: warehouse.Flag(converged)} //nolint:gosec // a count
	for _, p := range parameters {
		e.Names = append(e.Names, p.Name)
		e.Values, e.Errors = append(e.Values, p.Value), append(e.Errors, p.StandardError)
		e.Lows, e.Highs = append(e.Lows, p.Low), append(e.Highs, p.High)
	}
	return e
}

//nolint:gosec // counts
func entryOf(run uuid.UUID, m *Model) Entry {
	e := Entry{
		run: run, Purpose: m.Purpose, Group: m.Group, DataTo: m.DataTo, Refusal: m.Refusal, UnitDays: uint32(m.UnitDays),
		Customers: uint64(m.Customers), Repeat: uint64(m.Repeat), ExpectedNew: m.ExpectedNew,
		AmountRefusal: m.Amounts.refusal, AmountMean: m.Amounts.mean,
	}
	if f := m.Counts; f != nil {
		e.Kind, e.Groups = f.Kind, uint64(f.Groups)
		e.Counts = estimatesOf(f.Parameters, f.LogLikelihood, f.Evaluations, f.Converged)
	}
	if f := m.Amounts.fit; f != nil {
		e.AmountCustomers = uint64(f.Customers)
		e.Amounts = estimatesOf(f.Parameters, f.LogLikelihood, f.Evaluations, f.Converged)
	}
	for _, c := range m.Choices {
		e.ChoiceKinds, e.ChoiceLikelihoods = append(e.ChoiceKinds, string(c.Kind)), append(e.ChoiceLikelihoods, c.HeldOut)
		text := ""
		if c.Err != nil {
			text = c.Err.Error()
		}
		e.ChoiceErrors = append(e.ChoiceErrors, text)
	}
	return e
}

// amountWarning says what not to rely on in the model of amounts; empty when there is nothing.
func (e Entry) amountWarning() (string, error) {
	m, err := e.model()
	if err != nil || m.Amounts.fit == nil {
		return "", err
	}
	warning := m.Amounts.fit.Warning()
	if warning != "" {
		warning += fmt.Sprintf("; those who never bought again are expected to spend the mean of the others, %.2f", e.AmountMean)
	}
	return warning, nil
}

// warnings say what not to rely on in the models of an entry.
func (e Entry) warnings() ([]string, error) {
	var out []string
	of := ""
	if e.Group != all {
		of = fmt.Sprintf(" of the group %q", e.Group)
	}
	if e.Kind != "" && e.Counts.Converged == 0 {
		out = append(out, fmt.Sprintf("the model of purchases%s did not converge: the data do not tell all parameters", of))
	}
	if len(e.Amounts.Values) > 0 && e.Amounts.Converged == 0 {
		out = append(out, fmt.Sprintf("the model of amounts%s did not converge: the data do not tell all parameters", of))
	}
	warning, err := e.amountWarning()
	if warning != "" {
		out = append(out, fmt.Sprintf("the model of amounts%s has %s", of, warning))
	}
	return out, err
}

// model restores what foretells from a row of the registry; intervals are not to be had of it.
func (e Entry) model() (*Model, error) {
	m := &Model{Purpose: e.Purpose, Group: e.Group, DataTo: e.DataTo, Refusal: e.Refusal, UnitDays: int(e.UnitDays)}
	m.Amounts = amounts{refusal: e.AmountRefusal, mean: e.AmountMean}
	var err error
	if e.Kind != "" {
		if m.Counts, err = btyd.Restore(e.Kind, m.UnitDays, e.Counts.Values); err != nil {
			return nil, fmt.Errorf("clv: model of group %q: %w", e.Group, err)
		}
	}
	if v := e.Amounts.Values; len(v) == 3 {
		if m.Amounts.fit, err = btyd.RestoreSpend(v[0], v[1], v[2]); err != nil {
			return nil, fmt.Errorf("clv: amounts of group %q: %w", e.Group, err)
		}
	}
	return m, nil
}

var modelTable = warehouse.NewTable("clv_model", slices.Concat(
	[]warehouse.Column[Entry]{
		warehouse.Col("run_id", func(e *Entry) uuid.UUID { return e.run }),
		warehouse.Col("purpose", func(e *Entry) string { return e.Purpose }),
		warehouse.Col("fit_group", func(e *Entry) string { return e.Group }),
		warehouse.Col("data_to", func(e *Entry) time.Time { return e.DataTo }),
		warehouse.Col("model", func(e *Entry) string { return string(e.Kind) }),
		warehouse.Col("refusal", func(e *Entry) string { return e.Refusal }),
		warehouse.Col("unit_days", func(e *Entry) uint32 { return e.UnitDays }),
		warehouse.Col("customers", func(e *Entry) uint64 { return e.Customers }),
		warehouse.Col("repeat_customers", func(e *Entry) uint64 { return e.Repeat }),
		warehouse.Col("groups", func(e *Entry) uint64 { return e.Groups }),
		warehouse.Col("expected_new", func(e *Entry) float64 { return e.ExpectedNew }),
		warehouse.Col("choice_models", func(e *Entry) []string { return e.ChoiceKinds }),
		warehouse.Col("choice_likelihoods", func(e *Entry) []float64 { return e.ChoiceLikelihoods }),
		warehouse.Col("choice_errors", func(e *Entry) []string { return e.ChoiceErrors }),
		warehouse.Col("amount_refusal", func(e *Entry) string { return e.AmountRefusal }),
		warehouse.Col("amount_customers", func(e *Entry) uint64 { return e.AmountCustomers }),
		warehouse.Col("amount_mean", func(e *Entry) float64 { return e.AmountMean }),
	},
	estimateColumns("parameter_", "", func(e *Entry) *estimates { return &e.Counts }),
	estimateColumns("amount_", "amount_", func(e *Entry) *estimates { return &e.Amounts }),
)...)

func estimateColumns(parameter, fit string, of func(*Entry) *estimates) []warehouse.Column[Entry] {
	return []warehouse.Column[Entry]{
		warehouse.Col(parameter+"names", func(e *Entry) []string { return of(e).Names }),
		warehouse.Col(parameter+"values", func(e *Entry) []float64 { return of(e).Values }),
		warehouse.Col(parameter+"errors", func(e *Entry) []float64 { return of(e).Errors }),
		warehouse.Col(parameter+"lows", func(e *Entry) []float64 { return of(e).Lows }),
		warehouse.Col(parameter+"highs", func(e *Entry) []float64 { return of(e).Highs }),
		warehouse.Col(fit+"log_likelihood", func(e *Entry) float64 { return of(e).LogLikelihood }),
		warehouse.Col(fit+"evaluations", func(e *Entry) uint64 { return of(e).Evaluations }),
		warehouse.Col(fit+"converged", func(e *Entry) uint8 { return of(e).Converged }),
	}
}

// saveModels writes the registry of a run.
func (s store) saveModels(ctx context.Context, r Run, fleets ...fleet) error {
	var rows []Entry
	for _, f := range fleets {
		for _, group := range slices.Sorted(maps.Keys(f)) {
			rows = append(rows, entryOf(r.ID, f[group]))
		}
	}
	return modelTable.Insert(ctx, s.Conn, rows)
}

// Parts of WHERE that choose entries.
const (
	modelsAfter = "purpose IN {purposes:Array(String)} AND (purpose, fit_group) > ({purpose:String}, {fit_group:String})"
	modelNamed  = "(purpose, fit_group) = ({purpose:String}, {fit_group:String})"
)

// models reads entries of the registry after one, by purpose and group; an empty purpose is before all.
func (s store) models(ctx context.Context, r Run, purposes []string, after Entry, limit int) ([]Entry, error) {
	return s.entries(ctx, r, modelsAfter, after, limit, named("purposes", purposes))
}

// warnings say what not to rely on in the models of a run's values, those of the first groups where there are very many.
func (s store) warnings(ctx context.Context, r Run) ([]string, error) {
	entries, err := s.models(ctx, r, []string{purposeForecast}, Entry{}, warnedMax)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		found, err := e.warnings()
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// warnedMax bounds the groups whose models are looked at for warnings.
const warnedMax = 1000

// model returns one entry of the registry; false when there is none.
func (s store) model(ctx context.Context, r Run, purpose, group string) (Entry, bool, error) {
	found, err := s.entries(ctx, r, modelNamed, Entry{Purpose: purpose, Group: group}, 1)
	if err != nil || len(found) == 0 {
		return Entry{}, false, err
	}
	return found[0], true, nil
}

func (s store) entries(ctx context.Context, r Run, which string, at Entry, limit int, args ...any) ([]Entry, error) {
	q := ofRun(strings.Replace(modelsSQL, "/*which*/", which, 1), r.ID)
	q.Args = append(q.Args, named("purpose", at.Purpose), named("fit_group", at.Group), named("limit", limit))
	q.Args = append(q.Args, args...)
	var out []Entry
	err := s.Each(ctx, "read models", q, func(rows driver.Rows) error {
		var e Entry
		var kind string
		c, a := &e.Counts, &e.Amounts
		err := rows.Scan(&e.Purpose, &e.Group, &e.DataTo, &kind, &e.Refusal, &e.UnitDays, &e.Customers, &e.Repeat, &e.Groups,
			&c.Names, &c.Values, &c.Errors, &c.Lows, &c.Highs, &c.LogLikelihood, &c.Evaluations, &c.Converged, &e.ExpectedNew,
			&e.ChoiceKinds, &e.ChoiceLikelihoods, &e.ChoiceErrors, &e.AmountRefusal, &e.AmountCustomers, &e.AmountMean,
			&a.Names, &a.Values, &a.Errors, &a.Lows, &a.Highs, &a.LogLikelihood, &a.Evaluations, &a.Converged)
		e.Kind = btyd.Kind(kind)
		out = append(out, e)
		return err
	})
	return out, err
}

// backtestRow is a backtest of a run.
type backtestRow struct {
	run uuid.UUID
	Backtest
}

var backtestTable = warehouse.NewTable("clv_backtest",
	warehouse.Col("run_id", func(b *backtestRow) uuid.UUID { return b.run }),
	warehouse.Col("fit_group", func(b *backtestRow) string { return b.Group }),
	warehouse.Col("calibration_end", func(b *backtestRow) time.Time { return b.CalibrationEnd }),
	warehouse.Col("holdout_days", func(b *backtestRow) uint32 { return uint32(b.HoldoutDays) }),
	warehouse.Col("customers", func(b *backtestRow) uint64 { return uint64(b.Customers) }),
	warehouse.Col("actual", func(b *backtestRow) float64 { return b.Actual }),
	warehouse.Col("forecast_names", func(*backtestRow) []string { return forecastNames }),
	warehouse.Col("forecast_totals", forecastColumn(func(e btyd.Errors) float64 { return e.Total })),
	warehouse.Col("forecast_absolutes", forecastColumn(func(e btyd.Errors) float64 { return e.MeanAbsolute })),
	warehouse.Col("forecast_squares", forecastColumn(func(e btyd.Errors) float64 { return e.RootMeanSquare })),
	warehouse.Col("class_repeats", column(classesOf, func(c btyd.Class) uint32 { return uint32(c.X) })),
	warehouse.Col("class_customers", column(classesOf, func(c btyd.Class) uint64 { return uint64(c.Customers) })),
	warehouse.Col("class_actuals", column(classesOf, func(c btyd.Class) float64 { return c.Actual })),
	warehouse.Col("class_expecteds", column(classesOf, func(c btyd.Class) float64 { return c.Expected })),
	warehouse.Col("bin_froms", column(binsOf, func(b btyd.Bin) float64 { return b.From })),
	warehouse.Col("bin_customers", column(binsOf, func(b btyd.Bin) uint64 { return uint64(b.Customers) })),
	warehouse.Col("bin_actuals", column(binsOf, func(b btyd.Bin) float64 { return b.Actual })),
	warehouse.Col("bin_expecteds", column(binsOf, func(b btyd.Bin) float64 { return b.Expected })),
	warehouse.Col("actual_amount", func(b *backtestRow) float64 { return b.ActualAmount }),
	warehouse.Col("expected_amount", func(b *backtestRow) float64 { return b.ExpectedAmount }),
)

// forecastNames are the forecasts that a backtest compares, in the order of forecasts.
var forecastNames = []string{"model", "same_rate", "same_mean"}

func forecastColumn(value func(btyd.Errors) float64) func(*backtestRow) []float64 {
	return column(func(b *backtestRow) []btyd.Errors { return []btyd.Errors{b.Model, b.SameRate, b.SameMean} }, value)
}

func classesOf(b *backtestRow) []btyd.Class { return b.Classes }

func binsOf(b *backtestRow) []btyd.Bin { return b.Calibration }

// column makes a list of a member of each element.
func column[E, V any](of func(*backtestRow) []E, value func(E) V) func(*backtestRow) []V {
	return func(b *backtestRow) []V {
		elements := of(b)
		out := make([]V, len(elements))
		for i, e := range elements {
			out[i] = value(e)
		}
		return out
	}
}

func (s store) saveBacktests(ctx context.Context, r Run, results []Backtest) error {
	rows := make([]backtestRow, len(results))
	for i, b := range results {
		rows[i] = backtestRow{r.ID, b}
	}
	return backtestTable.Insert(ctx, s.Conn, rows)
}

// backtest reads the backtest of a group; false when there is none.
func (s store) backtest(ctx context.Context, r Run, group string) (b Backtest, found bool, err error) {
	q := ofRun(backtestsSQL, r.ID)
	q.Args = append(q.Args, named("fit_group", group))
	err = s.Each(ctx, "read a backtest", q, func(rows driver.Rows) error {
		var days uint32
		var customers uint64
		var names []string
		var totals, absolutes, squares, classActual, classExpected, froms, binActual, binExpected []float64
		var repeats []uint32
		var classCustomers, binCustomers []uint64
		if err := rows.Scan(&b.Group, &b.CalibrationEnd, &days, &customers, &b.Actual, &names, &totals, &absolutes, &squares,
			&repeats, &classCustomers, &classActual, &classExpected, &froms, &binCustomers, &binActual, &binExpected,
			&b.ActualAmount, &b.ExpectedAmount); err != nil {
			return err
		}
		found, b.HoldoutDays, b.Customers = true, int(days), int(customers)
		for i, e := range []*btyd.Errors{&b.Model, &b.SameRate, &b.SameMean} {
			*e = btyd.Errors{Total: totals[i], MeanAbsolute: absolutes[i], RootMeanSquare: squares[i]}
		}
		for i := range repeats {
			b.Classes = append(b.Classes, btyd.Class{
				X: int(repeats[i]), Customers: int(classCustomers[i]), Actual: classActual[i], Expected: classExpected[i], //nolint:gosec // counts
			})
		}
		for i := range froms {
			b.Calibration = append(b.Calibration, btyd.Bin{
				From: froms[i], Customers: int(binCustomers[i]), Actual: binActual[i], Expected: binExpected[i], //nolint:gosec // counts
			})
		}
		return nil
	})
	return b, found, err
}
