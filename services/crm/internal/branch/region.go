// Package branch is where and by whom customers are served: regions, branches and managers.
package branch

import (
	"math"

	"github.com/shopspring/decimal"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// RegionRow is a region as Postgres keeps it.
type RegionRow struct {
	Name          string              `json:"name"`
	ParentName    string              `json:"parent_name"`
	Latitude      *float64            `json:"latitude"`
	Longitude     *float64            `json:"longitude"`
	Population    *int64              `json:"population"`
	AverageSalary decimal.NullDecimal `json:"average_salary"`
	Indicators    map[string]float64  `json:"indicators"`
}

// RegionTable keeps regions; other rooms refer to it.
var RegionTable = record.NewTable[RegionRow]("region", sight.Everybody)

var regionSchema = filter.Schema{
	{Name: "region_id", Column: "region_id", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "key.source", Column: "source", Kind: filter.Text},
	{Name: "key.external_id", Column: "external_id", Kind: filter.Text},
	{Name: "name", Column: "name", Kind: filter.Text, Required: true},
	{Name: "parent_name", Column: "parent_name", Kind: filter.Text},
	{Name: "location.latitude", Column: "latitude", Kind: filter.Decimal},
	{Name: "location.longitude", Column: "longitude", Kind: filter.Decimal},
	{Name: "population", Column: "population", Kind: filter.Int},
	{Name: "average_salary", Column: "average_salary", Kind: filter.Decimal},
}

func regionToRow(r *crmv1.Region) (RegionRow, []record.Reference, []apperr.Violation) {
	var in record.Reader
	row := RegionRow{
		Name:          r.GetName(),
		ParentName:    r.GetParentName(),
		Population:    r.Population,
		AverageSalary: in.Decimal("average_salary", r.GetAverageSalary()),
		Indicators:    readIndicators(&in, r.GetIndicators()),
	}
	row.Latitude, row.Longitude = ReadLocation(&in, r.GetLocation())
	return row, nil, in.Violations
}

// readIndicators refuses what JSON can't hold. No indicators are an empty map, not null.
func readIndicators(in *record.Reader, indicators map[string]float64) map[string]float64 {
	out := make(map[string]float64, len(indicators))
	for name, value := range indicators {
		if math.IsNaN(value) || math.IsInf(value, 0) {
			in.Refuse("indicators."+name, "must be a finite number")
			continue
		}
		out[name] = value
	}
	return out
}

func regionToProto(r *record.Record[RegionRow]) *crmv1.Region {
	return &crmv1.Region{
		RegionId:      r.ID,
		Key:           r.Key(),
		Name:          r.Row.Name,
		ParentName:    r.Row.ParentName,
		Location:      Location(r.Row.Latitude, r.Row.Longitude),
		Population:    r.Row.Population,
		AverageSalary: record.DecimalText(r.Row.AverageSalary),
		Indicators:    r.Row.Indicators,
		Etag:          r.Etag(),
	}
}

func regionEvent(r *record.Record[RegionRow], c *eventsv1.Change) {
	c.Payload = &eventsv1.Change_Region{Region: &eventsv1.RegionState{
		Name:          r.Row.Name,
		ParentName:    r.Row.ParentName,
		Location:      Location(r.Row.Latitude, r.Row.Longitude),
		Population:    record.Value(r.Row.Population),
		AverageSalary: record.DecimalText(r.Row.AverageSalary),
		Indicators:    r.Row.Indicators,
	}}
}
