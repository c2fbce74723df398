package segment

import (
	"context"
	"slices"
	"strings"
	"time"

	"tandem.bank/pkg/filter"
	"tandem.bank/services/analytics/internal/customerfact"
)

// ranSQL tells by a number for each kind of runs which there are: it is another one as soon as a run ends.
const ranSQL = `SELECT
    (SELECT groupBitXor(h) FROM (SELECT DISTINCT cityHash64(run_id) AS h FROM rfm_run)),
    (SELECT groupBitXor(h) FROM (SELECT DISTINCT cityHash64(run_id) AS h FROM clv_run)),
    (SELECT groupBitXor(h) FROM (SELECT DISTINCT cityHash64(run_id) AS h FROM score_run)),
    (SELECT groupBitXor(h) FROM (SELECT DISTINCT cityHash64(run_id) AS h FROM segment_run WHERE position(segment, '/') > 0))`

// ranNames are what events say of them.
var ranNames = [...]string{"rfm_run", "clv_run", "score_run", "division_run"}

// ran are the runs that facts and parts come from, as they were seen last.
type ran struct {
	looked time.Time
	is     [len(ranNames)]uint64
}

// since are the kinds of runs that ended since others were seen.
func (r ran) since(before ran) []string {
	var out []string
	for i, name := range ranNames {
		if r.is[i] != before.is[i] {
			out = append(out, name)
		}
	}
	return out
}

// lookForRuns sees which runs there are, at most once within lookInterval, and only for segments that ask for what runs found: the
// facts of these change for everybody without a change of records.
func (f *follower) lookForRuns(ctx context.Context, known library) (ran, error) {
	if time.Since(f.ran.looked) < lookInterval {
		return f.ran, nil
	}
	catalogue, err := f.service.facts.Catalogue(ctx)
	if err != nil {
		return ran{}, err
	}
	out := ran{looked: time.Now(), is: f.ran.is}
	if !known.askForRuns(catalogue) {
		return out, nil
	}
	err = f.service.store.conn.QueryRow(ctx, ranSQL).Scan(&out.is[0], &out.is[1], &out.is[2], &out.is[3])
	return out, err
}

// askForRuns says whether some segment in use asks for what runs found.
func (l library) askForRuns(catalogue *customerfact.Catalogue) bool {
	comesWithRuns := func(fact string) bool {
		f, ok := catalogue.Fact(fact)
		return ok && f.Freshness() == customerfact.EachRun
	}
	return slices.ContainsFunc(l.names(), func(name string) bool {
		return slices.ContainsFunc(filter.Fields(l[name].Spec.GetSegment().GetDynamic().GetExpression()), comesWithRuns) ||
			slices.ContainsFunc(references(l[name]), func(to string) bool { return strings.Contains(to, partSeparator) })
	})
}
