package snapshot

import (
	"context"

	"tandem.bank/pkg/page"
	"tandem.bank/services/analytics/internal/warehouse"
)

// ListRequest is what requests for rows of a run have in common.
type ListRequest interface {
	GetRunId() string
	GetPageSize() int32
	GetPageToken() string
}

// rowToken continues a list in the run it began with, even when there is a newer one by then.
type rowToken struct {
	RunID string `json:"run"`
	After uint64 `json:"after"`
}

// Page is a page of a run's rows.
type Page[R, Row any] struct {
	Run  R
	Rows []Row
	// Next is the token of the next page; empty on the last one.
	Next string
}

// List reads a page of a run's rows. Name and order tell lists apart, in the token; read calls yield for at most limit rows
// that stand after a place in the order, and place is where a row stands.
func List[S, R, Row any](
	ctx context.Context, room *Room[S, R, Row], req ListRequest, name, order string,
	read func(ctx context.Context, run R, after uint64, limit int, yield func(Row) error) error, place func(Row) uint64,
) (*Page[R, Row], error) {
	parameters := []string{name, req.GetRunId(), order}
	token, err := page.Decode[rowToken](req.GetPageToken(), parameters...)
	if err != nil {
		return nil, err
	}
	runID, after := req.GetRunId(), uint64(0)
	if token != nil {
		runID, after = token.RunID, token.After
	}
	run, err := room.Find(ctx, runID)
	if err != nil {
		return nil, err
	}
	size := PageSize(req.GetPageSize())
	out := &Page[R, Row]{Run: run}
	// One more than asked for tells whether there is a next page.
	err = read(ctx, run, after, size+1, func(row Row) error {
		out.Rows = append(out.Rows, row)
		return nil
	})
	if err != nil || len(out.Rows) <= size {
		return out, Public(err)
	}
	out.Rows = out.Rows[:size]
	out.Next, err = page.Encode(rowToken{room.Head(&run).ID.String(), place(out.Rows[size-1])}, parameters...)
	return out, err
}

// runToken continues a list of runs.
type runToken struct {
	Computed int64  `json:"computed"`
	RunID    string `json:"run"`
}

// ListRuns reads a page of a room's runs, the last computed first, and the token of the next page; name tells lists apart.
func ListRuns[S, R, Row any](ctx context.Context, room *Room[S, R, Row], pageSize int32, pageToken, name string) (runs []R, next string, err error) {
	token, err := page.Decode[runToken](pageToken, name)
	if err != nil {
		return nil, "", err
	}
	size := PageSize(pageSize)
	if token == nil {
		runs, err = room.Runs.Runs(ctx, "1", LastFirst, size+1)
	} else {
		runs, err = room.Runs.Runs(ctx, "(computed_time, run_id) < (fromUnixTimestamp64Micro({computed:Int64}, 'UTC'), {run_id:UUID})", LastFirst, size+1,
			warehouse.Named("computed", token.Computed), warehouse.Named("run_id", token.RunID))
	}
	if err != nil || len(runs) <= size {
		return runs, "", Public(err)
	}
	runs = runs[:size]
	last := room.Head(&runs[size-1])
	next, err = page.Encode(runToken{last.ComputedTime.UnixMicro(), last.ID.String()}, name)
	return runs, next, err
}

// PageSize applies the default to a size whose bounds the contract knows.
func PageSize(requested int32) int {
	if requested == 0 {
		return page.SizeDefault
	}
	return int(requested)
}
