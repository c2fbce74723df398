package segment

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/google/uuid"

	"tandem.bank/services/analytics/internal/warehouse"
)

// eventsMax is how many events are written at once.
const eventsMax = 100_000

// round is one evaluation of followed segments: what it found, and what stands behind it.
type round struct {
	run   uuid.UUID
	at    time.Time
	day   time.Time
	cause Cause
	// why are the kinds of records that changed for everybody.
	why []string
	// replaced are segments that were evaluated for everybody, and next how they stand behind the round.
	replaced []replacement
	next     map[string]*followed
	// moves are the events of a round over some customers.
	moves []Event
	// size counts all events.
	size uint64
}

// replacement is what differs between a segment before and behind a round.
type replacement struct {
	name         string
	version      uint64
	left, joined *roaring64.Bitmap
}

// event is a join or a leave in the round.
func (r *round) event(name string, version uint64, customer uint64, joined bool, changed []string) Event {
	return Event{
		Segment: name, CustomerID: customer, Time: r.at, Joined: joined, Version: uint32(version), AsOf: r.day, Run: r.run, //nolint:gosec // a version
		Cause: r.cause, Changed: changed,
	}
}

// move notes a join or a leave of one customer.
func (r *round) move(e Event) { r.moves, r.size = append(r.moves, e), r.size+1 }

// replace notes what differs between a segment before and behind the round.
func (r *round) replace(name string, before, behind *followed) {
	was := roaring64.New()
	if before != nil {
		was = before.members
	}
	found := replacement{name, behind.version, roaring64.AndNot(was, behind.members), roaring64.AndNot(behind.members, was)}
	r.size += found.left.GetCardinality() + found.joined.GetCardinality()
	r.replaced, r.next[name] = append(r.replaced, found), behind
}

// each calls yield for parts of the events, eventsMax at most in one: the first evaluation of many segments has millions.
func (r *round) each(yield func([]Event) error) error {
	part := make([]Event, 0, min(r.size, eventsMax))
	add := func(e Event) error {
		if part = append(part, e); len(part) < eventsMax {
			return nil
		}
		err := yield(part)
		part = part[:0]
		return err
	}
	for _, e := range r.moves {
		if err := add(e); err != nil {
			return err
		}
	}
	for _, found := range r.replaced {
		for _, side := range []struct {
			customers *roaring64.Bitmap
			joined    bool
		}{{found.left, false}, {found.joined, true}} {
			for at := side.customers.Iterator(); at.HasNext(); {
				if err := add(r.event(found.name, found.version, at.Next(), side.joined, r.why)); err != nil {
					return err
				}
			}
		}
	}
	if len(part) == 0 {
		return nil
	}
	return yield(part)
}

// evaluate evaluates segments for all customers; those that they refer to are evaluated with them.
func (f *follower) evaluate(
	ctx context.Context, known library, names []string, day time.Time, at thresholds, cause Cause, why []string,
) error {
	began := time.Now()
	p, err := f.plan(ctx, known, names, day, at)
	if err != nil {
		return err
	}
	rules := p.stateful(f.complain(ctx))
	found := make([]*roaring64.Bitmap, len(rules))
	for i := range found {
		found[i] = roaring64.New()
	}
	if len(rules) > 0 {
		if err := f.service.belongs(ctx, p, rules, nil, func(id uint64, in []uint16) {
			for _, place := range in {
				found[place-1].Add(id)
			}
		}); err != nil {
			return err
		}
	}
	r := f.newRound(day, cause)
	r.why = why
	for i, rule := range rules {
		order, err := ordered(ctx, known.find, rule.definition)
		if err != nil {
			return err
		}
		d := rule.definition
		r.replace(d.Name, f.state[d.Name], &followed{version: d.Version, signature: signature(order), members: found[i]})
	}
	if err := f.commit(ctx, r, true); err != nil {
		return err
	}
	f.mu.Lock()
	f.day, f.thresholds = day, p.thresholds.with(nil)
	f.mu.Unlock()
	f.service.metrics.seconds.WithLabelValues(string(cause)).Observe(time.Since(began).Seconds())
	f.service.log.InfoContext(ctx, "segments evaluated", "segments", len(rules), "cause", cause, "events", r.size,
		"seconds", time.Since(began).Seconds())
	return nil
}

func (f *follower) complain(ctx context.Context) func(string, error) {
	return func(name string, err error) {
		f.service.log.WarnContext(ctx, "a segment can't be followed; its members stay as they are", "segment", name, "error", err)
	}
}

// belongs calls yield for each customer with the places of the rules that hold, from 1. Customers that are gone don't come.
func (s *Service) belongs(ctx context.Context, p *plan, rules []*rule, customers []uint64, yield func(id uint64, in []uint16)) error {
	from, err := s.from(ctx, p, customers)
	if err != nil {
		return err
	}
	if customers != nil {
		ctx = warehouse.Interpreted(ctx)
	}
	conditions := make([]string, len(rules))
	for i, r := range rules {
		conditions[i] = r.holds()
	}
	from.SQL = fmt.Sprintf("SELECT f.customer_id, arrayFilter((place, holds) -> holds, CAST(range(1, %d), 'Array(UInt16)'), [%s]) FROM %s",
		len(rules)+1, strings.Join(conditions, ", "), from.SQL)
	return warehouse.Each(ctx, s.store.conn, "segment: evaluate", from, func(rows driver.Rows) error {
		var id uint64
		var in []uint16
		err := rows.Scan(&id, &in)
		yield(id, in)
		return err
	})
}

// some evaluates a plan for some customers into a round.
func (f *follower) some(ctx context.Context, p *plan, ids []uint64, changed map[uint64][]string, r *round) error {
	rules := p.stateful(f.complain(ctx))
	if len(rules) == 0 {
		return nil
	}
	// Who is gone belongs to no segment.
	found := make(map[uint64][]uint16, len(ids))
	err := f.service.belongs(ctx, p, rules, ids, func(id uint64, in []uint16) { found[id] = in })
	if err != nil {
		return err
	}
	for i, rule := range rules {
		name, version := rule.definition.Name, rule.definition.Version
		at := f.state[name]
		if at == nil {
			continue // it is new, and evaluated in full with the next step
		}
		for _, id := range ids {
			member := slices.Contains(found[id], uint16(i+1))
			if member != at.members.Contains(id) {
				r.move(r.event(name, version, id, member, changed[id]))
			}
		}
	}
	return nil
}

// commit writes the events of a round, moves the bitmaps, and sends the events home. keep also writes the bitmaps.
func (f *follower) commit(ctx context.Context, r *round, keep bool) error {
	if r.size > 0 {
		if err := f.service.store.log(ctx, r); err != nil {
			return err
		}
	}
	f.mu.Lock()
	f.last = r.at
	maps.Copy(f.state, r.next)
	for _, move := range r.moves {
		if move.Joined {
			f.state[move.Segment].members.Add(move.CustomerID)
		} else {
			f.state[move.Segment].members.Remove(move.CustomerID)
		}
	}
	f.mu.Unlock()
	if keep && len(r.next) > 0 {
		if err := f.service.store.keep(ctx, r); err != nil {
			return err
		}
	}
	if r.size == 0 {
		return nil
	}
	f.service.metrics.events.WithLabelValues(string(r.cause)).Add(float64(r.size))
	select {
	case f.published <- r.run.String():
	case <-ctx.Done():
	}
	return nil
}

// log writes the events of a round: first that there will be some, then they, then that they are complete.
func (s store) log(ctx context.Context, r *round) error {
	about := evaluation{run: r.run, asOf: r.day, eventTime: r.at}
	if err := evaluationTable.Insert(ctx, s.conn, []evaluation{about}); err != nil {
		return err
	}
	err := r.each(func(part []Event) error { return eventTable.Insert(ctx, s.conn, part) })
	if err != nil {
		return err
	}
	about.complete = true
	return evaluationTable.Insert(ctx, s.conn, []evaluation{about})
}

// keep writes the bitmaps that stand behind a round.
func (s store) keep(ctx context.Context, r *round) error {
	rows := make([]state, 0, len(r.next))
	for _, name := range slices.Sorted(maps.Keys(r.next)) {
		text, err := formatBitmap(r.next[name].members)
		if err != nil {
			return err
		}
		rows = append(rows, state{name, r.next[name].signature, r.at, text})
	}
	return stateTable.Insert(ctx, s.conn, rows)
}

// followed reads segments as they were followed, all or one: the states that were kept, and what happened behind them. last is the
// time of the newest event.
func (s store) followed(ctx context.Context, name string) (out map[string]*followed, last time.Time, err error) {
	rows, err := s.states(ctx, name)
	if err != nil {
		return nil, last, err
	}
	out = map[string]*followed{}
	reached, since := map[string]time.Time{}, time.UnixMicro(0)
	for i, row := range rows {
		members, err := parseBitmap(row.members)
		if err != nil {
			return nil, last, err
		}
		out[row.segment], reached[row.segment] = &followed{signature: row.signature, members: members}, row.reached
		if i == 0 || row.reached.Before(since) {
			since = row.reached
		}
		if row.reached.After(last) {
			last = row.reached
		}
	}
	q := warehouse.Query{SQL: sinceSQL, Args: []any{warehouse.Named("since", instant(since)), warehouse.Named("segment", name)}}
	err = warehouse.Each(ctx, s.conn, "segment: read events", q, func(rows driver.Rows) error {
		var e Event
		var joined uint8
		if err := rows.Scan(&e.Segment, &e.CustomerID, &joined, &e.Time); err != nil {
			return err
		}
		if e.Time.After(last) {
			last = e.Time
		}
		if !e.Time.After(reached[e.Segment]) {
			return nil
		}
		if out[e.Segment] == nil {
			out[e.Segment] = &followed{members: roaring64.New(), signature: unknownSignature}
		}
		if joined == 1 {
			out[e.Segment].members.Add(e.CustomerID)
		} else {
			out[e.Segment].members.Remove(e.CustomerID)
		}
		return nil
	})
	return out, last, err
}

// kept are the members of a segment as another process follows it.
func (s store) kept(ctx context.Context, name string) (*roaring64.Bitmap, bool, error) {
	found, _, err := s.followed(ctx, name)
	if err != nil || found[name] == nil {
		return nil, false, warehouse.Public(err)
	}
	return found[name].members, true, nil
}

// unknownSignature is that of members known by the log alone.
const unknownSignature = "?"

// closeEvaluations completes evaluations that broke off: their events are those that were written.
func (s store) closeEvaluations(ctx context.Context, published chan<- string) error {
	open, err := s.evaluations(ctx, "complete = 0")
	if err != nil || len(open) == 0 {
		return err
	}
	for i := range open {
		open[i].complete = true
	}
	if err := evaluationTable.Insert(ctx, s.conn, open); err != nil {
		return err
	}
	for _, e := range open {
		select {
		case published <- e.run.String():
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
