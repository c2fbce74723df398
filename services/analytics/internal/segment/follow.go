package segment

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/google/uuid"

	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/rounds"
)

const (
	// lookInterval is how often it is looked whether definitions changed or a day began.
	lookInterval = 2 * time.Second
	// changedMax is how many changed customers are evaluated by one statement.
	changedMax = 10_000
	// pendingMax bounds the changed customers that wait; when there are more, everybody is evaluated.
	pendingMax = 500_000
	// pauseAfterFailure is the pause before everything is read again.
	pauseAfterFailure = 2 * time.Second
)

// followed is a segment as it is followed.
type followed struct {
	version   uint64
	signature string
	members   *roaring64.Bitmap
}

// follower knows the members of now.
type follower struct {
	service *Service
	wake    chan struct{}
	// published are evaluations that are to go home.
	published chan string

	// waiting guards pending, everybody and why.
	waiting sync.Mutex
	// pending are changed customers, with the kinds of records that changed.
	pending map[uint64][]string
	// everybody says that all changed, or too many to name them, and why.
	everybody bool
	why       []string
	// rounds are the steps of Follow, while it runs.
	rounds rounds.Rounds

	// mu guards what requests read; only Follow changes it.
	mu         sync.RWMutex
	state      map[string]*followed
	thresholds thresholds
	day        time.Time
	// known are the segments as they were read last.
	known library
	// read is when that was begun.
	read time.Time
	// last is the time of the newest event.
	last time.Time
}

func newFollower(s *Service) *follower {
	f := &follower{
		service: s, wake: make(chan struct{}, 1), published: make(chan string, 1024), pending: map[uint64][]string{},
	}
	f.rounds.Idle(true)
	return f
}

// Changed says that facts of customers changed, and of each what kinds of records did. Follow looks at them within seconds.
func (s *Service) Changed(customers []uint64, changed func(customer uint64) []string) {
	f := s.follower
	f.waiting.Lock()
	defer f.waiting.Unlock()
	for _, id := range customers {
		f.pending[id] = merged(f.pending[id], changed(id))
	}
	if len(f.pending) > pendingMax {
		f.pending, f.everybody = map[uint64][]string{}, true
	}
	f.rouse()
}

// EverybodyChanged says that facts of all customers were told anew, and why.
func (s *Service) EverybodyChanged(why []string) {
	f := s.follower
	f.waiting.Lock()
	defer f.waiting.Unlock()
	f.pending, f.everybody, f.why = map[uint64][]string{}, true, merged(f.why, why)
	f.rouse()
}

func (f *follower) rouse() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// merged are two lists as one, sorted, each name once.
func merged(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

// Publisher sends the events of an evaluation home, and keeps trying later when it returns an error.
type Publisher interface {
	Publish(ctx context.Context, runID string) error
}

// Follow keeps all segments up to date until the context ends. After a failure it reads again what the warehouse has, and looks at
// everybody.
func (s *Service) Follow(ctx context.Context, home Publisher) error {
	s.follower.rounds.Idle(false)
	defer s.follower.rounds.Idle(true)
	defer s.follower.forget() // another process may follow from now on
	var sending sync.WaitGroup
	defer sending.Wait()
	sending.Go(func() { s.follower.send(ctx, home) })
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	for {
		if err := s.follower.counted(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "segments can't be followed; everything is read again", "error", err)
			s.follower.forget()
			select {
			case <-ctx.Done():
			case <-time.After(pauseAfterFailure):
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.follower.wake:
		case <-ticker.C:
		}
	}
}

// send publishes evaluations one after the other; one that fails is left to the publisher.
func (f *follower) send(ctx context.Context, home Publisher) {
	for {
		select {
		case <-ctx.Done():
			return
		case run := <-f.published:
			if err := home.Publish(ctx, run); err != nil && ctx.Err() == nil {
				f.service.log.WarnContext(ctx, "joins and leaves wait on their way home", "run_id", run, "error", err)
			}
		}
	}
}

// forget drops what is in memory: the log has it.
func (f *follower) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state = nil
}

// waited is what changed since the last step.
type waited struct {
	customers map[uint64][]string
	everybody bool
	why       []string
}

// take takes what changed.
func (f *follower) take() waited {
	f.waiting.Lock()
	defer f.waiting.Unlock()
	out := waited{f.pending, f.everybody, f.why}
	f.pending, f.everybody, f.why = map[uint64][]string{}, false, nil
	return out
}

// step does all that is to be done now.
func (f *follower) step(ctx context.Context) error {
	read := time.Now()
	known, err := f.service.library(ctx)
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.known, f.read = known, read
	f.mu.Unlock()
	// Who changed is taken before anybody is looked at: who changes meanwhile is looked at again.
	changes := f.take()
	today := f.service.facts.Today()
	switch {
	case f.state == nil:
		if err := f.load(ctx); err != nil {
			return err
		}
		return f.everyone(ctx, known, today, CauseCatchUp, nil)
	case !f.day.Equal(today):
		return f.everyone(ctx, known, today, CauseDay, changes.why)
	case changes.everybody:
		return f.everyone(ctx, known, today, CauseChange, changes.why)
	}
	if err := f.newDefinitions(ctx, known, today); err != nil {
		return err
	}
	return f.changed(ctx, known, changes.customers)
}

// everyone evaluates all segments for all customers, with new thresholds.
func (f *follower) everyone(ctx context.Context, known library, today time.Time, cause Cause, why []string) error {
	if err := f.archived(ctx, known, today); err != nil {
		return err
	}
	return f.evaluate(ctx, known, known.names(), today, nil, cause, why)
}

// newDefinitions evaluates segments that are new, or whose rule or that of one they refer to is, and closes those out of use.
func (f *follower) newDefinitions(ctx context.Context, known library, today time.Time) error {
	if err := f.archived(ctx, known, today); err != nil {
		return err
	}
	var fresh []string
	for _, name := range known.names() {
		order, err := ordered(ctx, known.find, known[name])
		if err != nil {
			continue // evaluate tells of it
		}
		if at := f.state[name]; at == nil || at.signature != signature(order) {
			fresh = append(fresh, name)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	return f.evaluate(ctx, known, fresh, today, f.thresholds, CauseDefinition, nil)
}

// archived lets everybody leave segments that are out of use.
func (f *follower) archived(ctx context.Context, known library, today time.Time) error {
	r := f.newRound(today, CauseArchived)
	for name, at := range f.state {
		if d := known[name]; d != nil && d.Archived && at.signature != "" {
			r.replace(name, at, &followed{version: at.version, members: roaring64.New()})
		}
	}
	return f.commit(ctx, r, true)
}

// changed evaluates all segments for changed customers.
func (f *follower) changed(ctx context.Context, known library, pending map[uint64][]string) error {
	ids := make([]uint64, 0, len(pending))
	for id := range pending {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for part := range slices.Chunk(ids, changedMax) {
		began := time.Now()
		p, err := f.plan(ctx, known, known.names(), f.day, f.thresholds)
		if err != nil {
			return err
		}
		r := f.newRound(f.day, CauseChange)
		if err := f.some(ctx, p, part, pending, r); err != nil {
			return err
		}
		if err := f.commit(ctx, r, false); err != nil {
			return err
		}
		f.service.metrics.seconds.WithLabelValues(string(CauseChange)).Observe(time.Since(began).Seconds())
	}
	return nil
}

// members calls read with the members of now. A process that does not follow by itself, since another does, reads what is kept.
func (f *follower) members(ctx context.Context, name string, read func(members *roaring64.Bitmap)) error {
	f.mu.RLock()
	if at := f.state[name]; at != nil {
		defer f.mu.RUnlock()
		read(at.members)
		return nil
	}
	f.mu.RUnlock()
	members, found, err := f.service.store.kept(ctx, name)
	switch {
	case err != nil:
		return err
	case !found:
		return notFollowed(name)
	}
	read(members)
	return nil
}

// load reads the states that were kept and what happened behind them.
func (f *follower) load(ctx context.Context) error {
	state, last, err := f.service.store.followed(ctx, "")
	if err != nil {
		return err
	}
	if err := f.service.store.closeEvaluations(ctx, f.published); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state, f.last, f.day = state, last, time.Time{}
	return nil
}

// newRound begins an evaluation; its time lies behind all events before it.
func (f *follower) newRound(day time.Time, cause Cause) *round {
	at := now()
	if !at.After(f.last) {
		at = f.last.Add(time.Microsecond)
	}
	return &round{run: uuid.Must(uuid.NewV7()), at: at, day: day, cause: cause, next: map[string]*followed{}}
}

// plan compiles segments in use with all that they refer to. Those that refer to each other in a circle are left out.
func (f *follower) plan(ctx context.Context, known library, names []string, day time.Time, at thresholds) (*plan, error) {
	var roots []*definition.Definition
	for _, name := range names {
		if _, err := ordered(ctx, known.find, known[name]); err != nil {
			f.service.log.WarnContext(ctx, "a segment can't be followed", "segment", name, "error", err)
			continue
		}
		roots = append(roots, known[name])
	}
	order, err := ordered(ctx, known.find, roots...)
	if err != nil {
		return nil, err
	}
	return f.service.planned(ctx, order, day, at)
}

// stateful are the segments of a plan that are evaluated: those in use without a problem.
func (p *plan) stateful(log func(name string, err error)) []*rule {
	var out []*rule
	for _, r := range p.rules {
		switch {
		case r.definition.Archived, isPart(r.definition):
		case r.problem != nil:
			log(r.definition.Name, r.problem)
		default:
			out = append(out, r)
		}
	}
	return out
}
