package show

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	datepb "google.golang.org/genproto/googleapis/type/date"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// scoreNumber is points or a probability.
func scoreNumber(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

// ScoreRun prints a run: whom it scored, how the grades fill, and how far things moved since the training.
func ScoreRun(w io.Writer, r *analyticsv1.ScoreRun) error {
	_, _ = fmt.Fprintf(w, "%s, version %d, as of %s; run %s, computed %s\n", r.GetScore(), r.GetDefinitionVersion(), Date(r.GetAsOf()),
		r.GetRunId(), Time(r.GetComputedTime()))
	_, _ = fmt.Fprintf(w, "%s customers, mean %s\n", Count(r.GetCustomers()), scoreNumber(r.GetMean()))
	if r.GetModelVersion() > 0 {
		_, _ = fmt.Fprintf(w, "model %d, stability index %.3f: %s\n", r.GetModelVersion(), r.GetStabilityIndex(), stability(r.GetStabilityIndex()))
	}
	if c := r.GetChallenger(); c != nil {
		_, _ = fmt.Fprintf(w, "challenger %d: mean %s, correlation %.3f, mean distance %.4f\n", c.GetModelVersion(), scoreNumber(c.GetMean()),
			c.GetCorrelation(), c.GetMeanDistance())
	}
	line, flush := table(w)
	if len(r.GetGrades()) > 0 {
		line("grade\tcustomers\tmean\t")
	}
	for _, g := range r.GetGrades() {
		line("%s\t%s\t%s\t", orNone(g.GetGrade()), Count(g.GetCustomers()), scoreNumber(g.GetMean()))
	}
	if len(r.GetFeatures()) > 0 {
		line("")
		line("fact\tstability index\t")
	}
	for _, f := range r.GetFeatures() {
		line("%s\t%.3f\t", f.GetFact(), f.GetStabilityIndex())
	}
	return flush()
}

// stability says what a stability index means, by the rule of Siddiqi, "Credit Risk Scorecards", 2006.
func stability(index float64) string {
	switch {
	case index < 0.1:
		return "nothing moved"
	case index < 0.25:
		return "something moved"
	}
	return "much moved, train again"
}

// ScoreRuns prints runs, one a line.
func ScoreRuns(w io.Writer, runs []*analyticsv1.ScoreRun) error {
	line, flush := table(w)
	line("score\tas of\tversion\tmodel\tcustomers\tmean\trun\t")
	for _, r := range runs {
		line("%s\t%s\t%d\t%d\t%s\t%s\t%s\t", r.GetScore(), Date(r.GetAsOf()), r.GetDefinitionVersion(), r.GetModelVersion(), Count(r.GetCustomers()),
			scoreNumber(r.GetMean()), r.GetRunId())
	}
	return flush()
}

// ScoreModels prints models, one a line.
func ScoreModels(w io.Writer, models []*analyticsv1.ScoreModel) error {
	line, flush := table(w)
	line("trained as of\tversion\trole\tcustomers\twith target\tAUC\tholdout AUC\tKS\t")
	for _, m := range models {
		holdout := ""
		if m.GetHoldout() != nil {
			holdout = fmt.Sprintf("%.4f", m.GetHoldout().GetAuc())
		}
		line("%s\t%d\t%s\t%s\t%s\t%.4f\t%s\t%.4f\t", Date(m.GetTrainedAsOf()), m.GetDefinitionVersion(), role(m), Count(m.GetTraining().GetCustomers()),
			Count(m.GetTraining().GetEvents()), m.GetTraining().GetAuc(), holdout, m.GetTraining().GetKs())
	}
	return flush()
}

func role(m *analyticsv1.ScoreModel) string {
	if m.GetRole() == analyticsv1.ScoreModelRole_SCORE_MODEL_ROLE_UNSPECIFIED {
		return ""
	}
	return Name(m.GetRole(), "SCORE_MODEL_ROLE_")
}

// ScoreModel prints a model: figures, parameters, features.
func ScoreModel(w io.Writer, m *analyticsv1.ScoreModel) error {
	_, _ = fmt.Fprintf(w, "%s, model %d %s, by version %d; features of %s, targets to %s\n", m.GetScore(), m.GetModelVersion(), role(m),
		m.GetDefinitionVersion(), Date(m.GetDataFrom()), Date(m.GetDataTo()))
	line, flush := table(w)
	line("\tcustomers\twith target\tlog-likelihood\tAUC\tGini\tKS\tBrier\ttop 10 %% lift\tHosmer-Lemeshow p\t")
	scoreMetrics(line, "training", m.GetTraining())
	if m.GetHoldout() != nil {
		scoreMetrics(line, "holdout", m.GetHoldout())
	}
	line("")
	line("parameter\tvalue\tstandard error\t95 %% from\tto\t")
	for _, p := range m.GetParameters() {
		line("%s\t%.6g\t%.4g\t%.4g\t%.4g\t", p.GetName(), p.GetValue(), p.GetStandardError(), p.GetLow(), p.GetHigh())
	}
	line("")
	line("fact\timportance\tinformation\t")
	for _, f := range m.GetFeatures() {
		information := ""
		if len(f.GetBins()) > 0 {
			information = fmt.Sprintf("%.4f", f.GetInformation())
		}
		line("%s\t%.4f\t%s\t", f.GetFact(), f.GetImportance(), information)
		for _, b := range f.GetBins() {
			line("%s\t%s of %s\t%+.4f\t", b.GetName(), Count(b.GetEvents()), Count(b.GetEvents()+b.GetOthers()), b.GetWeight())
		}
	}
	if err := flush(); err != nil {
		return err
	}
	if len(m.GetLeftOut()) > 0 {
		_, _ = fmt.Fprintf(w, "left out, because they tell nothing new: %s\n", strings.Join(m.GetLeftOut(), ", "))
	}
	return nil
}

func scoreMetrics(line func(string, ...any), name string, m *analyticsv1.ScoreMetrics) {
	lift := 0.0
	for _, l := range m.GetLifts() {
		if l.GetShare() == 0.1 {
			lift = l.GetLift()
		}
	}
	line("%s\t%s\t%s\t%.4f\t%.4f\t%.4f\t%.4f\t%.4f\t%.3f\t%.3f\t", name, Count(m.GetCustomers()), Count(m.GetEvents()), m.GetLogLikelihood(),
		m.GetAuc(), m.GetGini(), m.GetKs(), m.GetBrier(), lift, m.GetHosmerLemeshowP())
}

// ScorePromotion says what was saved.
func ScorePromotion(w io.Writer, role string, trained *datepb.Date, d *crmv1.Definition) error {
	who := "nobody"
	if trained != nil {
		who = "the model of " + Date(trained)
	}
	_, err := fmt.Fprintf(w, "%s of %s is %s, version %d\n", role, d.GetName(), who, d.GetVersion())
	return err
}

// Columns prints rows as a table.
func Columns(w io.Writer) (write func([]string) error, flush func() error) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	return func(cells []string) error {
		_, err := fmt.Fprintln(t, strings.Join(cells, "\t")+"\t")
		return err
	}, t.Flush
}

// ScoreTitles are the columns of a list of scores.
func ScoreTitles(scores []*analyticsv1.CustomerScore) []string {
	titles := []string{"customer_id", "score", "grade"}
	if len(scores) == 0 {
		return titles
	}
	for _, d := range scores[0].GetDimensions() {
		titles = append(titles, d.GetDimension())
	}
	if scores[0].Challenger != nil {
		titles = append(titles, "challenger")
	}
	return titles
}

// ScoreCells are a score in those columns.
func ScoreCells(s *analyticsv1.CustomerScore) []string {
	cells := []string{strconv.FormatInt(s.GetCustomerId(), 10), scoreNumber(s.GetValue()), s.GetGrade()}
	for _, d := range s.GetDimensions() {
		cells = append(cells, scoreNumber(d.GetPoints()))
	}
	if s.Challenger != nil {
		cells = append(cells, scoreNumber(s.GetChallenger()))
	}
	return cells
}

// ScoreExplanation prints what adds up to a score, the facts behind it, and earlier scores.
func ScoreExplanation(w io.Writer, e *analyticsv1.ExplainScoreResponse) error {
	unit := "points"
	if e.GetKind() == analyticsv1.ScoreKind_SCORE_KIND_MODEL {
		unit = "log-odds"
	}
	_, _ = fmt.Fprintf(w, "Customer %d: %s %s %s, version %d, as of %s; run %s\n", e.GetCustomer().GetCustomerId(), e.GetScore(),
		scoreNumber(e.GetCustomer().GetValue()), e.GetCustomer().GetGrade(), e.GetDefinitionVersion(), Date(e.GetAsOf()), e.GetRunId())
	for _, said := range []struct {
		what    string
		reasons []string
	}{{"raised by", e.GetRaising()}, {"lowered by", e.GetLowering()}} {
		if len(said.reasons) > 0 {
			_, _ = fmt.Fprintf(w, "%s: %s\n", said.what, strings.Join(said.reasons, "; "))
		}
	}
	line, flush := table(w)
	line("\t%s\tfacts\t", unit)
	if e.GetModelVersion() > 0 {
		line("mean of the training, model %d\t%+.6g\t\t", e.GetModelVersion(), e.GetBase())
	}
	for _, c := range e.GetContributions() {
		facts := make([]string, len(c.GetFacts()))
		for i, f := range c.GetFacts() {
			facts[i] = f.GetFact() + " = " + orNone(f.GetValue())
		}
		line("%s\t%+.6g\t%s\t", strings.TrimPrefix(c.GetDimension()+": "+c.GetReason(), ": "), c.GetValue(), strings.Join(facts, ", "))
	}
	line("together\t%+.6g\t\t", e.GetTotal())
	if len(e.GetTrend()) > 0 {
		line("")
		line("before\tscore\tgrade\t")
	}
	for _, p := range e.GetTrend() {
		line("%s\t%s\t%s\t", Date(p.GetAsOf()), scoreNumber(p.GetValue()), p.GetGrade())
	}
	return flush()
}
