package score

import (
	"math"
	"time"

	"github.com/google/uuid"

	"tandem.bank/services/analytics/internal/warehouse"
)

const selectRuns = `
SELECT run_id, score, definition_version, kind, as_of, customers, mean, grade_names, grade_customers, grade_means, plan, model_version,
    challenger_version, base, stability, feature_stability, challenge, computed_time, newest_event_time, insights_published
FROM score_run_detail FINAL
`

const lastFirst = "ORDER BY computed_time DESC, run_id DESC LIMIT {limit:UInt32}"

// twinQuery finds the last run of the same version and day.
func twinQuery(r Run) warehouse.Query {
	return warehouse.Query{
		SQL: selectRuns + "WHERE score = {score:String} AND definition_version = {version:UInt64} AND as_of = {as_of:Date} " + lastFirst,
		Args: []any{
			warehouse.Named("score", r.Score), warehouse.Named("version", r.DefinitionVersion), warehouse.Named("as_of", day(r.AsOf)),
			warehouse.Named("limit", 1),
		},
	}
}

// runQuery finds one run.
func runQuery(id uuid.UUID) warehouse.Query {
	return warehouse.Query{SQL: selectRuns + "WHERE run_id = {run_id:UUID}", Args: []any{warehouse.Named("run_id", id.String())}}
}

// lookQuery finds the run that people mean: the one that looks at the newest day, or at a day, and of those the last computed. An
// empty score means any.
func lookQuery(score string, asOf time.Time) warehouse.Query {
	q := warehouse.Query{
		SQL:  selectRuns + "WHERE ({score:String} = '' OR score = {score:String})",
		Args: []any{warehouse.Named("score", score)},
	}
	if !asOf.IsZero() {
		q.SQL += " AND as_of = {as_of:Date}"
		q.Args = append(q.Args, warehouse.Named("as_of", day(asOf)))
	}
	q.SQL += " ORDER BY as_of DESC, computed_time DESC, run_id DESC LIMIT 1"
	return q
}

// runsQuery lists runs behind one, the last computed first; a nil after begins with the last.
func runsQuery(score string, after *runsToken, limit int) warehouse.Query {
	q := warehouse.Query{
		SQL:  selectRuns + "WHERE ({score:String} = '' OR score = {score:String})",
		Args: []any{warehouse.Named("score", score), warehouse.Named("limit", limit)},
	}
	if after != nil {
		q.SQL += " AND (computed_time, run_id) < (fromUnixTimestamp64Micro({computed:Int64}, 'UTC'), {run_id:UUID})"
		q.Args = append(q.Args, warehouse.Named("computed", after.Computed), warehouse.Named("run_id", after.RunID))
	}
	q.SQL += " " + lastFirst
	return q
}

// unpublishedQuery lists runs whose results did not all go home, oldest first.
func unpublishedQuery() warehouse.Query {
	return warehouse.Query{SQL: selectRuns + "WHERE insights_published = 0 ORDER BY computed_time, run_id"}
}

// previousQuery finds the newest published run of the same score that lies before a run.
func previousQuery(r Run) warehouse.Query {
	return warehouse.Query{
		SQL: selectRuns + `WHERE score = {score:String} AND insights_published = 1 AND run_id != {run_id:UUID}
    AND (as_of, computed_time) < ({as_of:Date}, fromUnixTimestamp64Micro({computed:Int64}, 'UTC'))
ORDER BY as_of DESC, computed_time DESC, run_id DESC LIMIT 1`,
		Args: append(ofRun(r), warehouse.Named("computed", r.ComputedTime.UnixMicro())),
	}
}

// ofRun are the values of thisRun.
func ofRun(r Run) []any {
	return []any{warehouse.Named("score", r.Score), warehouse.Named("as_of", day(r.AsOf)), warehouse.Named("run_id", r.ID.String())}
}

// thisRun selects the rows of a run from score or score_part.
const thisRun = "score = {score:String} AND as_of = {as_of:Date} AND run_id = {run_id:UUID}"

// order is the order of a list of scores.
type order int

const (
	byCustomer order = iota
	highestFirst
)

// valuesToken continues a list in the run it began with, even when there is a newer one by then.
type valuesToken struct {
	RunID string `json:"run"`
	// Value and After are the score and the number of the customer before.
	Value float64 `json:"value"`
	After uint64  `json:"after"`
}

// pageQuery lists scores of a run; branches, when limited, are those whose customers are seen.
func pageQuery(r Run, by order, after *valuesToken, branches []int64, limited bool, limit int) warehouse.Query {
	q := warehouse.Query{SQL: "SELECT customer_id, value, band FROM score WHERE " + thisRun, Args: append(ofRun(r), warehouse.Named("limit", limit))}
	if limited {
		q.SQL += " AND " + inBranches
		q.Args = append(q.Args, warehouse.Named("branches", branches))
	}
	switch {
	case after != nil && by == byCustomer:
		q.SQL += " AND customer_id > {after:UInt64}"
	case after != nil:
		// As bits: numbers that go through texts come out one digit off.
		q.SQL += ` AND (value < reinterpretAsFloat64({bits:UInt64}) OR value = reinterpretAsFloat64({bits:UInt64}) AND customer_id > {after:UInt64})`
		q.Args = append(q.Args, warehouse.Named("bits", math.Float64bits(after.Value)))
	}
	if after != nil {
		q.Args = append(q.Args, warehouse.Named("after", after.After))
	}
	if by == highestFirst {
		q.SQL += " ORDER BY value DESC, customer_id LIMIT {limit:UInt32}"
	} else {
		q.SQL += " ORDER BY customer_id LIMIT {limit:UInt32}"
	}
	return q
}

// ofBranches selects the customers whom some branches look after now, and inBranches keeps only theirs.
const (
	ofBranches = "SELECT customer_id FROM customer FINAL WHERE has({branches:Array(Int64)}, toInt64(branch_id))"
	inBranches = "customer_id IN (" + ofBranches + ")"
)
