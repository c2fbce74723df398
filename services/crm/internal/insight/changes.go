package insight

import (
	"context"
	_ "embed" // the SQL file
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/date"
	"tandem.bank/pkg/page"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

//go:embed changes.sql
var changesSQL string

// changePlace is where a page of changes ended.
type changePlace struct {
	AppliedAt time.Time         `json:"t"`
	Kind      crmv1.InsightKind `json:"k"`
	Name      string            `json:"n"`
}

// ListChanges returns a page of the changes of a customer's segments and scores, the last first. Errors: INVALID_ARGUMENT (page
// token).
func ListChanges(ctx context.Context, q record.Querier, req *crmv1.ListInsightHistoryRequest) (*crmv1.ListInsightHistoryResponse, error) {
	parameters := []string{"insight_history", fmt.Sprint(req.GetCustomerId()), req.GetKind().String(), req.GetName()}
	after, err := page.Decode[changePlace](req.GetPageToken(), parameters...)
	if err != nil {
		return nil, err
	}
	size := page.Size(req.GetPageSize())
	args := []any{req.GetCustomerId(), size + 1, int32(req.GetKind()), req.GetName(), nil, 0, ""}
	if after != nil {
		args[4], args[5], args[6] = after.AppliedAt, int32(after.Kind), after.Name
	}
	rows, err := q.Query(ctx, changesSQL, args...)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, scanChange)
	if err != nil {
		return nil, fmt.Errorf("read the insight history of customer %d: %w", req.GetCustomerId(), err)
	}
	answer := &crmv1.ListInsightHistoryResponse{Changes: found}
	if len(found) > size {
		answer.Changes = found[:size]
		last := found[size-1]
		answer.NextPageToken, err = page.Encode(changePlace{last.GetAppliedTime().AsTime(), last.GetKind(), last.GetName()}, parameters...)
	}
	return answer, err
}

func scanChange(row pgx.CollectableRow) (*crmv1.InsightChange, error) {
	var (
		change                      crmv1.InsightChange
		kind                        int32
		asOf, computedAt, appliedAt time.Time
		replacedAt                  *time.Time
	)
	err := row.Scan(&kind, &change.Name, &change.Present, &change.Value, &change.PreviousValue, &change.Grade, &asOf, &change.DefinitionVersion,
		&change.ModelVersion, &change.RunId, &computedAt, &appliedAt, &replacedAt, &change.AgeSeconds)
	if err != nil {
		return nil, err
	}
	change.Kind = crmv1.InsightKind(kind)
	change.AsOf, change.ComputedTime, change.AppliedTime = date.Proto(asOf), timestamppb.New(computedAt), timestamppb.New(appliedAt)
	if replacedAt != nil {
		change.ReplacedTime = timestamppb.New(*replacedAt)
	}
	return &change, nil
}
