package auth

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// metadataKey carries the token, as "Bearer TOKEN".
const metadataKey = "authorization"

// open are the methods that anybody may call: health, which a probe without an account asks for, and reflection, which
// shows nothing but the published contracts.
func open(method string) bool {
	return strings.HasPrefix(method, "/grpc.health.v1.Health/") || strings.HasPrefix(method, "/grpc.reflection.")
}

// Unary lets calls through whose token is good, with their principal in the context.
func (v *Verifier) Unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if open(info.FullMethod) {
		return next(ctx, req)
	}
	ctx, err := v.authenticate(ctx)
	if err != nil {
		return nil, err
	}
	return next(ctx, req)
}

// Stream does the same for streams. A stream goes on as it began: the token is looked at once.
func (v *Verifier) Stream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if open(info.FullMethod) {
		return next(srv, stream)
	}
	ctx, err := v.authenticate(stream.Context())
	if err != nil {
		return err
	}
	return next(srv, &principalStream{ServerStream: stream, ctx: ctx})
}

type principalStream struct {
	grpc.ServerStream
	ctx context.Context //nolint:containedctx // a stream hands out its context
}

func (s *principalStream) Context() context.Context { return s.ctx }

func (v *Verifier) authenticate(ctx context.Context) (context.Context, error) {
	raw, err := bearer(metadata.ValueFromIncomingContext(ctx, metadataKey))
	if err != nil {
		return ctx, err
	}
	principal, err := v.Verify(ctx, raw)
	if err != nil {
		return ctx, err
	}
	return WithPrincipal(ctx, principal), nil
}

// bearer takes the token out of the header. Of two headers one may be somebody else's: neither counts.
func bearer(headers []string) (string, error) {
	switch len(headers) {
	case 0:
		return "", refuse(ReasonTokenMissing, "the call has no token: send authorization: Bearer TOKEN")
	case 1:
	default:
		return "", invalid("the call has more than one authorization")
	}
	scheme, token, found := strings.Cut(headers[0], " ")
	if !found || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", invalid("authorization must be: Bearer TOKEN")
	}
	return token, nil
}
