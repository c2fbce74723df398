package insight

import (
	_ "embed"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/date"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/record"
)

// gradeLengthMax of a grade's name.
const gradeLengthMax = 64

//go:embed apply_score.sql
var applyScoreSQL string

// scoreBatch is a bundle of the values of one score; nil stands for none.
type scoreBatch struct {
	header
	results *eventsv1.ScoreResults
	values  []*float64
	grades  []string
}

func (b *scoreBatch) customers() []int64 { return b.results.GetCustomerIds() }

func (b *scoreBatch) apply(s span, known []int64) (sql string, args []any) {
	r := b.results
	return applyScoreSQL, []any{
		b.asOf, b.runID, b.computedAt, r.GetScore(), r.GetDefinitionVersion(), r.GetModelVersion(), cut(r.GetCustomerIds(), s),
		cut(b.values, s), cut(b.grades, s), known,
	}
}

func parseScore(h header, r *eventsv1.ScoreResults) (batch, error) {
	if err := checkDefinition("score", definitionName, r.GetScore(), r.GetDefinitionVersion()); err != nil {
		return nil, err
	}
	if r.GetModelVersion() < 0 {
		return nil, fmt.Errorf("%w: model_version: must not be negative, is %d", errMalformed, r.GetModelVersion())
	}
	b := &scoreBatch{header: h, results: r, values: numbers(r.GetValues()), grades: r.GetGrades()}
	if len(b.grades) == 0 { // the definition names none
		b.grades = make([]string, len(r.GetCustomerIds()))
	}
	if err := checkColumns(r.GetCustomerIds(), column{"values", len(b.values)}, column{"grades", len(b.grades)}); err != nil {
		return nil, err
	}
	for i, id := range r.GetCustomerIds() {
		switch {
		case b.values[i] != nil && math.IsInf(*b.values[i], 0):
			return nil, fmt.Errorf("%w: customer %d: values: must be finite", errMalformed, id)
		case len(b.grades[i]) > gradeLengthMax:
			return nil, fmt.Errorf("%w: customer %d: grades: at most %d characters", errMalformed, id, gradeLengthMax)
		}
	}
	return b, nil
}

const scoreColumns = "score, value, grade, as_of, definition_version, model_version, run_id::text, computed_at, applied_at"

// ScoresForCustomer reads the customer's scores by the newest runs, by name.
func ScoresForCustomer(into *[]*crmv1.ScoreInsight, customerID int64, rowsMax int) record.Part {
	sql := "SELECT " + scoreColumns + " FROM customer_score WHERE customer_id = $1 AND value IS NOT NULL ORDER BY score LIMIT $2"
	return many(into, scanScore, sql, customerID, rowsMax)
}

// ScoresStoodAt reads the scores that stood beside a customer at a moment.
func ScoresStoodAt(into *[]*crmv1.ScoreInsight, customerID int64, rowsMax int, at time.Time) record.Part {
	sql := "SELECT " + scoreColumns + ` FROM (
SELECT DISTINCT ON (score) * FROM customer_score_history WHERE customer_id = $1 AND applied_at <= $3 ORDER BY score, applied_at DESC
) stood WHERE value IS NOT NULL ORDER BY score LIMIT $2`
	return many(into, scanScore, sql, customerID, rowsMax, at)
}

func scanScore(row pgx.CollectableRow) (*crmv1.ScoreInsight, error) {
	var (
		insight                     crmv1.ScoreInsight
		asOf, computedAt, appliedAt time.Time
	)
	err := row.Scan(&insight.Name, &insight.Value, &insight.Grade, &asOf, &insight.DefinitionVersion, &insight.ModelVersion, &insight.RunId,
		&computedAt, &appliedAt)
	if err != nil {
		return nil, err
	}
	insight.AsOf, insight.ComputedTime, insight.AppliedTime = date.Proto(asOf), timestamppb.New(computedAt), timestamppb.New(appliedAt)
	return &insight, nil
}
