package customerfact

import (
	"context"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tandem.bank/services/analytics/internal/fact"
)

// Causes of changes that no single record has. Others are names of tables: "transaction", "consent", "interaction".
const (
	// CauseDay is a new day of the bank: windows rolled.
	CauseDay = "day"
	// CauseRebuild is that everything was told anew: a place or a product changed, much came at once, or somebody asked for it.
	CauseRebuild = "rebuild"
	// CauseRFM is a new run of RFM, whose results are facts.
	CauseRFM = "rfm"
	// CauseCLV is one of lifetime value.
	CauseCLV = "clv"
	// CauseScore is one of a score.
	CauseScore = "score"
	// CauseDivision is one of a clustering or a profile scheme, whose parts are segments.
	CauseDivision = "division"
)

// Change is that facts may have moved.
type Change struct {
	// Customers whose facts were told anew, in ascending order; none when it is about everybody.
	Customers []uint64
	// Causes of it, in alphabetical order.
	Causes []string

	byCause map[string][]uint64
}

// Everybody reports whether the change is about all customers.
func (c Change) Everybody() bool { return c.Customers == nil }

// CausesOf are the causes that concern one customer.
func (c Change) CausesOf(customer uint64) []string {
	if c.Everybody() {
		return c.Causes
	}
	var out []string
	for _, cause := range c.Causes {
		if _, found := slices.BinarySearch(c.byCause[cause], customer); found {
			out = append(out, cause)
		}
	}
	return out
}

// OnChange registers who is told after facts were refreshed, one after the other and in the order of registering. It must be called before
// the keeper runs. What takes long holds up the next refresh.
func (s *Service) OnChange(follow func(ctx context.Context, change Change)) {
	s.followers = append(s.followers, follow)
}

func (s *Service) tell(ctx context.Context, change Change) {
	for _, follow := range s.followers {
		follow(ctx, change)
	}
}

// recordsMax bounds what waits for a refresh; beyond it everybody is told anew, which needs no list.
const recordsMax = 200_000

// touched are records that changed and whose customers were not told anew yet.
type touched struct {
	// records by cause and number; a cause has one entity.
	records  map[string]map[uint64]struct{}
	entities map[string]string
	count    int
	// everybody says that all customers have to be told anew.
	everybody bool
	// overflow says that there were too many records to list; then everybody is told anew.
	overflow bool
}

func newTouched() *touched {
	return &touched{records: map[string]map[uint64]struct{}{}, entities: map[string]string{}}
}

func (t *touched) empty() bool { return t.count == 0 && !t.everybody }

func (t *touched) add(cause, entity string, ids []uint64) {
	if t.overflow || len(ids) == 0 {
		return
	}
	if t.records[cause] == nil {
		t.records[cause], t.entities[cause] = map[uint64]struct{}{}, entity
	}
	for _, id := range ids {
		if _, known := t.records[cause][id]; !known {
			t.records[cause][id] = struct{}{}
			t.count++
		}
	}
	if t.count > recordsMax {
		t.overflown()
	}
}

// overflown forgets single records for everybody.
func (t *touched) overflown() {
	*t = *newTouched()
	t.everybody, t.overflow = true, true
}

func (t *touched) merge(other *touched) {
	if other.overflow {
		t.overflown()
		return
	}
	t.everybody = t.everybody || other.everybody
	for cause, ids := range other.records {
		for id := range ids {
			t.add(cause, other.entities[cause], []uint64{id})
		}
	}
}

// take adds what a batch of changes was about. Rates count on the bank's first day only: see rated.
func (t *touched) take(batch fact.Touched, firstDay bool) {
	t.everybody = t.everybody || batch.Places || batch.Rates && firstDay
	for cause, records := range batch.Records {
		t.add(cause, records.Entity, records.IDs)
	}
}

// linksMax bounds the numbers in one question for links.
const linksMax = 20_000

// customersSQL finds customers by what belongs to them. Contracts also belong to whoever holds their account.
const customersSQL = `SELECT DISTINCT other_id FROM record_link WHERE other = 'customer' AND
(entity = {entity:String} AND entity_id IN {ids:Array(UInt64)}
OR entity = 'account' AND entity_id IN (SELECT other_id FROM record_link
WHERE entity = {entity:String} AND entity_id IN {ids:Array(UInt64)} AND other = 'account' AND entity = 'contract'))`

// resolve finds the customers that records belong to, or once did.
func (s *Service) resolve(ctx context.Context, t *touched) (Change, error) {
	change := Change{byCause: map[string][]uint64{}}
	for cause, records := range t.records {
		ids := make([]uint64, 0, len(records))
		for id := range records {
			ids = append(ids, id)
		}
		customers, err := s.customersOf(ctx, t.entities[cause], ids)
		if err != nil {
			return Change{}, err
		}
		slices.Sort(customers)
		change.byCause[cause] = slices.Compact(customers)
		change.Causes = append(change.Causes, cause)
		change.Customers = append(change.Customers, customers...)
	}
	slices.Sort(change.Causes)
	slices.Sort(change.Customers)
	change.Customers = slices.Compact(change.Customers)
	return change, nil
}

func (s *Service) customersOf(ctx context.Context, entity string, ids []uint64) ([]uint64, error) {
	if entity == base {
		return ids, nil
	}
	var out []uint64
	for some := range slices.Chunk(ids, linksMax) {
		err := s.each(ctx, "find customers of records", func(rows driver.Rows) error {
			var id uint64
			err := rows.Scan(&id)
			out = append(out, id)
			return err
		}, customersSQL, clickhouse.Named("entity", entity), clickhouse.Named("ids", some))
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
