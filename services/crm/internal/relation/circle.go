package relation

import (
	"context"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/services/crm/internal/record"
)

// circleLock is the class of the advisory locks of this room; the type's place in circleFree is the second key.
const circleLock = 17

// circleFree are the types in which nobody can come back to themselves. Shareholders, guarantors and all others may stand
// in any circle: such circles are real.
var circleFree = []string{typeChild, typeParentCompany}

// refuseCircles refuses rows that close a circle of a type that has none, with those stored and those before them in the
// batch. Descent holds for ever, so its dates do not matter; a parent company controls as long as the relation holds, so
// a circle needs a day on which all its relations hold.
func refuseCircles(ctx context.Context, q record.Querier, rows []*stored, errs []error) error {
	for place, relationType := range circleFree {
		added, places, err := newArcs(ctx, q, rows, errs, relationType)
		if err != nil {
			return err
		}
		if len(added) == 0 {
			continue
		}
		// One call at a time adds to the graph: without it two calls that close a circle together would not see each other.
		if err := lockGraph(ctx, q, place, added); err != nil {
			return err
		}
		arcs, err := descend(ctx, q, relationType, added)
		if err != nil {
			return err
		}
		for i, a := range added {
			if arcs.reach(a.to, a.from, a.during) {
				errs[places[i]] = circle(relationType, a)
				continue
			}
			arcs[a.from] = append(arcs[a.from], a)
		}
	}
	return nil
}

func circle(relationType string, a arc) error {
	text := fmt.Sprintf("customer %d would be the %s of itself, through customer %d", a.from, seenName(relationType, false), a.to)
	return &apperr.Error{
		Code: codes.FailedPrecondition, Reason: apperr.ReasonFailedPrecondition, Message: "other_customer_id: " + text,
		Violations: []apperr.Violation{{Field: "other_customer_id", Description: text}},
	}
}

// arc is one relation of a graph.
type arc struct {
	from, to int64
	during   period
	id       int64
	name     string
}

func arcOf(r *stored) arc {
	a := arc{from: *r.Row.CustomerID, to: *r.Row.OtherCustomerID, during: always, id: r.ID}
	if r.Row.Type != typeChild {
		a.during = periodOf(r.Row.ValidFrom, r.Row.ValidTo)
	}
	if key := r.Key(); key != nil {
		a.name = key.GetSource() + "/" + key.GetExternalId()
	}
	return a
}

// newArcs returns the arcs of a type that rows add, with the rows' places. A relation that is changed without changing
// its arc adds none.
func newArcs(ctx context.Context, q record.Querier, rows []*stored, errs []error, relationType string) ([]arc, []int, error) {
	var added []arc
	var places []int
	for i, r := range rows {
		if errs[i] != nil || r.Row.Type != relationType || r.Row.OtherCustomerID == nil {
			continue
		}
		a := arcOf(r)
		if r.Version <= 1 {
			a.id = 0 // a new one has its number by now, but is not stored yet
		} else {
			old, err := Table.Get(ctx, q, r.ID)
			if err != nil {
				return nil, nil, err
			}
			if old.Row.OtherCustomerID != nil && arcOf(old) == a {
				continue
			}
		}
		added, places = append(added, a), append(places, i)
	}
	return added, places, nil
}

// lockGraph waits for other calls that add to the graph. An update holds its row's lock already, for which one of them may
// be waiting, so it does not wait but gives up.
func lockGraph(ctx context.Context, q record.Querier, place int, added []arc) error {
	sql := "SELECT pg_advisory_xact_lock($1, $2) IS NOT NULL"
	if added[0].id != 0 {
		sql = "SELECT pg_try_advisory_xact_lock($1, $2)"
	}
	rows, err := q.Query(ctx, sql, int32(circleLock), int32(place)) //nolint:gosec // few types
	if err != nil {
		return err
	}
	locked, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[bool])
	if err == nil && !locked {
		return apperr.New(codes.Aborted, apperr.ReasonFailedPrecondition, "relations of this type are being written by others; try again")
	}
	return err
}

// graph holds arcs by where they begin.
type graph map[int64][]arc

// descend loads all that can be reached from the ends of the new arcs, a level at a time, without what they replace.
func descend(ctx context.Context, q record.Querier, relationType string, added []arc) (graph, error) {
	replaced, seen, arcs := map[string]bool{}, map[int64]bool{}, graph{}
	replacedIDs := map[int64]bool{}
	var level []int64
	reach := func(id int64) {
		if !seen[id] {
			seen[id] = true
			level = append(level, id)
		}
	}
	for _, a := range added {
		replaced[a.name], replacedIDs[a.id] = true, true
		reach(a.to)
	}
	for len(level) > 0 {
		found, err := Table.Select(ctx, q, "customer_id = ANY($1) AND type = $2 AND other_customer_id IS NOT NULL", level, relationType)
		if err != nil {
			return nil, err
		}
		level = nil
		for _, r := range found {
			a := arcOf(r)
			if (a.name == "" || !replaced[a.name]) && !replacedIDs[a.id] {
				arcs[a.from] = append(arcs[a.from], a)
				reach(a.to)
			}
		}
	}
	return arcs, nil
}

// reach says whether there is a way from one to another on which all relations hold on one day.
func (g graph) reach(from, to int64, during period) bool {
	type stop struct {
		at     int64
		during period
	}
	open, passed := []stop{{from, during}}, map[int64][]period{}
	for len(open) > 0 {
		s := open[len(open)-1]
		open = open[:len(open)-1]
		if s.at == to {
			return true
		}
		if within(s.during, passed[s.at]) {
			continue
		}
		passed[s.at] = append(passed[s.at], s.during)
		for _, a := range g[s.at] {
			if common := s.during.and(a.during); common.first <= common.last {
				open = append(open, stop{a.to, common})
			}
		}
	}
	return false
}

// period is a time in days since 1970, both of them in it.
type period struct{ first, last int64 }

var always = period{math.MinInt64, math.MaxInt64}

func periodOf(from, to pgtype.Date) period {
	const daySeconds = 24 * 60 * 60
	p := always
	if from.Valid {
		p.first = from.Time.Unix() / daySeconds
	}
	if to.Valid {
		p.last = to.Time.Unix() / daySeconds
	}
	return p
}

func (p period) and(o period) period { return period{max(p.first, o.first), min(p.last, o.last)} }

func within(p period, others []period) bool {
	for _, o := range others {
		if o.first <= p.first && p.last <= o.last {
			return true
		}
	}
	return false
}
