package show

import (
	"fmt"
	"io"
	"math"
	"strconv"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// ClusteringRun prints a run and each of its clusters in a few lines.
func ClusteringRun(w io.Writer, r *analyticsv1.ClusteringRun) error {
	_, _ = fmt.Fprintf(w, "%s version %d as of %s: %s customers in %d clusters by %s; run %s, computed %s\n", r.GetDefinition(),
		r.GetDefinitionVersion(), Date(r.GetAsOf()), Count(r.GetCustomers()), len(r.GetClusters()), Name(r.GetMethod(), "CLUSTERING_METHOD_"),
		r.GetRunId(), Time(r.GetComputedTime()))
	_, _ = fmt.Fprintf(w, "found with %s customers in %d iterations, %s\n", Count(r.GetSampleCustomers()), r.GetIterations(), rested(r.GetConverged()))
	line, flush := table(w)
	if len(r.GetTrials()) > 1 {
		line("")
		line("clusters\tlog-likelihood\tparameters\tBIC\t")
		for _, t := range r.GetTrials() {
			if t.GetRefusal() != "" {
				line("%d\t%s\t%s\t%s\t%s", t.GetClusters(), none, none, none, t.GetRefusal())
				continue
			}
			line("%d\t%.1f\t%d\t%.1f\t", t.GetClusters(), t.GetLogLikelihood(), t.GetParameters(), t.GetBic())
		}
	}
	if err := flush(); err != nil {
		return err
	}
	for _, c := range r.GetClusters() {
		if err := cluster(w, c); err != nil {
			return err
		}
	}
	return nil
}

func rested(converged bool) string {
	if converged {
		return "converged"
	}
	return "NOT converged"
}

// cluster prints one cluster: what tells it apart, and its rule.
func cluster(w io.Writer, c *analyticsv1.Cluster) error {
	fresh := ""
	if c.GetIsNew() {
		fresh = ", new"
	}
	_, _ = fmt.Fprintf(w, "\n%s: %s customers, %.1f %%, mean probability %.2f%s\n", c.GetSegment(), Count(c.GetCustomers()), 100*c.GetShare(),
		c.GetMeanProbability(), fresh)
	line, flush := table(w)
	line("\tmean\tof all\tdifference\t")
	for _, f := range c.GetFacts() {
		mark := ""
		if f.GetDistinguishing() {
			mark = "*"
		}
		line("%s\t%s\t%s\t%+.2f\t%s", f.GetTitle(), factValue(f.GetMean(), f.GetUnit()), factValue(f.GetBaseMean(), f.GetUnit()), f.GetDifference(), mark)
	}
	if err := flush(); err != nil {
		return err
	}
	return rule(w, c.GetRule())
}

func rule(w io.Writer, r *analyticsv1.ClusterRule) error {
	if r == nil {
		_, err := fmt.Fprintln(w, "no rule holds it")
		return err
	}
	_, err := fmt.Fprintf(w, "rule: %s  (precision %.2f, recall %.2f)\n", r.GetFilter(), r.GetPrecision(), r.GetRecall())
	return err
}

// factValue renders a value of a fact with its unit.
func factValue(v float64, unit string) string {
	digits := 2
	if math.Abs(v) >= 1000 {
		digits = 0
	}
	text := group(strconv.FormatFloat(v, 'f', digits, 64))
	if unit != "" {
		text += " " + unit
	}
	return text
}

// ClusteringRuns lists runs.
func ClusteringRuns(w io.Writer, runs []*analyticsv1.ClusteringRun) error {
	line, flush := table(w)
	line("run\tdefinition\tversion\tas of\tcustomers\tcomputed\t")
	for _, r := range runs {
		line("%s\t%s\t%d\t%s\t%s\t%s\t", r.GetRunId(), r.GetDefinition(), r.GetDefinitionVersion(), Date(r.GetAsOf()), Count(r.GetCustomers()),
			Time(r.GetComputedTime()))
	}
	return flush()
}

// ClusterExplanation prints why a customer is in a cluster.
func ClusterExplanation(w io.Writer, e *analyticsv1.ExplainClusterResponse) error {
	m := e.GetMember()
	_, _ = fmt.Fprintf(w, "Customer %d is in %s/%d as of %s with probability %.4f\n", m.GetCustomerId(), e.GetDefinition(), m.GetCluster(),
		Date(e.GetAsOf()), m.GetProbability())
	if e.GetNextCluster() == 0 {
		return nil
	}
	_, _ = fmt.Fprintf(w, "next is %s/%d: log-odds %.3f = %.3f by share and width of the clusters, and by fact:\n",
		e.GetDefinition(), e.GetNextCluster(), e.GetLogOdds(), e.GetPrior())
	line, flush := table(w)
	line("\tvalue\tcentre\tof the next\tof all\tsays\t")
	for _, f := range e.GetFacts() {
		value := "unknown"
		if f.Value != nil {
			value = factValue(f.GetValue(), f.GetUnit())
		}
		line("%s\t%s\t%s\t%s\t%s\t%+.3f\t", f.GetTitle(), value, factValue(f.GetClusterCentre(), ""), factValue(f.GetNextCentre(), ""),
			factValue(f.GetBaseMean(), ""), f.GetContribution())
	}
	if err := flush(); err != nil {
		return err
	}
	if e.GetRule() == nil {
		return nil
	}
	holds := "does not hold here"
	if e.GetRuleHolds() {
		holds = "holds here"
	}
	_, err := fmt.Fprintf(w, "the rule of the cluster %s: %s\n", holds, e.GetRule().GetFilter())
	return err
}
