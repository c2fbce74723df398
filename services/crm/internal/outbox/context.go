package outbox

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
)

// ActorSystem is the actor of changes that nobody in particular made.
const ActorSystem = "system"

type actorKey struct{}

// WithActor returns a context whose changes name this actor. An empty actor changes nothing.
func WithActor(ctx context.Context, actor string) context.Context {
	if actor == "" {
		return ctx
	}
	return context.WithValue(ctx, actorKey{}, actor)
}

// Actor returns who makes the changes of this context, ActorSystem when nobody was named.
func Actor(ctx context.Context) string {
	if actor, ok := ctx.Value(actorKey{}).(string); ok {
		return actor
	}
	return ActorSystem
}

// traceParent returns the W3C traceparent of the context, empty without a trace.
func traceParent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier.Get("traceparent")
}
