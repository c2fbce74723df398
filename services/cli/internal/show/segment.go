package show

import (
	"fmt"
	"io"
	"slices"
	"strings"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// SegmentPreview prints what a segment would be.
func SegmentPreview(w io.Writer, p *analyticsv1.PreviewSegmentResponse) error {
	_, _ = fmt.Fprintf(w, "%s of %s customers on %s, %.1f %%; newest event of %s\n",
		Count(p.GetCustomers()), Count(p.GetBaseCustomers()), Date(p.GetAsOf()), 100*p.GetShare(), Time(p.GetNewestEventTime()))
	if ids := p.GetSampleCustomerIds(); len(ids) > 0 {
		_, _ = fmt.Fprintf(w, "for example: %s\n", numbers(ids))
	}
	line, flush := table(w)
	for _, b := range p.GetBreakdowns() {
		line("")
		line("%s\tcustomers\tof all\tindex\t", b.GetFact())
		for _, v := range b.GetValues() {
			line("%s\t%s\t%s\t%.2f\t", orNone(v.GetValue()), Count(v.GetCustomers()), Count(v.GetBaseCustomers()), v.GetIndex())
		}
		if b.GetOtherCustomers() > 0 {
			line("others\t%s\t\t\t", Count(b.GetOtherCustomers()))
		}
	}
	if len(p.GetOverlaps()) > 0 {
		line("")
		line("segment\tcustomers\tin both\tsimilarity\t")
	}
	for _, o := range p.GetOverlaps() {
		line("%s\t%s\t%s\t%.2f\t", o.GetSegment(), Count(o.GetCustomers()), Count(o.GetBothCustomers()), o.GetSimilarity())
	}
	return flush()
}

func numbers(ids []int64) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = fmt.Sprint(id)
	}
	return strings.Join(texts, ", ")
}

// SegmentRun prints a snapshot.
func SegmentRun(w io.Writer, r *analyticsv1.SegmentRun) error {
	_, err := fmt.Fprintf(w, "%s, version %d, on %s: %s of %s customers; run %s, computed %s\n",
		r.GetSegment(), r.GetDefinitionVersion(), Date(r.GetAsOf()), Count(r.GetCustomers()), Count(r.GetBaseCustomers()), r.GetRunId(),
		Time(r.GetComputedTime()))
	for _, name := range sortedKeys(r.GetReferenceVersions()) {
		_, err = fmt.Fprintf(w, "  refers to %s, version %d\n", name, r.GetReferenceVersions()[name])
	}
	for _, name := range sortedKeys(r.GetThresholds()) {
		_, err = fmt.Fprintf(w, "  %s: from %s\n", name, orNone(r.GetThresholds()[name]))
	}
	return err
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// SegmentComparison prints who joined and left.
func SegmentComparison(w io.Writer, c *analyticsv1.CompareSegmentResponse) error {
	_, err := fmt.Fprintf(w, "%s, version %d, from %s to %s: %s joined, %s left, %s stayed\n",
		c.GetTo().GetSegment(), c.GetTo().GetDefinitionVersion(), Date(c.GetFrom().GetAsOf()), Date(c.GetTo().GetAsOf()),
		Count(c.GetJoinedCustomers()), Count(c.GetLeftCustomers()), Count(c.GetStayedCustomers()))
	for _, list := range []struct {
		sign string
		ids  []int64
	}{{"joined", c.GetJoinedCustomerIds()}, {"left", c.GetLeftCustomerIds()}} {
		if len(list.ids) > 0 {
			_, err = fmt.Fprintf(w, "%s: %s\n", list.sign, numbers(list.ids))
		}
	}
	return err
}

// SegmentSizes prints sizes over time.
func SegmentSizes(w io.Writer, s *analyticsv1.ListSegmentSizesResponse) error {
	line, flush := table(w)
	if len(s.GetSnapshots()) > 0 {
		line("snapshot\tversion\tcustomers\tof\trun\t")
	}
	for _, r := range s.GetSnapshots() {
		line("%s\t%d\t%s\t%s\t%s\t", Date(r.GetAsOf()), r.GetDefinitionVersion(), Count(r.GetCustomers()), Count(r.GetBaseCustomers()), r.GetRunId())
	}
	if len(s.GetDays()) > 0 {
		line("day\tcustomers\tjoined\tleft\t")
	}
	for _, d := range s.GetDays() {
		line("%s\t%s\t%s\t%s\t", Date(d.GetDay()), Count(d.GetCustomers()), Count(d.GetJoins()), Count(d.GetLeaves()))
	}
	return flush()
}

// SegmentExplanation prints a rule clause by clause, with what was observed, and what is one clause away.
func SegmentExplanation(w io.Writer, e *analyticsv1.ExplainMembershipResponse) error {
	answer := "no member"
	if e.GetMember() {
		answer = "a member"
	}
	_, err := fmt.Fprintf(w, "%s on %s, by version %d\n", answer, Date(e.GetAsOf()), e.GetDefinitionVersion())
	clause(w, e.GetRule(), "  ")
	for _, m := range e.GetNearMisses() {
		_, err = fmt.Fprintf(w, "one clause away: %s in %s, observed %s\n", m.GetText(), m.GetSegment(), orNone(m.GetObserved()))
	}
	if last := e.GetLastEvent(); last != nil {
		_, err = fmt.Fprintf(w, "%s %s, %s\n", moved(last), Time(last.GetEventTime()), why(last))
	}
	return err
}

func clause(w io.Writer, c *analyticsv1.SegmentClause, indent string) {
	mark := "✗"
	if c.GetHolds() {
		mark = "✓"
	}
	text := c.GetOperator() + c.GetText()
	if c.GetFact() != "" {
		text += fmt.Sprintf("   observed %s, compared with %s", orNone(strings.TrimSpace(c.GetObserved()+" "+c.GetUnit())), orNone(c.GetComparedWith()))
	}
	if c.GetSegment() != "" {
		text += fmt.Sprintf(", version %d", c.GetSegmentVersion())
	}
	_, _ = fmt.Fprintf(w, "%s%s %s\n", indent, mark, text)
	for _, part := range c.GetParts() {
		clause(w, part, indent+"  ")
	}
}

// SegmentEvents prints joins and leaves.
func SegmentEvents(w io.Writer, events []*analyticsv1.MembershipEvent) error {
	line, flush := table(w)
	for _, e := range events {
		line("%s\t%s\t%d\t%s\tversion %d\t%s\t", Time(e.GetEventTime()), e.GetSegment(), e.GetCustomerId(), moved(e), e.GetDefinitionVersion(), why(e))
	}
	return flush()
}

func moved(e *analyticsv1.MembershipEvent) string {
	if e.GetJoined() {
		return "joined"
	}
	return "left"
}

func why(e *analyticsv1.MembershipEvent) string {
	text := Name(e.GetCause(), "MEMBERSHIP_CAUSE_")
	if changed := e.GetChanged(); len(changed) > 0 {
		text += ": " + strings.Join(changed, ", ")
	}
	return text
}
