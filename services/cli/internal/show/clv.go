package show

import (
	"fmt"
	"io"
	"text/tabwriter"

	moneypb "google.golang.org/genproto/googleapis/type/money"

	"tandem.bank/pkg/money"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
)

// table aligns cells that end with a tab.
func table(w io.Writer) (line func(format string, args ...any), flush func() error) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	return func(format string, args ...any) { _, _ = fmt.Fprintf(t, format+"\n", args...) }, t.Flush
}

// ClvRun prints a run: what it looked at, and what it came to.
func ClvRun(w io.Writer, r *analyticsv1.ClvRun) error {
	d := r.GetSettings()
	_, _ = fmt.Fprintf(w, "CLV as of %s, next %d days; run %s, computed %s\n",
		Date(r.GetAsOf()), d.GetHorizonDays(), r.GetRunId(), Time(r.GetComputedTime()))
	_, _ = fmt.Fprintf(w, "%s customers with %s days of purchases from %s to %s; newest event of %s\n",
		Count(r.GetCustomers()), Count(r.GetPurchases()), Date(r.GetDataFrom()), Date(r.GetDataTo()), Time(r.GetNewestEventTime()))
	_, err := fmt.Fprintf(w, "historic value %s, predictive value %s of %s customers\n",
		Money(r.GetHistoric()), Money(r.GetPredictive()), Count(r.GetPredicted()))
	return err
}

// ClvWarnings prints what not to rely on.
func ClvWarnings(w io.Writer, warnings []string) error {
	line, flush := table(w)
	for _, warning := range warnings {
		warn(line, warning)
	}
	return flush()
}

// warn prints a warning, unless there is none.
func warn(line func(string, ...any), warning string) {
	if warning != "" {
		line("WARNING: %s", warning)
	}
}

// ClvModel prints a model of the registry.
func ClvModel(w io.Writer, m *analyticsv1.ClvFittedModel) error {
	line, flush := table(w)
	line("")
	if m.GetRefusal() != "" {
		line("no model of purchases: %s", m.GetRefusal())
	} else {
		line("%s of %s customers to %s, log-likelihood %.3f, %s", clvModel(m.GetModel()), Count(m.GetCustomers()), Date(m.GetDataTo()),
			m.GetLogLikelihood(), reached(m.GetConverged()))
		clvParameters(line, m.GetParameters())
	}
	if a := m.GetAmounts(); a != nil {
		line("")
		line("gamma_gamma of %s customers, log-likelihood %.4f, %s", Count(a.GetCustomers()), a.GetLogLikelihood(), reached(a.GetConverged()))
		clvParameters(line, a.GetParameters())
		warn(line, a.GetWarning())
	} else {
		line("no model of amounts, everybody spends the mean %.2f: %s", m.GetAmountMean(), m.GetAmountRefusal())
	}
	if len(m.GetChoices()) > 0 {
		line("")
		line("compared\tlog-likelihood of customers not seen\t")
		for _, c := range m.GetChoices() {
			if c.GetError() != "" {
				line("%s\t%s\t", clvModel(c.GetModel()), c.GetError())
			} else {
				line("%s\t%.3f\t", clvModel(c.GetModel()), c.GetLogLikelihood())
			}
		}
	}
	return flush()
}

func clvModel(m definitionv1.ClvModel) string { return Name(m, "CLV_MODEL_") }

func reached(converged bool) string {
	if converged {
		return "converged"
	}
	return "NOT converged: the data do not tell all parameters"
}

func clvParameters(line func(string, ...any), parameters []*analyticsv1.ClvParameter) {
	line("\tvalue\tstandard error\t95 %% from\tto\t")
	for _, p := range parameters {
		if p.StandardError == nil {
			line("%s\t%.6g\t%s\t%s\t%s\t", p.GetName(), p.GetValue(), none, none, none)
			continue
		}
		line("%s\t%.6g\t%.3g\t%.6g\t%.6g\t", p.GetName(), p.GetValue(), p.GetStandardError(), p.GetLow(), p.GetHigh())
	}
}

// ClvBacktest prints what was foretold beside what came.
func ClvBacktest(w io.Writer, b *analyticsv1.ClvBacktest) error {
	line, flush := table(w)
	line("calibration to %s, holdout of %d days: %s customers, %.0f purchases came", Date(b.GetCalibrationEnd()), b.GetHoldoutDays(),
		Count(b.GetCustomers()), b.GetActual())
	line("amounts: %s came, %s were expected", Money(b.GetActualAmount()), Money(b.GetExpectedAmount()))
	line("")
	line("forecast\tpurchases\tmean absolute error\troot mean square error\t")
	for _, f := range b.GetForecasts() {
		line("%s\t%.1f\t%.4f\t%.4f\t", f.GetName(), f.GetTotal(), f.GetMeanAbsoluteError(), f.GetRootMeanSquareError())
	}
	line("")
	line("repeats\tcustomers\tcame, mean\texpected, mean\t")
	for i, c := range b.GetClasses() {
		more := ""
		if i == len(b.GetClasses())-1 {
			more = "+"
		}
		line("%d%s\t%d\t%.4f\t%.4f\t", c.GetRepeats(), more, c.GetCustomers(), c.GetActual(), c.GetExpected())
	}
	line("")
	line("expected from\tcustomers\tcame, mean\texpected, mean\t")
	for _, c := range b.GetCalibration() {
		line("%.2f\t%d\t%.4f\t%.4f\t", c.GetExpectedFrom(), c.GetCustomers(), c.GetActual(), c.GetExpected())
	}
	return flush()
}

// ClvExplanation prints the parts of a value and its bridges.
func ClvExplanation(w io.Writer, e *analyticsv1.ExplainClvResponse) error {
	v := e.GetValue()
	_, _ = fmt.Fprintf(w, "Customer %d as of %s: place %s, better than %.1f %% of the others\n",
		v.GetCustomerId(), Date(e.GetAsOf()), Count(v.GetRank()), v.GetPercentile())
	_, _ = fmt.Fprintf(w, "%d repeat purchases of %.2f on average, the last %d days before; known for %d days\n",
		v.GetRepeats(), v.GetMeanAmount(), v.GetAgeDays()-v.GetLastDays(), v.GetAgeDays())
	line, flush := table(w)
	line("")
	if v.GetPredictive() == nil {
		line("predictive value: none, there is no model")
	} else {
		line("purchases while there\t%.4f\t", e.GetPurchasesWhileAlive())
		line("× probability of being there\t%.4f\t", v.GetPAlive().GetValue())
		line("× amount of a purchase\t%.4f\t", v.GetExpectedAmount())
		line("× margin\t%.4f\t", v.GetMarginShare())
		line("= predictive value\t%s\t", Money(v.GetPredictive().GetValue()))
		if low := v.GetPredictive().GetLow(); low != nil {
			line("from\t%s\t", Money(low))
			line("to\t%s\t", Money(v.GetPredictive().GetHigh()))
		}
	}
	line("historic value\t%s\t", Money(v.GetHistoric()))
	warn(line, e.GetModel().GetAmounts().GetWarning())
	if b := e.GetBridge(); b != nil {
		line("")
		line("predictive value as of %s\t%s\t", Date(b.GetPreviousAsOf()), Money(b.GetFrom()))
		steps(line, b.GetFrom(), []string{"new customer", "ageing", "activity", "amount", "model change"},
			b.GetNewCustomer(), b.GetAgeing(), b.GetActivity(), b.GetAmount(), b.GetModelChange())
		line("= predictive value now\t%s\t", Money(b.GetTo()))
	}
	if b := e.GetHistoricBridge(); b != nil {
		line("")
		line("historic value then\t%s\t", Money(b.GetFrom()))
		steps(line, b.GetFrom(), []string{"ageing", "earned"}, b.GetAgeing(), b.GetEarned())
		line("= historic value now\t%s\t", Money(b.GetTo()))
	}
	return flush()
}

// steps prints those of a bridge that move anything to the last place shown. Each is the difference of two levels as they are
// shown, so that what is seen adds up, too.
func steps(line func(string, ...any), from *moneypb.Money, names []string, amounts ...*moneypb.Money) {
	level, _ := money.Decimal(from)
	shown := level.Round(shownPlaces)
	for i, m := range amounts {
		step, _ := money.Decimal(m)
		level = level.Add(step)
		moved := level.Round(shownPlaces).Sub(shown)
		shown = shown.Add(moved)
		if !moved.IsZero() {
			line("+ %s\t%s\t", names[i], Money(money.Proto(moved, m.GetCurrencyCode())))
		}
	}
}

// ClvSlices prints slices with their values in earlier runs.
func ClvSlices(w io.Writer, r *analyticsv1.GetClvSlicesResponse) error {
	line, flush := table(w)
	line("slice\tname\tas of\tcustomers\thistoric\tpredictive\tshare\tthere\tgoal\tattained\t")
	for _, s := range r.GetSlices() {
		for i, p := range s.GetPoints() {
			key, name := orNone(s.GetKey()), orNone(s.GetName())
			if i > 0 {
				key, name = "", ""
			}
			goal, attained := none, none
			if p.GetGoal() != nil {
				goal = Money(p.GetGoal())
			}
			if p.Attainment != nil {
				attained = fmt.Sprintf("%.1f %%", 100*p.GetAttainment())
			}
			line("%s\t%s\t%s\t%s\t%s\t%s\t%.1f %%\t%.0f\t%s\t%s\t", key, name, Date(p.GetAsOf()), Count(p.GetCustomers()), Money(p.GetHistoric()),
				Money(p.GetPredictive()), 100*p.GetShare(), p.GetExpectedAlive(), goal, attained)
		}
	}
	return flush()
}
