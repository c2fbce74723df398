package operation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/lifecycle"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

const (
	// Lifetime is how long an operation is kept after its begin.
	Lifetime = 24 * time.Hour
	// sweepInterval is how often old ones are looked for.
	sweepInterval = 10 * time.Minute
	// perCallerMax is how many operations a caller may have: the oldest that has ended gives way to one more. runningMax is how
	// many of them may be at work.
	perCallerMax, runningMax = 100, 4

	stateSuffix = ".json"
	ownerSuffix = ".owner"
	// dataSuffix is that of a file with the result.
	dataSuffix = ".data"

	private       = 0o600
	privateFolder = 0o700
)

// ReasonTooMany is the reason of RESOURCE_EXHAUSTED.
const ReasonTooMany = "TOO_MANY_OPERATIONS"

// errStopped says that the process ends.
var errStopped = errors.New("the server ends")

// Config is what a store needs.
type Config[S State] struct {
	// Dir is the folder of its files; only this store may use it.
	Dir string
	// Noun names the operations in the plural, for example "exports".
	Noun string
	// Workers is how many work at a time; others wait.
	Workers int
	// New returns an empty state.
	New func() S
	// End notes in a state that the operation has ended; failure is nil unless it has failed.
	End    func(state S, as analyticsv1.OperationState, failure *status.Status)
	Logger *slog.Logger
}

// Store keeps operations, each in files of its own too, so that they outlive the process.
type Store[S State] struct {
	config Config[S]
	turns  chan struct{}
	mu     sync.Mutex
	all    map[string]*Operation[S]
	// life ends with the process, and every operation with it.
	life context.Context
	stop context.CancelCauseFunc
	done sync.WaitGroup
}

// Open reads the folder. What ran when the last process ended has failed; what can't be read is left out and told to the log, since
// nobody's screen shall wait for it.
func Open[S State](c Config[S]) (*Store[S], error) {
	if c.Dir == "" || c.Noun == "" || c.Workers < 1 || c.New == nil || c.End == nil || c.Logger == nil {
		return nil, errors.New("operation: folder, noun, workers, new, end and logger are required")
	}
	if err := os.MkdirAll(c.Dir, privateFolder); err != nil {
		return nil, fmt.Errorf("operation: %w", err)
	}
	s := &Store[S]{config: c, turns: make(chan struct{}, c.Workers), all: map[string]*Operation[S]{}}
	s.life, s.stop = context.WithCancelCause(context.Background())
	files, err := filepath.Glob(filepath.Join(c.Dir, "*"+stateSuffix))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if err := s.load(file); err != nil {
			c.Logger.Error("an operation of the last process can't be read and is left out", "file", filepath.Base(file), "error", err)
		}
	}
	return s, nil
}

func (s *Store[S]) load(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	owner, err := os.ReadFile(strings.TrimSuffix(file, stateSuffix) + ownerSuffix)
	if err != nil {
		return err
	}
	o := &Operation[S]{state: s.config.New(), owner: string(owner), cancel: func() {}, ended: make(chan struct{})}
	// A newer program may have written fields that this one does not know.
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(text, o.state); err != nil {
		return err
	}
	close(o.ended)
	s.all[o.state.GetId()] = o
	if o.running() {
		s.end(o, analyticsv1.OperationState_OPERATION_STATE_FAILED, broken())
	}
	return nil
}

// broken is why an operation failed that the process left behind.
func broken() *status.Status {
	return status.New(codes.Unavailable, "the server ended while it ran; begin it again")
}

// Run forgets old operations until the context ends, and then ends every one.
func (s *Store[S]) Run(ctx context.Context) error {
	defer s.done.Wait()
	defer s.stop(errStopped)
	return lifecycle.Every(ctx, sweepInterval, func(context.Context) { s.Sweep(time.Now()) })
}

// Start keeps a new operation, whose state is running, and has its work done in a turn of its own. The work's context has the
// values of ctx, and ends when the operation is cancelled or the process ends. Errors: RESOURCE_EXHAUSTED when the owner has too
// many.
func (s *Store[S]) Start(ctx context.Context, owner string, state S, work func(context.Context, *Operation[S]) error) (*Operation[S], error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unlink := context.AfterFunc(s.life, cancel)
	o := &Operation[S]{state: state, owner: owner, cancel: cancel, ended: make(chan struct{})}
	if err := s.begin(o); err != nil {
		unlink()
		cancel()
		return nil, err
	}
	s.done.Go(func() {
		defer cancel()
		defer unlink()
		defer close(o.ended)
		s.settle(ctx, o, s.inTurn(ctx, func() error { return s.alone(ctx, o, work) }))
	})
	return o, nil
}

// inTurn works when there is a place.
func (s *Store[S]) inTurn(ctx context.Context, work func() error) error {
	select {
	case s.turns <- struct{}{}:
		defer func() { <-s.turns }()
		return work()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// alone works so that what panics fails alone.
func (s *Store[S]) alone(ctx context.Context, o *Operation[S], work func(context.Context, *Operation[S]) error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			s.config.Logger.ErrorContext(ctx, "an operation panicked", "operation", o.state.GetId(), "fault", fault, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", fault)
		}
	}()
	return work(ctx, o)
}

// settle notes what became of the work.
func (s *Store[S]) settle(ctx context.Context, o *Operation[S], err error) {
	switch {
	case err == nil:
		s.end(o, analyticsv1.OperationState_OPERATION_STATE_DONE, nil)
	case s.life.Err() != nil:
		s.end(o, analyticsv1.OperationState_OPERATION_STATE_FAILED, broken())
	case ctx.Err() != nil:
		s.end(o, analyticsv1.OperationState_OPERATION_STATE_CANCELLED, nil)
	default:
		public, hidden := apperr.Public(err)
		if hidden {
			s.config.Logger.Error("an operation failed", "operation", o.Snapshot().GetId(), "error", err)
		}
		s.end(o, analyticsv1.OperationState_OPERATION_STATE_FAILED, public)
	}
}

// DataPath is the file for the result of an operation; it goes when the operation fails or is forgotten.
func (s *Store[S]) DataPath(o *Operation[S]) string { return s.path(o, dataSuffix) }

func (s *Store[S]) path(o *Operation[S], suffix string) string {
	return filepath.Join(s.config.Dir, o.state.GetId()+suffix)
}

// begin keeps a new operation, unless its owner has too many.
func (s *Store[S]) begin(o *Operation[S]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var mine, running int
	var oldest *Operation[S]
	for _, other := range s.all {
		switch {
		case other.owner != o.owner:
			continue
		case other.running():
			running++
		case oldest == nil || other.state.GetId() < oldest.state.GetId():
			// Ids are those of UUIDv7: in the order of their times.
			oldest = other
		}
		mine++
	}
	if running >= runningMax {
		return apperr.New(codes.ResourceExhausted, ReasonTooMany,
			"%d of your %s are at work; at most %d are allowed", running, s.config.Noun, runningMax)
	}
	if mine >= perCallerMax {
		s.forget(oldest)
	}
	if err := os.WriteFile(s.path(o, ownerSuffix), []byte(o.owner), private); err != nil {
		return err
	}
	if err := s.save(o); err != nil {
		return err
	}
	s.all[o.state.GetId()] = o
	return nil
}

// save writes the state beside its old one and moves it there, so that a crash leaves one of the two.
func (s *Store[S]) save(o *Operation[S]) error {
	text, err := protojson.Marshal(o.Snapshot())
	if err != nil {
		return err
	}
	file := s.path(o, stateSuffix)
	if err := os.WriteFile(file+".new", text, private); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// end settles what became of an operation.
func (s *Store[S]) end(o *Operation[S], as analyticsv1.OperationState, failure *status.Status) {
	o.Change(func(state S) { s.config.End(state, as, failure) })
	if as != analyticsv1.OperationState_OPERATION_STATE_DONE {
		s.remove(o, dataSuffix)
	}
	if err := s.save(o); err != nil {
		s.config.Logger.Error("state of an operation is not kept", "operation", o.state.GetId(), "error", err)
	}
}

func (s *Store[S]) remove(o *Operation[S], suffixes ...string) {
	for _, suffix := range suffixes {
		if err := os.Remove(s.path(o, suffix)); err != nil && !errors.Is(err, os.ErrNotExist) {
			s.config.Logger.Warn("file of an operation remains", "operation", o.state.GetId(), "error", err)
		}
	}
}

// Find returns an operation of its owner; others don't have it. Errors: NOT_FOUND.
func (s *Store[S]) Find(id, owner string) (*Operation[S], error) {
	if o := s.Any(id); o != nil && o.owner == owner {
		return o, nil
	}
	return nil, apperr.NotFound("there is no operation %s", id)
}

// Any returns an operation of whomever; nil when there is none.
func (s *Store[S]) Any(id string) *Operation[S] {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[id]
}

// List returns the states of the operations of some owners, newest first.
func (s *Store[S]) List(owners ...string) []S {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []S
	for _, o := range s.all {
		if slices.Contains(owners, o.owner) {
			out = append(out, o.Snapshot())
		}
	}
	slices.SortFunc(out, func(a, b S) int { return strings.Compare(b.GetId(), a.GetId()) })
	return out
}

// Owners are those who have operations.
func (s *Store[S]) Owners() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, o := range s.all {
		out = append(out, o.owner)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Sweep forgets what has ended and is old.
func (s *Store[S]) Sweep(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.all {
		if !o.running() && o.Snapshot().GetExpireTime().AsTime().Before(now) {
			s.forget(o)
		}
	}
}

// forget removes what has ended.
func (s *Store[S]) forget(o *Operation[S]) {
	s.remove(o, dataSuffix, stateSuffix, ownerSuffix)
	delete(s.all, o.state.GetId())
}
