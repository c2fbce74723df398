package show

import (
	"fmt"
	"io"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// ProfileRun prints a run: its cells, and the combinations of levels behind them.
func ProfileRun(w io.Writer, r *analyticsv1.ProfileRun) error {
	_, _ = fmt.Fprintf(w, "%s version %d as of %s: %s customers; run %s, computed %s\n\n", r.GetDefinition(), r.GetDefinitionVersion(),
		Date(r.GetAsOf()), Count(r.GetCustomers()), r.GetRunId(), Time(r.GetComputedTime()))
	if err := profileCells(w, r.GetCells()); err != nil {
		return err
	}
	line, flush := table(w)
	line("")
	line("attractiveness\tinteraction\trisk\tcell\tcustomers\t")
	for _, c := range r.GetCombinations() {
		line("%s\t%s\t%s\t%s\t%s\t", c.GetAttractiveness(), c.GetInteraction(), c.GetRisk(), c.GetCell(), Count(c.GetCustomers()))
	}
	return flush()
}

func profileCells(w io.Writer, cells []*analyticsv1.ProfileCellSum) error {
	line, flush := table(w)
	line("cell\ttitle\tgroup\tcustomers\tshare\t")
	for _, c := range cells {
		line("%s\t%s\t%s\t%s\t%.1f %%\t", c.GetName(), c.GetTitle(), Name(c.GetGroup(), "PROFILE_GROUP_"), Count(c.GetCustomers()), 100*c.GetShare())
	}
	return flush()
}

// ProfileRuns lists runs.
func ProfileRuns(w io.Writer, runs []*analyticsv1.ProfileRun) error {
	line, flush := table(w)
	line("run\tdefinition\tversion\tas of\tcustomers\tcomputed\t")
	for _, r := range runs {
		line("%s\t%s\t%d\t%s\t%s\t%s\t", r.GetRunId(), r.GetDefinition(), r.GetDefinitionVersion(), Date(r.GetAsOf()), Count(r.GetCustomers()),
			Time(r.GetComputedTime()))
	}
	return flush()
}

// ProfileDryRun prints what a scheme would say.
func ProfileDryRun(w io.Writer, r *analyticsv1.DryRunProfileSchemeResponse) error {
	_, _ = fmt.Fprintf(w, "As of %s %s customers would be placed; %s would be in another cell than in run %s. Nothing was stored.\n\n",
		Date(r.GetAsOf()), Count(r.GetCustomers()), Count(r.GetMoved()), r.GetRunId())
	if err := profileCells(w, r.GetCells()); err != nil {
		return err
	}
	return profileMoves(w, r.GetMoves())
}

// ProfileMigration prints who went where.
func ProfileMigration(w io.Writer, r *analyticsv1.GetProfileMigrationResponse) error {
	_, _ = fmt.Fprintf(w, "From %s to %s\n", Date(r.GetFromAsOf()), Date(r.GetToAsOf()))
	return profileMoves(w, r.GetMoves())
}

func profileMoves(w io.Writer, moves []*analyticsv1.ProfileMove) error {
	line, flush := table(w)
	line("")
	line("from\tto\tcustomers\t")
	for _, m := range moves {
		line("%s\t%s\t%s\t", orNone(m.GetFrom()), orNone(m.GetTo()), Count(m.GetCustomers()))
	}
	return flush()
}

// ProfileExplanation prints why a customer is in a cell.
func ProfileExplanation(w io.Writer, e *analyticsv1.ExplainProfileResponse) error {
	c := e.GetCell()
	_, _ = fmt.Fprintf(w, "Customer %d is in %s/%s as of %s: %s, %s\n", e.GetCustomerId(), e.GetDefinition(), c.GetName(), Date(e.GetAsOf()),
		c.GetTitle(), Name(c.GetGroup(), "PROFILE_GROUP_"))
	if c.GetDescription() != "" {
		_, _ = fmt.Fprintln(w, c.GetDescription())
	}
	for _, a := range []struct {
		name string
		*analyticsv1.ProfilePosition
	}{{"attractiveness", e.GetAttractiveness()}, {"interaction", e.GetInteraction()}, {"risk", e.GetRisk()}} {
		_, _ = fmt.Fprintf(w, "\n%s %s: %.3f, from %.3f", a.name, a.GetLevel(), a.GetScore(), a.GetThreshold())
		if a.GetNextLevel() != "" {
			_, _ = fmt.Fprintf(w, "; %.3f are missing to %s", a.GetMissing(), a.GetNextLevel())
		}
		_, _ = fmt.Fprintln(w)
		line, flush := table(w)
		line("\tfact\tvalue\tpoints\tweight\tadds\t")
		for _, m := range a.GetMeasures() {
			value := orNone(m.GetValue())
			if m.GetValue() != "" && m.GetUnit() != "" {
				value += " " + m.GetUnit()
			}
			line("%s\t%s\t%s\t%.2f\t%g\t%.3f\t", m.GetTitle(), m.GetFact(), value, m.GetPoints(), m.GetWeight(), m.GetContribution())
		}
		if err := flush(); err != nil {
			return err
		}
	}
	return nil
}
