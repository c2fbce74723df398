package insight

import (
	_ "embed"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/date"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/record"
)

//go:embed apply_segment.sql
var applySegmentSQL string

// segmentBatch is a bundle of those who joined a segment or left it.
type segmentBatch struct {
	header
	results *eventsv1.SegmentResults
}

func (b *segmentBatch) customers() []int64 { return b.results.GetCustomerIds() }

func (b *segmentBatch) apply(s span, known []int64) (sql string, args []any) {
	r := b.results
	return applySegmentSQL, []any{
		b.asOf, b.runID, b.computedAt, r.GetSegment(), r.GetDefinitionVersion(), cut(r.GetCustomerIds(), s), cut(r.GetMembers(), s), known,
	}
}

func parseSegment(h header, r *eventsv1.SegmentResults) (batch, error) {
	if err := checkDefinition("segment", segmentName, r.GetSegment(), r.GetDefinitionVersion()); err != nil {
		return nil, err
	}
	if err := checkColumns(r.GetCustomerIds(), column{"members", len(r.GetMembers())}); err != nil {
		return nil, err
	}
	return &segmentBatch{h, r}, nil
}

const segmentColumns = "segment, as_of, definition_version, run_id::text, computed_at, applied_at"

// SegmentsForCustomer reads the segments that the customer is in by the newest runs, by name.
func SegmentsForCustomer(into *[]*crmv1.SegmentInsight, customerID int64, rowsMax int) record.Part {
	sql := "SELECT " + segmentColumns + " FROM customer_segment WHERE customer_id = $1 AND member ORDER BY segment LIMIT $2"
	return many(into, scanSegment, sql, customerID, rowsMax)
}

// SegmentsStoodAt reads the segments that stood beside a customer at a moment.
func SegmentsStoodAt(into *[]*crmv1.SegmentInsight, customerID int64, rowsMax int, at time.Time) record.Part {
	sql := "SELECT " + segmentColumns + ` FROM (
SELECT DISTINCT ON (segment) * FROM customer_segment_history WHERE customer_id = $1 AND applied_at <= $3 ORDER BY segment, applied_at DESC
) stood WHERE member ORDER BY segment LIMIT $2`
	return many(into, scanSegment, sql, customerID, rowsMax, at)
}

// many reads insights of which a customer has several.
func many[T any](into *[]*T, scan pgx.RowToFunc[*T], sql string, args ...any) record.Part {
	return record.Part{SQL: sql, Args: args, Take: func(rows pgx.Rows) (err error) {
		if *into, err = pgx.CollectRows(rows, scan); err != nil {
			return fmt.Errorf("read the insights of customer %v: %w", args[0], err)
		}
		return nil
	}}
}

func scanSegment(row pgx.CollectableRow) (*crmv1.SegmentInsight, error) {
	var (
		insight                     crmv1.SegmentInsight
		asOf, computedAt, appliedAt time.Time
	)
	err := row.Scan(&insight.Name, &asOf, &insight.DefinitionVersion, &insight.RunId, &computedAt, &appliedAt)
	if err != nil {
		return nil, err
	}
	insight.AsOf, insight.ComputedTime, insight.AppliedTime = date.Proto(asOf), timestamppb.New(computedAt), timestamppb.New(appliedAt)
	return &insight, nil
}
