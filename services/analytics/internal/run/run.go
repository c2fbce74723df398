// Package run starts the runs of the rooms as operations. It knows no room by itself: each registers its method.
package run

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/auth"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/operation"
	"tandem.bank/services/analytics/internal/permission"
)

// workers is how many operations run at a time; others wait. Those of one kind wait for each other besides.
const workers = 4

// Config is what operations need.
type Config struct {
	// Dir is the folder of their states; only this process may use it.
	Dir    string
	Logger *slog.Logger
}

// Validate names what is missing.
func (c Config) Validate() error {
	if c.Dir == "" || c.Logger == nil {
		return errors.New("run: folder and logger are required")
	}
	return nil
}

// running is a run at work.
type running = operation.Operation[*analyticsv1.RunOperation]

// method of a room that runs something.
type method struct {
	// name is the full one, by which callers are let in.
	name string
	call func(context.Context, proto.Message) (proto.Message, error)
}

// Service runs what rooms have registered.
type Service struct {
	operations *operation.Store[*analyticsv1.RunOperation]
	// methods by the full names of their requests. They are registered before the first call.
	methods map[protoreflect.FullName]method
}

// New builds the service and reads what is left of the last one.
func New(c Config) (*Service, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	operations, err := operation.Open(operation.Config[*analyticsv1.RunOperation]{
		Dir: c.Dir, Noun: "runs", Workers: workers, Logger: c.Logger.With("component", "run"),
		New: func() *analyticsv1.RunOperation { return &analyticsv1.RunOperation{} },
		End: func(r *analyticsv1.RunOperation, as analyticsv1.OperationState, failure *status.Status) {
			r.State, r.EndTime, r.Error = as, timestamppb.Now(), failure.Proto()
		},
	})
	return &Service{operations: operations, methods: map[protoreflect.FullName]method{}}, err
}

// Register has a method started for requests of its type. Its request and its answer are fields of the same name in
// StartRunRequest and in RunOperation.
func Register[Q, A proto.Message](s *Service, name string, call func(context.Context, Q) (A, error)) {
	var request Q
	s.methods[request.ProtoReflect().Descriptor().FullName()] = method{name, func(ctx context.Context, m proto.Message) (proto.Message, error) {
		typed, ok := m.(Q)
		if !ok {
			return nil, apperr.InvalidField("run", "is no request of %s", name)
		}
		return call(ctx, typed)
	}}
}

// Run forgets old operations until the context ends, and then ends every one.
func (s *Service) Run(ctx context.Context) error { return s.operations.Run(ctx) }

// Start begins a run.
func (s *Service) Start(ctx context.Context, req *analyticsv1.StartRunRequest) (*analyticsv1.RunOperation, error) {
	message := req.ProtoReflect()
	field := message.WhichOneof(message.Descriptor().Oneofs().ByName("run"))
	if field == nil {
		return nil, apperr.InvalidField("run", "is required")
	}
	request := proto.Clone(message.Get(field).Message().Interface())
	m, known := s.methods[request.ProtoReflect().Descriptor().FullName()]
	if !known {
		return nil, apperr.New(codes.Unimplemented, apperr.ReasonInvalidField, "%s is not run here", field.Name())
	}
	if err := permission.Check(ctx, m.name); err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	op, err := s.operations.Start(ctx, owner(ctx), &analyticsv1.RunOperation{
		Id: id.String(), State: analyticsv1.OperationState_OPERATION_STATE_RUNNING, Kind: string(field.Name()),
		CreateTime: timestamppb.New(now), ExpireTime: timestamppb.New(now.Add(operation.Lifetime)),
	}, func(ctx context.Context, op *running) error {
		answer, err := m.call(followed(ctx, op), request)
		if err != nil {
			return err
		}
		op.Change(func(r *analyticsv1.RunOperation) {
			state := r.ProtoReflect()
			state.Set(state.Descriptor().Fields().ByName(field.Name()), protoreflect.ValueOfMessage(answer.ProtoReflect()))
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return op.Snapshot(), nil
}

// followed has the operation told what its run does.
func followed(ctx context.Context, op *running) context.Context {
	ctx = operation.WithSteps(ctx, func(step string) {
		op.Change(func(r *analyticsv1.RunOperation) { r.Step = step })
	})
	return operation.WithRows(ctx, func(read, _ uint64) {
		op.Change(func(r *analyticsv1.RunOperation) { r.ReadRows += int64(read) }) //nolint:gosec // a count
	})
}

// owner is who calls.
func owner(ctx context.Context) string {
	principal, _ := auth.FromContext(ctx)
	return principal.Issuer + "\x00" + principal.Subject
}
