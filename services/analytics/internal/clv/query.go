package clv

import (
	_ "embed" // the SQL files
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/kind"
	"tandem.bank/services/analytics/internal/warehouse"
)

var (
	//go:embed sql/stage.sql
	stageSQL string
	//go:embed sql/totals.sql
	totalsSQL string
	//go:embed sql/groups.sql
	groupsSQL string
	//go:embed sql/amounts.sql
	amountsSQL string
	//go:embed sql/calibration_groups.sql
	calibrationGroupsSQL string
	//go:embed sql/calibration_amounts.sql
	calibrationAmountsSQL string
	//go:embed sql/outcomes.sql
	outcomesSQL string
	//go:embed sql/customers.sql
	customersSQL string
	//go:embed sql/value.sql
	valueSQL string
	//go:embed sql/sums.sql
	sumsSQL string
	//go:embed sql/runs.sql
	runsSQL string
	//go:embed sql/models.sql
	modelsSQL string
	//go:embed sql/backtests.sql
	backtestsSQL string
	//go:embed sql/by_customer.sql
	byCustomerSQL string
	//go:embed sql/by_predictive.sql
	byPredictiveSQL string
	//go:embed sql/by_historic.sql
	byHistoricSQL string
)

// What every statement needs, by short names.
var named, day = warehouse.Named, warehouse.Day

func ofRun(sql string, id uuid.UUID) warehouse.Query {
	return warehouse.Query{SQL: sql, Args: []any{named("run_id", id.String())}}
}

// fitBySQL names the group of a customer.
var fitBySQL = map[definitionv1.ClvFitBy]string{
	definitionv1.ClvFitBy_CLV_FIT_BY_UNSPECIFIED:   "''",
	definitionv1.ClvFitBy_CLV_FIT_BY_CUSTOMER_KIND: "customer.kind",
	definitionv1.ClvFitBy_CLV_FIT_BY_REGION:        "if(customer.region_id = 0, '', toString(customer.region_id))",
	definitionv1.ClvFitBy_CLV_FIT_BY_BRANCH:        "if(customer.branch_id = 0, '', toString(customer.branch_id))",
}

// stageQuery makes the histories of customers.
func stageQuery(r Run) warehouse.Query {
	condition, kinds := kind.Condition(r.spec.GetTransactionKinds())
	margin := r.spec.GetMargin()
	families := slices.Sorted(maps.Keys(margin.GetFamilyShares()))
	shares := make([]string, len(families))
	for i, family := range families {
		shares[i] = share(margin.GetFamilyShares()[family])
	}
	if len(families) == 0 { // an empty list has no type
		families, shares = []string{""}, []string{share(margin.GetDefaultShare())}
	}
	productMargins := 1
	if margin.GetIgnoreProductMargins() {
		productMargins = 0
	}
	return warehouse.Query{
		SQL: strings.NewReplacer("/*kinds*/", condition, "/*fit_by*/", fitBySQL[r.spec.GetFitBy()]).Replace(stageSQL),
		Args: []any{
			named("run_id", r.ID.String()), named("as_of", day(r.AsOf)), named("first_date", day(r.firstDate())),
			named("calibration_end", day(r.calibrationEnd())), named("half_life", uint32(r.spec.GetHalfLifeDays())), //nolint:gosec // positive
			named("kinds", kinds), named("incoming", kind.Incoming), named("product_margins", productMargins),
			named("families", families), named("shares", shares), named("default_share", share(margin.GetDefaultShare())),
			named("base_currency", r.BaseCurrency),
		},
	}
}

// share is a decimal as ClickHouse reads it.
func share(v float64) string { return strconv.FormatFloat(v, 'f', 8, 64) }

func valueQuery(r Run) warehouse.Query {
	return warehouse.Query{SQL: valueSQL, Args: []any{
		named("run_id", r.ID.String()), named("as_of", day(r.AsOf)),
		named("previous_run_id", r.PreviousID.String()), named("previous_as_of", day(orFirst(r.PreviousAsOf))),
	}}
}

func sumsQuery(r Run) warehouse.Query {
	return warehouse.Query{SQL: sumsSQL, Args: []any{named("run_id", r.ID.String()), named("as_of", day(r.AsOf))}}
}

// order is the order of a list of values.
type order int

const (
	byCustomer order = iota
	byPredictive
	byHistoric
)

var orderSQL = map[order]string{byCustomer: byCustomerSQL, byPredictive: byPredictiveSQL, byHistoric: byHistoricSQL}

// pageQuery reads values after a customer number or a place.
func pageQuery(r Run, by order, after uint64, limit int) warehouse.Query {
	return warehouse.Query{SQL: orderSQL[by], Args: []any{
		named("run_id", r.ID.String()), named("as_of", day(r.AsOf)), named("after", after), named("limit", limit),
	}}
}
