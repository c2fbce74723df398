package audit

import (
	"context"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/check"
	"tandem.bank/services/crm/internal/outbox"
)

// Metadata of a call.
const (
	// ActorKey says who calls.
	ActorKey = "x-tandem-actor"
	// RequestIDKey names the call; it comes back in the header of the answer.
	RequestIDKey   = "x-request-id"
	traceParentKey = "traceparent"
)

// ActorAnonymous is the actor of calls that do not say who makes them.
const ActorAnonymous = "anonymous"

// nameRunesMax bounds what a caller may call itself and its request.
const nameRunesMax = 128

// Identify says who makes a call. It is the one place to change when callers prove who they are: then it returns the
// authenticated subject.
type Identify func(ctx context.Context) (actor string, err error)

// ClaimedActor believes the metadata.
func ClaimedActor(ctx context.Context) (string, error) {
	actor, err := metadataName(ctx, ActorKey)
	if actor == "" {
		actor = ActorAnonymous
	}
	return actor, err
}

// UnaryCaller puts who calls, from where and under which id into the context of each call.
func UnaryCaller(identify Identify) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		named := ""
		if r, ok := req.(interface{ GetRequestId() string }); ok {
			named = r.GetRequestId()
		}
		ctx, id, err := withCall(ctx, identify, info.FullMethod, named)
		if err != nil {
			return nil, err
		}
		// It fails only when headers are sent, which nobody has done yet.
		_ = grpc.SetHeader(ctx, metadata.Pairs(RequestIDKey, id))
		return next(ctx, req)
	}
}

// StreamCaller does the same for streams.
func StreamCaller(identify Identify) grpc.StreamServerInterceptor {
	return func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		ctx, id, err := withCall(stream.Context(), identify, info.FullMethod, "")
		if err != nil {
			return err
		}
		if err := stream.SetHeader(metadata.Pairs(RequestIDKey, id)); err != nil {
			return err
		}
		return next(srv, &callerStream{ServerStream: stream, ctx: ctx})
	}
}

type callerStream struct {
	grpc.ServerStream
	ctx context.Context //nolint:containedctx // a stream hands out its context
}

func (s *callerStream) Context() context.Context { return s.ctx }

// withCall reads what the metadata say. The id of the call is that of the metadata, or of the request, or a new one.
func withCall(ctx context.Context, identify Identify, method, named string) (context.Context, string, error) {
	actor, err := identify(ctx)
	if err != nil {
		return ctx, "", err
	}
	id, err := metadataName(ctx, RequestIDKey)
	if err != nil {
		return ctx, "", err
	}
	if id == "" {
		id = named
	}
	// The proto's own rules check the request's id after this; until then it may be anything.
	if id == "" || checkName(id) != "" {
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
	if fault := checkName(name); fault != "" {
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

// checkName says what is wrong with a name that is to be kept for ever.
func checkName(name string) string {
	switch {
	case utf8.RuneCountInString(name) > nameRunesMax:
		return "must be at most 128 characters"
	case check.HasCardNumber(name):
		return "must not hold a full card number"
	case !utf8.ValidString(name):
		return "must be UTF-8"
	}
	for _, r := range name {
		if !unicode.IsPrint(r) {
			return "must be printable"
		}
	}
	return ""
}
