package grpcserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/check"
)

// edge turns errors into what the caller may see, and logs what had to be hidden.
type edge struct {
	log  *slog.Logger
	away func(error) bool
}

func (e *edge) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	answer, err := next(ctx, req)
	return answer, e.public(ctx, info.FullMethod, err)
}

func (e *edge) stream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	return e.public(stream.Context(), info.FullMethod, next(srv, stream))
}

func (e *edge) public(ctx context.Context, method string, err error) error {
	if err == nil {
		return nil
	}
	// A driver's error about a cancelled call hides the cancellation; the context knows better.
	if cause := ctx.Err(); cause != nil {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	if e.away != nil && e.away(err) {
		err = unavailable(err)
		e.log.WarnContext(ctx, "call failed because a dependency is away", "method", method, "error", errors.Unwrap(err))
	}
	st, hidden := apperr.Public(err)
	if hidden {
		e.log.ErrorContext(ctx, "call failed", "method", method, "error", err)
	}
	return st.Err()
}

// unavailable tells the caller to come again when the database may be back.
func unavailable(cause error) error {
	err := apperr.Wrap(cause, codes.Unavailable, apperr.ReasonUnavailable, "the database does not answer at the moment; try again")
	if known, ok := errors.AsType[*apperr.Error](err); ok {
		known.RetryAfter = time.Second
	}
	return err
}

func (e *edge) panicked(ctx context.Context, p any) error {
	e.log.ErrorContext(ctx, "call panicked", "panic", p, "stack", string(debug.Stack()))
	return apperr.New(codes.Internal, apperr.ReasonInternal, "internal error; the server's log has the details")
}

// retryAfter is the pause that a refused caller is told: about as long as a full server takes for what it has taken in.
const retryAfter = 200 * time.Millisecond

// gate bounds the calls in flight.
type gate struct {
	places chan struct{}
	// entered counts those that were let in.
	entered atomic.Int64
}

func newGate(places int) *gate { return &gate{places: make(chan struct{}, places)} }

func (g *gate) enter() error {
	select {
	case g.places <- struct{}{}:
		g.entered.Add(1)
		return nil
	default:
		return apperr.Busy(retryAfter, "too many calls at once; try again with a pause")
	}
}

func (g *gate) leave() { <-g.places }

// gates keep calls that work apart from those that mostly wait: a hundred watchers must not keep the front office out.
type gates struct{ working, waiting *gate }

func (g *gates) of(method string) *gate {
	if waits(method) {
		return g.waiting
	}
	return g.working
}

// waits says that a call waits for something by its nature.
func waits(method string) bool { return strings.HasPrefix(path.Base(method), "Await") }

// guarded leaves health checks alone: an overloaded server is alive.
func guarded(method string) bool { return strings.HasPrefix(method, "/tandem.") }

func (g *gates) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if !guarded(info.FullMethod) {
		return next(ctx, req)
	}
	through := g.of(info.FullMethod)
	if err := through.enter(); err != nil {
		return nil, err
	}
	defer through.leave()
	return next(ctx, req)
}

func (g *gates) stream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if !guarded(info.FullMethod) {
		return next(srv, stream)
	}
	if err := g.waiting.enter(); err != nil {
		return err
	}
	defer g.waiting.leave()
	return next(srv, stream)
}

// deadline gives calls without one a limit, so that a forgotten caller can't hold a connection for ever. Calls that wait
// for something by their nature bring their own.
func deadline(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if _, has := ctx.Deadline(); has || waits(info.FullMethod) {
		return next(ctx, req)
	}
	ctx, cancel := context.WithTimeout(ctx, deadlineDefault)
	defer cancel()
	return next(ctx, req)
}

func validateUnary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if err := validate(info.FullMethod, req); err != nil {
		return nil, err
	}
	return next(ctx, req)
}

func validateStream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	return next(srv, &validatedStream{ServerStream: stream, method: info.FullMethod})
}

type validatedStream struct {
	grpc.ServerStream
	method string
}

func (s *validatedStream) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	return validate(s.method, m)
}

// validate checks a request. Rows of batches and streams are checked one by one where they are written, so that a bad
// row does not stop the others; here only their envelope is. The same holds for the resource of a Create, whose room
// reports the broken rules of the proto together with its own, and of an Update, which may be partial.
func validate(method string, req any) error {
	m, ok := req.(proto.Message)
	if !ok || !guarded(method) {
		return nil
	}
	name := path.Base(method)
	switch {
	case strings.HasPrefix(name, "BatchUpsert"), strings.HasPrefix(name, "Stream"):
		return apperr.Invalid(check.Rules(m)...)
	case strings.HasPrefix(name, "Create"):
		return apperr.Invalid(check.Envelope(m)...)
	default:
		return apperr.Invalid(check.Message(m)...)
	}
}
