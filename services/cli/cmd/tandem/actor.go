package main

import (
	"context"
	"os"
	"os/user"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// actorKey is the metadata by which the services learn who calls.
const actorKey = "x-tandem-actor"

// namer says in each call who makes it.
type namer string

func (n namer) context(ctx context.Context) context.Context {
	actor := string(n)
	if actor == "" {
		actor = account()
	}
	if actor == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, actorKey, actor)
}

func (n namer) unary(
	ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	return invoke(n.context(ctx), method, req, reply, conn, options...)
}

func (n namer) stream(
	ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	return open(n.context(ctx), desc, conn, method, options...)
}

// account is who works on this machine; empty when it can't be told.
func account() string {
	if current, err := user.Current(); err == nil {
		return current.Username
	}
	return os.Getenv("USER")
}
