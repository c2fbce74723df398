package audit

import (
	"context"

	"go.opentelemetry.io/otel/trace"

	"tandem.bank/services/crm/internal/outbox"
)

// Caller is where a call came from. Who makes it stands in the context too, by outbox.WithActor: it also goes into events.
type Caller struct {
	// Peer is the address of the other side.
	Peer string
	// Method is the full name of the RPC.
	Method string
	// RequestID names the call.
	RequestID string
}

type callerKey struct{}

// WithCaller returns a context whose entries say where the call came from.
func WithCaller(ctx context.Context, caller Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, caller)
}

// CallerOf returns where the call came from; the zero Caller is work of the bank itself.
func CallerOf(ctx context.Context) Caller {
	caller, _ := ctx.Value(callerKey{}).(Caller)
	return caller
}

// origin is what all entries of a context share.
type origin struct {
	Caller
	actor, traceID string
}

func originOf(ctx context.Context) origin {
	o := origin{Caller: CallerOf(ctx), actor: outbox.Actor(ctx)}
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() {
		o.traceID = span.TraceID().String()
	}
	return o
}
