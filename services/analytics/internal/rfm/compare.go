package rfm

import (
	"cmp"
	"context"
	_ "embed" // the SQL files
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/btyd"
	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/snapshot"
	"tandem.bank/services/analytics/internal/warehouse"
)

var (
	//go:embed sql/keyed.sql
	keyedSQL string
	//go:embed sql/migration.sql
	migrationSQL string
	//go:embed sql/response.sql
	responseSQL string
	//go:embed sql/one.sql
	oneSQL string
)

// Contacts and responses when the request names none.
var (
	contactKinds     = []string{"campaign_contact"}
	responseOutcomes = []string{"interested", "sold"}
)

const cellSQL = "toUInt16(100 * recency_bin + 10 * frequency_bin + monetary_bin)"

// keySQL is the expression of a measure; parameters of names are told apart by a suffix.
func keySQL(by analyticsv1.RfmMeasure, suffix string) string {
	switch by {
	case analyticsv1.RfmMeasure_RFM_MEASURE_RECENCY:
		return "toString(recency_bin)"
	case analyticsv1.RfmMeasure_RFM_MEASURE_FREQUENCY:
		return "toString(frequency_bin)"
	case analyticsv1.RfmMeasure_RFM_MEASURE_MONETARY:
		return "toString(monetary_bin)"
	case analyticsv1.RfmMeasure_RFM_MEASURE_CELL:
		return "toString(" + cellSQL + ")"
	case analyticsv1.RfmMeasure_RFM_MEASURE_UNSPECIFIED, analyticsv1.RfmMeasure_RFM_MEASURE_SEGMENT:
	}
	return "transform(" + cellSQL + ", {cells" + suffix + ":Array(UInt16)}, {names" + suffix + ":Array(String)}, '')"
}

// names are the parameters of keySQL.
func (r Run) names(suffix string) []any {
	cells, names := []uint16{0}, []string{""}      // an empty list has no type
	for _, cell := range allCells(int32(r.Bins)) { //nolint:gosec // at most 5
		number := uint16(100*cell.r + 10*cell.f + cell.m) //nolint:gosec // three digits
		cells, names = append(cells, number), append(names, r.Segments[number])
	}
	return []any{named("cells"+suffix, cells), named("names"+suffix, names)}
}

// segment is the name of a cell; empty when there is none.
func (r Run) segment(cell int32) string { return r.Segments[uint16(cell)] } //nolint:gosec // three digits

// segmentSums counts the customers of each segment, in the order of the definition.
func (s *Server) segmentSums(ctx context.Context, run Run) ([]*analyticsv1.RfmSegmentSum, error) {
	if len(run.Segments) == 0 {
		return nil, nil
	}
	q := warehouse.Query{
		SQL:  strings.Replace(keyedSQL, "/*key*/", keySQL(analyticsv1.RfmMeasure_RFM_MEASURE_SEGMENT, ""), 1),
		Args: append(run.names(""), named("run_id", run.ID.String()), named("as_of", day(run.AsOf))),
	}
	type found struct {
		customers uint64
		monetary  decimal.Decimal
	}
	sums := map[string]found{}
	err := s.service.store.Each(ctx, "count segments", q, func(rows driver.Rows) error {
		var name string
		var f found
		err := rows.Scan(&name, &f.customers, &f.monetary)
		sums[name] = f
		return err
	})
	if err != nil {
		return nil, snapshot.Public(err)
	}
	var out []*analyticsv1.RfmSegmentSum
	for _, segment := range run.spec.GetSegments() {
		sum := sums[segment.GetName()]
		value, err := amount(sum.monetary, run.BaseCurrency)
		if err != nil {
			return nil, err
		}
		out = append(out, &analyticsv1.RfmSegmentSum{
			Name: segment.GetName(), Title: segment.GetTitle(), Customers: int64(sum.customers), Monetary: value, //nolint:gosec // a count
		})
	}
	return out, nil
}

// GetRfmMigration counts who went from where to where.
func (s *Server) GetRfmMigration(ctx context.Context, req *analyticsv1.GetRfmMigrationRequest) (*analyticsv1.GetRfmMigrationResponse, error) {
	like, err := s.service.Find(ctx, req.GetRunId())
	if err != nil {
		return nil, err
	}
	if like.SettingsKey == "" {
		return nil, apperr.NotFound("run %s is from before runs could be compared; compute it again", like.ID)
	}
	var ends [2]Run
	for i, field := range []string{"from", "to"} {
		asOf, err := date.Time(req.GetFrom())
		if i == 1 {
			asOf, err = date.Time(req.GetTo())
		}
		if err != nil {
			return nil, apperr.InvalidField(field, "%v", err)
		}
		if ends[i], err = s.snapshot(ctx, like.SettingsKey, asOf); err != nil {
			return nil, err
		}
	}
	from, to := ends[0], ends[1]
	answer := &analyticsv1.GetRfmMigrationResponse{
		FromRunId: from.ID.String(), FromAsOf: date.Proto(from.AsOf), ToRunId: to.ID.String(), ToAsOf: date.Proto(to.AsOf),
	}
	q := warehouse.Query{
		SQL: strings.NewReplacer("/*from*/", keySQL(req.GetBy(), "_from"), "/*to*/", keySQL(req.GetBy(), "_to")).Replace(migrationSQL),
		Args: slices.Concat(from.names("_from"), to.names("_to"), []any{
			named("from_run_id", from.ID.String()), named("from_as_of", day(from.AsOf)), named("to_run_id", to.ID.String()), named("to_as_of", day(to.AsOf)),
		}),
	}
	err = s.service.store.Each(ctx, "count moves", q, func(rows driver.Rows) error {
		move := &analyticsv1.RfmMove{}
		var customers uint64
		var before, after decimal.Decimal
		if err := rows.Scan(&move.From, &move.To, &customers, &before, &after); err != nil {
			return err
		}
		move.Customers = int64(customers)
		var err error
		if move.MonetaryFrom, err = amount(before, from.BaseCurrency); err != nil {
			return err
		}
		move.MonetaryTo, err = amount(after, to.BaseCurrency)
		answer.Moves = append(answer.Moves, move)
		return err
	})
	return answer, snapshot.Public(err)
}

// snapshot is the newest run with some settings that looks from a day or an earlier one.
func (s *Server) snapshot(ctx context.Context, key string, until time.Time) (Run, error) {
	if until.Before(warehouse.DayMin) || until.After(warehouse.DayMax) {
		return Run{}, apperr.NotFound("there is no snapshot at or before %s", day(until))
	}
	run, err := s.service.store.First(ctx, "settings_key = {key:String} AND as_of <= {until:Date}", snapshot.NewestFirst,
		named("key", key), named("until", day(until)))
	if errors.Is(err, snapshot.ErrNone) {
		return run, apperr.NotFound("there is no snapshot with these settings at or before %s", day(until))
	}
	return run, snapshot.Public(err)
}

// GetRfmResponseRates tells how often customers responded.
func (s *Server) GetRfmResponseRates(
	ctx context.Context, req *analyticsv1.GetRfmResponseRatesRequest,
) (*analyticsv1.GetRfmResponseRatesResponse, error) {
	run, err := s.service.Find(ctx, req.GetRunId())
	if err != nil {
		return nil, err
	}
	kinds, outcomes := req.GetKinds(), req.GetOutcomes()
	if len(kinds) == 0 {
		kinds = contactKinds
	}
	if len(outcomes) == 0 {
		outcomes = responseOutcomes
	}
	first := Settings{AsOf: run.AsOf, WindowDays: cmp.Or(int(req.GetWindowDays()), WindowDaysDefault)}.firstDate()
	answer := &analyticsv1.GetRfmResponseRatesResponse{
		RunId: run.ID.String(), AsOf: date.Proto(run.AsOf), FirstDate: date.Proto(first), Overall: &analyticsv1.RfmResponseRate{},
	}
	q := warehouse.Query{
		SQL: strings.Replace(responseSQL, "/*key*/", keySQL(req.GetBy(), ""), 1),
		Args: append(run.names(""), named("run_id", run.ID.String()), named("as_of", day(run.AsOf)), named("first_date", day(first)),
			named("kinds", kinds), named("outcomes", outcomes)),
	}
	err = s.service.store.Each(ctx, "count responses", q, func(rows driver.Rows) error {
		rate := &analyticsv1.RfmResponseRate{}
		var customers, contacts, responses uint64
		err := rows.Scan(&rate.Key, &customers, &contacts, &responses)
		rate.Customers, rate.Contacts, rate.Responses = int64(customers), int64(contacts), int64(responses)
		answer.Overall.Customers += rate.GetCustomers()
		answer.Overall.Contacts += rate.GetContacts()
		answer.Overall.Responses += rate.GetResponses()
		answer.Rates = append(answer.Rates, rate)
		return err
	})
	for _, rate := range append([]*analyticsv1.RfmResponseRate{answer.GetOverall()}, answer.GetRates()...) {
		rate.Rate, rate.Low, rate.High = Wilson(rate.GetResponses(), rate.GetContacts())
		if overall := answer.GetOverall().GetRate(); overall > 0 {
			rate.Lift = rate.GetRate() / overall
		}
	}
	return answer, snapshot.Public(err)
}

// Wilson is a share with the bounds of its 95 % interval by Wilson's score (Journal of the American Statistical Association
// 22, 1927): it holds for few trials and for shares near 0 and 1. Of no trials nothing is known.
func Wilson(successes, trials int64) (share, low, high float64) {
	if trials == 0 {
		return 0, 0, 1
	}
	n, p, z := float64(trials), float64(successes)/float64(trials), btyd.NormalWidth(0.95)
	middle := p + z*z/(2*n)
	reach := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	scale := 1 + z*z/n
	return p, max(0, (middle-reach)/scale), min(1, (middle+reach)/scale)
}

// ExplainRfm explains a customer's place.
func (s *Server) ExplainRfm(ctx context.Context, req *analyticsv1.ExplainRfmRequest) (*analyticsv1.ExplainRfmResponse, error) {
	run, err := s.service.Find(ctx, req.GetRunId())
	if err != nil {
		return nil, err
	}
	q := warehouse.Query{SQL: oneSQL, Args: []any{
		named("run_id", run.ID.String()), named("as_of", day(run.AsOf)), named("customer_id", req.GetCustomerId()),
	}}
	var score *Score
	err = s.service.store.scores(ctx, q, func(found Score) error {
		score = &found
		return nil
	})
	if err != nil {
		return nil, snapshot.Public(err)
	}
	if score == nil {
		return nil, apperr.NotFound("customer %d is not in run %s: nothing counts in its window", req.GetCustomerId(), run.ID)
	}
	row, err := scoreToProto(*score, run)
	if err != nil {
		return nil, err
	}
	//nolint:gosec // counts
	return &analyticsv1.ExplainRfmResponse{
		RunId: run.ID.String(), AsOf: date.Proto(run.AsOf), Score: row, Place: int64(score.Place), Customers: int64(run.Customers),
		Recency: run.recency(*score), Frequency: run.frequency(*score), Monetary: run.monetary(*score),
	}, nil
}

// recency: edges run from the best bin down to the second.
func (r Run) recency(s Score) *analyticsv1.RfmPosition {
	edges := slices.Clone(r.RecencyEdges)
	slices.Reverse(edges)
	return r.position(s, decimal.NewFromInt(int64(s.RecencyDays)), int(s.RecencyBin), len(edges), 100, func(i int) decimal.Decimal {
		return decimal.NewFromInt(int64(edges[i]))
	})
}

func (r Run) frequency(s Score) *analyticsv1.RfmPosition {
	return r.position(s, whole(s.Frequency), int(s.FrequencyBin), len(r.FrequencyEdges), 10, func(i int) decimal.Decimal {
		return whole(r.FrequencyEdges[i])
	})
}

func (r Run) monetary(s Score) *analyticsv1.RfmPosition {
	return r.position(s, s.Monetary, int(s.MonetaryBin), len(r.MonetaryEdges), 1, func(i int) decimal.Decimal { return r.MonetaryEdges[i] })
}

func whole(n uint64) decimal.Decimal { return decimal.NewFromUint64(n) }

// position says where a value is between the cut points, the i-th of which bin i + 2 begins with. weight is that of the
// measure's digit in a cell.
func (r Run) position(s Score, value decimal.Decimal, bin, edges int, weight int32, edge func(i int) decimal.Decimal) *analyticsv1.RfmPosition {
	p := &analyticsv1.RfmPosition{Value: value.String(), Bin: int32(bin)} //nolint:gosec // at most 5
	if bin >= 2 {
		p.BinEdge = edge(bin - 2).String()
	}
	if bin > edges {
		return p
	}
	// Equal cut points leave bins between them empty: the next bin is the first that a better value reaches.
	next := bin
	for next < edges && edge(next).Equal(edge(bin-1)) {
		next++
	}
	p.NextEdge = edge(bin - 1).String()
	p.Missing = edge(bin - 1).Sub(value).Abs().String()
	p.NextCell = s.Cell() + weight*int32(next+1-bin) //nolint:gosec // at most 4
	p.NextSegment = r.segment(p.GetNextCell())
	return p
}
