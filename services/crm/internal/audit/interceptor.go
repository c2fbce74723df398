package audit

import (
	"context"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/auth"
	"tandem.bank/pkg/check"
	"tandem.bank/services/crm/internal/outbox"
)

// Metadata of a call.
const (
	// RequestIDKey names the call; it comes back in the header of the answer.
	RequestIDKey   = "x-request-id"
	traceParentKey = "traceparent"
)

// ActorAnonymous is the actor of calls that nobody has to prove anything for: health and reflection.
const ActorAnonymous = "anonymous"

// UnaryCaller puts who calls, from where and under which id into the context of each call. Who calls is the principal that
// authentication has left there.
func UnaryCaller(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	named := ""
	if r, ok := req.(interface{ GetRequestId() string }); ok {
		named = r.GetRequestId()
	}
	ctx, id, err := withCall(ctx, info.FullMethod, named)
	if err != nil {
		return nil, err
	}
	// It fails only when headers are sent, which nobody has done yet.
	_ = grpc.SetHeader(ctx, metadata.Pairs(RequestIDKey, id))
	return next(ctx, req)
}

// StreamCaller does the same for streams.
func StreamCaller(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	ctx, id, err := withCall(stream.Context(), info.FullMethod, "")
	if err != nil {
		return err
	}
	if err := stream.SetHeader(metadata.Pairs(RequestIDKey, id)); err != nil {
		return err
	}
	return next(srv, &callerStream{ServerStream: stream, ctx: ctx})
}

type callerStream struct {
	grpc.ServerStream
	ctx context.Context //nolint:containedctx // a stream hands out its context
}

func (s *callerStream) Context() context.Context { return s.ctx }

// withCall reads what the metadata say. The id of the call is that of the metadata, or of the request, or a new one.
func withCall(ctx context.Context, method, named string) (context.Context, string, error) {
	actor := ActorAnonymous
	if principal, ok := auth.FromContext(ctx); ok {
		actor = principal.Subject
	}
	id, err := metadataName(ctx, RequestIDKey)
	if err != nil {
		return ctx, "", err
	}
	if id == "" {
		id = named
	}
	// The proto's own rules check the request's id after this; until then it may be anything.
	if id == "" || check.Name(id) != "" {
		fresh, err := uuid.NewV7()
		if err != nil {
			return ctx, "", err
		}
		id = fresh.String()
	}
	caller := Caller{Method: method, RequestID: id}
	if p, ok := peer.FromContext(ctx); ok && p.Addr != nil {
		caller.Peer = p.Addr.String()
	}
	if parent := first(ctx, traceParentKey); parent != "" {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{traceParentKey: parent})
	}
	return outbox.WithActor(WithCaller(ctx, caller), actor), id, nil
}

func metadataName(ctx context.Context, key string) (string, error) {
	name := first(ctx, key)
	if fault := check.Name(name); fault != "" {
		return "", apperr.InvalidField(key, "%s", fault)
	}
	return name, nil
}

func first(ctx context.Context, key string) string {
	if values := metadata.ValueFromIncomingContext(ctx, key); len(values) > 0 {
		return values[0]
	}
	return ""
}
