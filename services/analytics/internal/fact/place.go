package fact

import (
	"github.com/shopspring/decimal"
	"google.golang.org/genproto/googleapis/type/latlng"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

// location is a point on the map, or neither coordinate.
type location struct{ latitude, longitude *float64 }

func locationOf(at *latlng.LatLng) location {
	if at == nil {
		return location{}
	}
	return location{latitude: &at.Latitude, longitude: &at.Longitude}
}

type region struct {
	record
	location
	name, parentName string
	population       uint64
	averageSalary    *decimal.Decimal
	indicators       map[string]float64
}

var regionTable = warehouse.NewTable("region", with("region_id", func(r *region) *record { return &r.record },
	warehouse.Col("name", func(r *region) string { return r.name }),
	warehouse.Col("parent_name", func(r *region) string { return r.parentName }),
	warehouse.Col("latitude", func(r *region) *float64 { return r.latitude }),
	warehouse.Col("longitude", func(r *region) *float64 { return r.longitude }),
	warehouse.Col("population", func(r *region) uint64 { return r.population }),
	warehouse.Col("average_salary_base", func(r *region) *decimal.Decimal { return r.averageSalary }),
	warehouse.Col("indicators", func(r *region) map[string]float64 { return r.indicators }),
)...)

func regionOf(rec record, s *eventsv1.RegionState) (region, error) {
	f := fields{prefix: "region"}
	return region{
		record:        rec,
		location:      locationOf(s.GetLocation()),
		name:          s.GetName(),
		parentName:    s.GetParentName(),
		population:    f.ref("population", s.GetPopulation()),
		averageSalary: f.decimal("average_salary", s.GetAverageSalary(), moneyDigits, moneyScale),
		indicators:    s.GetIndicators(),
	}, f.fault()
}

type branch struct {
	record
	location
	name     string
	regionID uint64
}

var branchTable = warehouse.NewTable("branch", with("branch_id", func(r *branch) *record { return &r.record },
	warehouse.Col("name", func(r *branch) string { return r.name }),
	warehouse.Col("region_id", func(r *branch) uint64 { return r.regionID }),
	warehouse.Col("latitude", func(r *branch) *float64 { return r.latitude }),
	warehouse.Col("longitude", func(r *branch) *float64 { return r.longitude }),
)...)

func branchOf(rec record, s *eventsv1.BranchState) (branch, error) {
	f := fields{prefix: "branch"}
	return branch{
		record:   rec,
		location: locationOf(s.GetLocation()),
		name:     s.GetName(),
		regionID: f.ref("region_id", s.GetRegionId()),
	}, f.fault()
}

type manager struct {
	record
	branchID uint64
}

var managerTable = warehouse.NewTable("manager", with("manager_id", func(r *manager) *record { return &r.record },
	warehouse.Col("branch_id", func(r *manager) uint64 { return r.branchID }),
)...)

func managerOf(rec record, s *eventsv1.ManagerState) (manager, error) {
	f := fields{prefix: "manager"}
	return manager{record: rec, branchID: f.ref("branch_id", s.GetBranchId())}, f.fault()
}
