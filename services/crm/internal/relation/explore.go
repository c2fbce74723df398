package relation

import (
	"context"
	_ "embed"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/record"
)

//go:embed step.sql
var stepSQL string

// Walk says where a walk along relations begins and how far it goes.
type Walk struct {
	// CustomerID where it begins.
	CustomerID int64
	// Depth in relations.
	Depth int
	// AsOf is the day on which relations must hold; null is today, by the calendar of the database session.
	AsOf pgtype.Date
	// Types to follow; empty means all.
	Types []string
	// FanOutMax bounds the relations followed from one customer, PartiesMax the parties in all.
	FanOutMax, PartiesMax int
}

// Explore walks along relations from both sides, breadth first: each party comes once, by the shortest way, and circles
// end where they meet a party that was reached before. Of equally short ways the one that was found first counts: that of
// the earlier party, then of the older relation, so that the same data give the same answer.
func Explore(ctx context.Context, q record.Querier, w Walk) (*crmv1.ExploreRelationsResponse, error) {
	if len(w.Types) == 0 {
		w.Types = record.EnumTexts[crmv1.RelationType]()
	}
	rows, err := q.Query(ctx, "SELECT coalesce($1::date, current_date)", w.AsOf)
	if err != nil {
		return nil, err
	}
	if w.AsOf, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[pgtype.Date]); err != nil {
		return nil, err
	}
	e := begin(w)
	level := []int64{w.CustomerID}
	for distance := 1; distance <= w.Depth && len(level) > 0; distance++ {
		steps, err := e.steps(ctx, q, level)
		if err != nil {
			return nil, err
		}
		level, err = seenOf(ctx, q, e.take(steps, distance))
		if err != nil {
			return nil, err
		}
	}
	return e.answer(ctx, q)
}

// seenOf leaves out the customers whom the caller does not see: a walk ends at them.
func seenOf(ctx context.Context, q record.Querier, ids []int64) ([]int64, error) {
	seen, err := customer.Table.Sees(ctx, q, ids...)
	return slices.DeleteFunc(ids, func(id int64) bool { return !seen[id] }), err
}

func begin(w Walk) *exploration {
	return &exploration{
		walk: w, paths: map[int64][]int64{w.CustomerID: {w.CustomerID}}, reached: []int64{w.CustomerID}, byParty: map[int64]*connection{},
	}
}

// step is one relation from a customer of the level before.
type step struct {
	From       int64
	RelationID int64
	Inverse    bool
	// Party is the far end; nil when it is no customer.
	Party *int64
}

// connection is a party in the making.
type connection struct {
	party    *int64
	from     int64
	distance int
	steps    []step
}

// exploration is the state of one walk.
type exploration struct {
	walk        Walk
	connections []*connection
	byParty     map[int64]*connection
	// paths and reached hold the customers reached, with the way to each.
	paths   map[int64][]int64
	reached []int64
	cut     []int64
}

func (e *exploration) steps(ctx context.Context, q record.Querier, level []int64) ([]step, error) {
	// One more than is followed tells whether there are more.
	rows, err := q.Query(ctx, stepSQL, level, e.reached, e.walk.Types, e.walk.AsOf, e.walk.FanOutMax+1)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[step])
}

// take adds what a level's steps lead to, and returns the customers of the next level.
func (e *exploration) take(steps []step, distance int) []int64 {
	var next []int64
	followed := map[int64]int{}
	for _, s := range steps {
		if followed[s.From]++; followed[s.From] > e.walk.FanOutMax {
			e.cutOff(s.From)
			continue
		}
		if s.Party != nil {
			if known := e.byParty[*s.Party]; known != nil {
				if known.from == s.From {
					known.steps = append(known.steps, s)
				}
				continue
			}
		}
		if len(e.connections) >= e.walk.PartiesMax {
			e.cutOff(s.From)
			continue
		}
		c := &connection{party: s.Party, from: s.From, distance: distance, steps: []step{s}}
		e.connections = append(e.connections, c)
		if s.Party != nil {
			e.byParty[*s.Party] = c
			e.paths[*s.Party] = append(append([]int64(nil), e.paths[s.From]...), *s.Party)
			e.reached = append(e.reached, *s.Party)
			next = append(next, *s.Party)
		}
	}
	return next
}

// cutOff notes, once, that a customer has relations that were not followed.
func (e *exploration) cutOff(customerID int64) {
	if n := len(e.cut); n == 0 || e.cut[n-1] != customerID {
		e.cut = append(e.cut, customerID)
	}
}

// answer reads the relations and the parties that the walk found, all at once.
func (e *exploration) answer(ctx context.Context, q record.Querier) (*crmv1.ExploreRelationsResponse, error) {
	out := &crmv1.ExploreRelationsResponse{AsOf: record.DateProto(e.walk.AsOf), More: len(e.cut) > 0, CutCustomerIds: e.cut}
	if len(e.connections) == 0 {
		return out, nil
	}
	var ids []int64
	for _, c := range e.connections {
		for _, s := range c.steps {
			ids = append(ids, s.RelationID)
		}
	}
	found, err := Table.Select(ctx, q, "relation_id = ANY($1)", ids)
	if err != nil {
		return nil, err
	}
	relations := make(map[int64]*stored, len(found))
	for _, r := range found {
		relations[r.ID] = r
	}
	parties, err := customer.Parties(ctx, q, e.reached)
	if err != nil {
		return nil, err
	}
	if err := customer.ConcealUnseen(ctx, q, parties); err != nil {
		return nil, err
	}
	out.Connections = e.connectionProtos(relations, parties)
	return out, nil
}

func (e *exploration) connectionProtos(relations map[int64]*stored, parties map[int64]*customer.Party) []*crmv1.Connection {
	out := make([]*crmv1.Connection, len(e.connections))
	for i, c := range e.connections {
		out[i] = e.connectionProto(c, relations, parties)
	}
	return out
}

func (e *exploration) connectionProto(c *connection, relations map[int64]*stored, parties map[int64]*customer.Party) *crmv1.Connection {
	out := &crmv1.Connection{Distance: int32(c.distance)} //nolint:gosec // at most 5
	if c.party != nil {
		p := parties[*c.party]
		out.Party = &crmv1.RelatedParty{CustomerId: p.ID, Name: p.Name, BirthDate: record.DateProto(p.BirthDate)}
		out.Path = e.paths[*c.party]
	} else {
		other := relations[c.steps[0].RelationID].Row
		out.Party = &crmv1.RelatedParty{Name: other.OtherName, BirthDate: record.DateProto(other.OtherBirthDate)}
		out.Path = e.paths[c.from]
	}
	for _, s := range c.steps {
		r := relations[s.RelationID]
		out.Relations = append(out.Relations, &crmv1.SeenRelation{
			Relation: toProto(r), Inverse: s.Inverse, Name: seenName(r.Row.Type, s.Inverse),
		})
	}
	return out
}
