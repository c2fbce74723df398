package branch

import (
	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// Row is a branch as Postgres keeps it.
type Row struct {
	Name      string   `json:"name"`
	RegionID  *int64   `json:"region_id"`
	Latitude  *float64 `json:"latitude"`
	Longitude *float64 `json:"longitude"`
}

// BranchTable keeps branches; other rooms refer to it.
var BranchTable = record.NewTable[Row]("branch", sight.Everybody)

var branchSchema = filter.Schema{
	{Name: "branch_id", Column: "branch_id", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "key.source", Column: "source", Kind: filter.Text},
	{Name: "key.external_id", Column: "external_id", Kind: filter.Text},
	{Name: "name", Column: "name", Kind: filter.Text, Required: true},
	{Name: "region_id", Column: "region_id", Kind: filter.Int},
	{Name: "location.latitude", Column: "latitude", Kind: filter.Decimal},
	{Name: "location.longitude", Column: "longitude", Kind: filter.Decimal},
}

func branchToRow(b *crmv1.Branch) (Row, []record.Reference, []apperr.Violation) {
	var in record.Reader
	row := Row{Name: b.GetName()}
	row.Latitude, row.Longitude = ReadLocation(&in, b.GetLocation())
	refs := []record.Reference{record.Ref("region_id", RegionTable, b.GetRegionId(), b.GetRegionKey(), &row.RegionID)}
	return row, refs, in.Violations
}

func branchToProto(r *record.Record[Row]) *crmv1.Branch {
	return &crmv1.Branch{
		BranchId: r.ID,
		Key:      r.Key(),
		Name:     r.Row.Name,
		RegionId: record.Value(r.Row.RegionID),
		Location: Location(r.Row.Latitude, r.Row.Longitude),
		Etag:     r.Etag(),
	}
}

func branchEvent(r *record.Record[Row], c *eventsv1.Change) {
	c.Payload = &eventsv1.Change_Branch{Branch: &eventsv1.BranchState{
		Name:     r.Row.Name,
		RegionId: record.Value(r.Row.RegionID),
		Location: Location(r.Row.Latitude, r.Row.Longitude),
	}}
}
