package schedule

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/lifecycle"
	"tandem.bank/services/analytics/internal/definition"
)

// saveTimeout bounds how long the end of a run is written down, which also happens when its caller is gone.
const saveTimeout = 30 * time.Second

// Run fires what is due until the context ends, and then waits for what is running to stop.
func (s *Scheduler) Run(ctx context.Context) error {
	var lanes sync.WaitGroup
	defer lanes.Wait()
	return lifecycle.Every(ctx, pollInterval, func(ctx context.Context) { s.fire(ctx, &lanes) })
}

// fire begins what is due, in the lanes of those kinds that are free.
func (s *Scheduler) fire(ctx context.Context, lanes *sync.WaitGroup) {
	due, err := s.due(ctx, time.Now())
	if err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "it can't be seen what is due; it is tried again", "error", err)
	}
	for kind, jobs := range due {
		select {
		case s.lanes[kind].turn <- struct{}{}:
			lanes.Go(func() {
				defer func() { <-s.lanes[kind].turn }()
				s.workAlone(ctx, kind, jobs)
			})
		default: // something of the kind is running: what is due stays so
		}
	}
}

// due finds what is to be run now, by kind, in the order in which it is to be done.
func (s *Scheduler) due(ctx context.Context, now time.Time) (map[string][]job, error) {
	definitions, err := s.definitions.All(ctx)
	if err != nil {
		return nil, err
	}
	newest, err := s.store.newest(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string][]job{}
	for _, d := range definitions {
		if d.Archived || d.Schedule == nil || d.Schedule.GetPaused() || s.lanes[d.Kind] == nil {
			continue
		}
		since := d.ScheduledSince
		if last := newest[d.ID]; last != nil && last.fired.After(since) {
			since = last.fired
		}
		jobs, err := s.fires(d, since, now)
		if err != nil {
			s.log.WarnContext(ctx, "a schedule can't be read, and does not run", "name", d.Name, "error", err)
			continue
		}
		out[d.Kind] = append(out[d.Kind], jobs...)
	}
	if err := s.addOpen(ctx, out, definitions, now); err != nil {
		return nil, err
	}
	for kind := range s.lanes {
		slices.SortStableFunc(out[kind], func(a, b job) int { return a.asOf.Compare(b.asOf) })
		s.metrics.due.WithLabelValues(kind).Set(float64(len(out[kind])))
		if len(out[kind]) == 0 {
			delete(out, kind)
		}
	}
	return out, nil
}

// addOpen adds runs that failed and have waited long enough, and those whose end was lost.
func (s *Scheduler) addOpen(ctx context.Context, due map[string][]job, definitions []*definition.Definition, now time.Time) error {
	open, err := s.store.open(ctx)
	if err != nil {
		return err
	}
	for _, r := range open {
		at := slices.IndexFunc(definitions, func(d *definition.Definition) bool { return d.ID == r.definitionID })
		if at < 0 || s.lanes[r.kind] == nil || len(s.lanes[r.kind].turn) > 0 || r.outcome == failed && now.Before(r.retryTime()) {
			continue // what is running belongs to its lane; a lane without a run has lost it
		}
		if definitions[at].Archived {
			continue
		}
		d := definitions[at]
		if d.Version != r.specVersion {
			if d, err = s.definitions.Resolve(ctx, definition.Ref{Name: d.Name, Version: r.specVersion}); err != nil {
				return err
			}
		}
		due[r.kind] = append(due[r.kind], job{definition: d, asOf: r.asOf, fired: r.fired})
	}
	return nil
}

// retryTime is when a failed run is tried again.
func (r *run) retryTime() time.Time {
	return r.ended.Add(retryAfter << (max(r.attempts, 1) - 1))
}

// workAlone does jobs unless another process does some of their kind: then what is due stays so.
func (s *Scheduler) workAlone(ctx context.Context, kind string, jobs []job) {
	_, err := s.locks.Try(ctx, lockName(kind), func(held context.Context) { s.work(held, kind, jobs) })
	if err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "it can't be seen whether another process runs something; it is tried again", "kind", kind, "error", err)
	}
}

// lockName names the lock that lets one process at a time run definitions of a kind.
func lockName(kind string) string { return "schedule." + kind }

// work does jobs one after the other. Others may have done some of them since they were found due: attempt sees that.
func (s *Scheduler) work(ctx context.Context, kind string, jobs []job) {
	for i, j := range jobs {
		s.metrics.due.WithLabelValues(kind).Set(float64(len(jobs) - i))
		if ctx.Err() != nil {
			return
		}
		if _, err := s.attempt(ctx, j); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "a scheduled run failed", "name", j.definition.Name, "as_of", day(j.asOf), "error", err)
		}
	}
	s.metrics.due.WithLabelValues(kind).Set(0)
}

// attempt does a job unless it was done. The caller has the turn of its kind, and the lock.
func (s *Scheduler) attempt(ctx context.Context, j job) (*run, error) {
	byHand := j.fired.IsZero()
	r, err := s.store.find(ctx, j.key())
	if err != nil {
		return nil, err
	}
	if r == nil {
		r = &run{definitionID: j.definition.ID, specVersion: j.definition.Version, asOf: j.asOf, name: j.definition.Name, kind: j.definition.Kind}
	}
	if j.fired.After(r.fired) {
		r.fired = j.fired
	}
	switch {
	case r.outcome == done, r.outcome == givenUp && !byHand:
		return r, s.store.save(ctx, r) // the schedule has been heeded
	case r.attempts >= attemptsMax && !byHand:
		r.outcome, r.ended, r.problem = givenUp, now(), cmp.Or(r.problem, "it was begun too often without an end")
		return r, s.store.save(ctx, r)
	}
	r.outcome, r.started, r.ended, r.problem, r.result, r.attempts = running, now(), none, "", "", r.attempts+1
	if err := s.store.save(ctx, r); err != nil {
		return r, err
	}
	result, err := s.call(ctx, j)
	if err != nil && ctx.Err() != nil && !byHand {
		return r, err // the service stops, or has lost the lock: the run is left open, and done again
	}
	return r, errors.Join(err, s.end(ctx, r, result, err, byHand))
}

// end writes down how a run ended.
func (s *Scheduler) end(ctx context.Context, r *run, result string, err error, byHand bool) error {
	r.ended, r.result, r.outcome = now(), result, done
	if err != nil {
		r.problem, r.outcome = told(err), failed
		// Whoever runs something by hand sees that it failed, and decides; what is wrong in itself stays so.
		if byHand || hopeless(err) || r.attempts >= attemptsMax {
			r.outcome = givenUp
		}
	}
	s.metrics.runs.WithLabelValues(r.kind, string(r.outcome)).Inc()
	s.metrics.seconds.WithLabelValues(r.kind).Observe(r.ended.Sub(r.started).Seconds())
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	return s.store.save(ctx, r)
}

// call runs a definition; a runner that panics fails alone.
func (s *Scheduler) call(ctx context.Context, j job) (result string, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			s.log.ErrorContext(ctx, "a run panicked", "name", j.definition.Name, "fault", fault, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", fault)
		}
	}()
	return s.lanes[j.definition.Kind].run(ctx, j.definition, j.asOf)
}

// told is what people may read of an error.
func told(err error) string {
	status, _ := apperr.Public(err)
	return status.Message()
}

// hopeless says that trying again would give the same.
func hopeless(err error) bool {
	status, _ := apperr.Public(err)
	return status.Code() == codes.InvalidArgument || status.Code() == codes.NotFound || status.Code() == codes.Unimplemented
}
