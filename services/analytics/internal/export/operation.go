package export

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

const (
	// lifetime is how long an operation and its file are kept after its begin.
	lifetime = 24 * time.Hour
	// sweepInterval is how often old ones are looked for.
	sweepInterval = 10 * time.Minute
	// perCallerMax and runningMax are how many operations a caller may have, and how many of them at work.
	perCallerMax, runningMax = 100, 4

	stateSuffix = ".json"
	dataSuffix  = ".data"
	ownerSuffix = ".owner"

	private       = 0o600
	privateFolder = 0o700
)

// ReasonTooManyOperations is the reason of RESOURCE_EXHAUSTED.
const ReasonTooManyOperations = "TOO_MANY_OPERATIONS"

// operation is one export. Its state is in a file too, so that it outlives the process.
type operation struct {
	mu     sync.Mutex
	state  *analyticsv1.ExportOperation
	owner  string
	cancel context.CancelFunc
	ended  chan struct{}
}

func (o *operation) snapshot() *analyticsv1.ExportOperation {
	o.mu.Lock()
	defer o.mu.Unlock()
	return proto.CloneOf(o.state)
}

func (o *operation) change(by func(*analyticsv1.ExportOperation)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	by(o.state)
}

func (o *operation) running() bool {
	return o.snapshot().GetState() == analyticsv1.OperationState_OPERATION_STATE_RUNNING
}

// store keeps operations in a folder of their own.
type store struct {
	dir string
	log *slog.Logger
	mu  sync.Mutex
	all map[string]*operation
}

// openStore reads the folder. What ran when the last process ended has failed.
func openStore(dir string, log *slog.Logger) (*store, error) {
	if err := os.MkdirAll(dir, privateFolder); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	s := &store{dir: dir, log: log, all: map[string]*operation{}}
	files, err := filepath.Glob(filepath.Join(dir, "*"+stateSuffix))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if err := s.load(file); err != nil {
			return nil, fmt.Errorf("export: read %s: %w", filepath.Base(file), err)
		}
	}
	return s, nil
}

func (s *store) load(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	owner, err := os.ReadFile(strings.TrimSuffix(file, stateSuffix) + ownerSuffix)
	if err != nil {
		return err
	}
	o := &operation{state: &analyticsv1.ExportOperation{}, owner: string(owner), cancel: func() {}, ended: make(chan struct{})}
	if err := protojson.Unmarshal(text, o.state); err != nil {
		return err
	}
	close(o.ended)
	s.all[o.state.GetId()] = o
	if o.running() {
		s.end(o, analyticsv1.OperationState_OPERATION_STATE_FAILED, status.New(codes.Unavailable, "the server ended while it ran; begin it again"))
	}
	return nil
}

func (s *store) path(o *operation, suffix string) string {
	return filepath.Join(s.dir, o.state.GetId()+suffix)
}

// begin keeps a new operation, unless its owner has too many.
func (s *store) begin(o *operation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var mine, running int
	for _, other := range s.all {
		if other.owner != o.owner {
			continue
		}
		if mine++; other.running() {
			running++
		}
	}
	if mine >= perCallerMax || running >= runningMax {
		return apperr.New(codes.ResourceExhausted, ReasonTooManyOperations,
			"you have %d exports, %d of them at work; at most %d and %d are allowed", mine, running, perCallerMax, runningMax)
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
func (s *store) save(o *operation) error {
	text, err := protojson.Marshal(o.snapshot())
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
func (s *store) end(o *operation, state analyticsv1.OperationState, failure *status.Status) {
	o.change(func(e *analyticsv1.ExportOperation) {
		e.State, e.EndTime = state, timestamppb.Now()
		if failure != nil {
			e.Error = failure.Proto()
		}
	})
	if state != analyticsv1.OperationState_OPERATION_STATE_DONE {
		s.remove(o, dataSuffix)
	}
	if err := s.save(o); err != nil {
		s.log.Error("state of an export is not kept", "operation", o.state.GetId(), "error", err)
	}
}

func (s *store) remove(o *operation, suffixes ...string) {
	for _, suffix := range suffixes {
		if err := os.Remove(s.path(o, suffix)); err != nil && !errors.Is(err, os.ErrNotExist) {
			s.log.Warn("file of an export remains", "operation", o.state.GetId(), "error", err)
		}
	}
}

// find returns an operation of its owner; others don't have it.
func (s *store) find(id, owner string) (*operation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.all[id]; o != nil && o.owner == owner {
		return o, nil
	}
	return nil, apperr.NotFound("there is no operation %s", id)
}

// any returns an operation of whomever.
func (s *store) any(id string) *operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[id]
}

// list returns the operations of some owners, newest first.
func (s *store) list(owners ...string) []*analyticsv1.ExportOperation {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*analyticsv1.ExportOperation
	for _, o := range s.all {
		if slices.Contains(owners, o.owner) {
			out = append(out, o.snapshot())
		}
	}
	slices.SortFunc(out, func(a, b *analyticsv1.ExportOperation) int { return strings.Compare(b.GetId(), a.GetId()) })
	return out
}

// scheduled lists the definitions that schedules made files of.
func (s *store) scheduled() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, o := range s.all {
		if name, ok := strings.CutPrefix(o.owner, scheduledPrefix); ok && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// sweep forgets what is old.
func (s *store) sweep(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, o := range s.all {
		if !o.running() && o.snapshot().GetExpireTime().AsTime().Before(now) {
			s.remove(o, dataSuffix, stateSuffix, ownerSuffix)
			delete(s.all, id)
		}
	}
}
