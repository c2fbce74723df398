package operation_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/operation"
)

type (
	state = *analyticsv1.RunOperation
	store = operation.Store[state]
	work  = func(context.Context, *operation.Operation[state]) error
)

func open(t *testing.T, dir string) *store {
	t.Helper()
	s, err := operation.Open(operation.Config[state]{
		Dir: dir, Noun: "runs", Workers: 1, Logger: slog.New(slog.DiscardHandler), New: func() state { return &analyticsv1.RunOperation{} },
		End: func(s state, as analyticsv1.OperationState, failure *status.Status) {
			s.State, s.Error = as, failure.Proto()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func start(t *testing.T, s *store, do work) (*operation.Operation[state], error) {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	return s.Start(t.Context(), "eva", &analyticsv1.RunOperation{
		Id: id.String(), State: analyticsv1.OperationState_OPERATION_STATE_RUNNING, ExpireTime: timestamppb.New(time.Now().Add(operation.Lifetime)),
	}, do)
}

func begin(t *testing.T, s *store, do work) *operation.Operation[state] {
	t.Helper()
	o, err := start(t, s, do)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// blocked works until it is cancelled.
func blocked(ctx context.Context, _ *operation.Operation[state]) error {
	<-ctx.Done()
	return ctx.Err()
}

// An operation outlives its caller, tells its steps, and ends as its work does.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	caller, hangUp := context.WithCancel(t.Context())
	reached, goOn := make(chan struct{}), make(chan struct{})
	o, err := s.Start(caller, "eva", &analyticsv1.RunOperation{Id: uuid.NewString(), State: analyticsv1.OperationState_OPERATION_STATE_RUNNING},
		func(ctx context.Context, o *operation.Operation[state]) error {
			ctx = operation.WithSteps(ctx, func(step string) { o.Change(func(s state) { s.Step = step }) })
			operation.Step(ctx, "models")
			close(reached)
			<-goOn
			return ctx.Err()
		})
	if err != nil {
		t.Fatal(err)
	}
	hangUp()
	<-reached
	soon, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if got, err := o.Wait(soon); err != nil || got.GetState() != analyticsv1.OperationState_OPERATION_STATE_RUNNING || got.GetStep() != "models" {
		t.Errorf("%v, %v", got, err)
	}
	close(goOn)
	if got := o.End(); got.GetState() != analyticsv1.OperationState_OPERATION_STATE_DONE {
		t.Errorf("%v", got)
	}
	wrong := begin(t, s, func(context.Context, *operation.Operation[state]) error {
		return apperr.InvalidField("as_of", "is wrong")
	})
	if got := wrong.End(); codes.Code(got.GetError().GetCode()) != codes.InvalidArgument || len(got.GetError().GetDetails()) == 0 {
		t.Errorf("%v", got)
	}
	hidden := begin(t, s, func(context.Context, *operation.Operation[state]) error { return errors.New("password in the log") })
	if got := hidden.End(); got.GetState() != analyticsv1.OperationState_OPERATION_STATE_FAILED || got.GetError().GetMessage() == "password in the log" {
		t.Errorf("%v", got)
	}
}

// An operation belongs to its owner, can be cancelled, and what ran when the process was killed has failed.
func TestOwners(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	working, left := begin(t, s, blocked), begin(t, s, blocked)
	if _, err := s.Find(working.Snapshot().GetId(), "jana"); err == nil {
		t.Error("somebody else found it")
	}
	for range 2 {
		begin(t, s, blocked)
	}
	if _, err := start(t, s, blocked); err == nil {
		t.Error("too many operations were let in")
	}
	if got, err := working.Cancel(t.Context()); err != nil || got.GetState() != analyticsv1.OperationState_OPERATION_STATE_CANCELLED {
		t.Errorf("%v, %v", got, err)
	}
	// A process that was killed leaves its folder as it is: another one finds it.
	again := open(t, dir)
	found, err := again.Find(left.Snapshot().GetId(), "eva")
	if err != nil {
		t.Fatal(err)
	}
	got := found.Snapshot()
	if got.GetState() != analyticsv1.OperationState_OPERATION_STATE_FAILED || codes.Code(got.GetError().GetCode()) != codes.Unavailable {
		t.Errorf("%v", got)
	}
	if list := again.List("eva"); len(list) != 4 || list[0].GetId() < list[1].GetId() {
		t.Errorf("%d operations", len(list))
	}
	again.Sweep(time.Now().Add(operation.Lifetime + time.Minute))
	if files, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(files) != 0 || len(again.List("eva")) != 0 {
		t.Errorf("left are %v, %v", files, err)
	}
	// The end of the process ends what runs.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

// Who has as many operations as are kept loses the oldest for the next one.
func TestOldestGivesWay(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	var ids []string
	for range 102 {
		o := begin(t, s, func(context.Context, *operation.Operation[state]) error { return nil })
		ids = append(ids, o.End().GetId())
	}
	if list := s.List("eva"); len(list) != 100 || list[99].GetId() != ids[2] {
		t.Errorf("%d operations", len(list))
	}
}

// Work that panics fails alone, and what it panicked with is told to the log and to nobody else.
func TestPanic(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	ended := begin(t, s, func(context.Context, *operation.Operation[state]) error { panic("a secret") }).End()
	if ended.GetState() != analyticsv1.OperationState_OPERATION_STATE_FAILED || codes.Code(ended.GetError().GetCode()) != codes.Internal {
		t.Errorf("it ended as %v", ended)
	}
	if text := ended.GetError().GetMessage(); strings.Contains(text, "secret") {
		t.Errorf("callers read %q", text)
	}
}

// What can't be read, and what a newer program wrote, keeps nobody from starting.
func TestStrangeFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"cut.json": `{"id": "cu`, "cut.owner": "eva", "alone.json": `{"id": "alone"}`,
		"newer.json": `{"id": "newer", "state": "OPERATION_STATE_DONE", "fieldOfTomorrow": 1}`, "newer.owner": "eva",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if found := open(t, dir).List("eva"); len(found) != 1 || found[0].GetId() != "newer" {
		t.Errorf("it read %v", found)
	}
}
