package grpcserver_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/grpcserver"
	"tandem.bank/pkg/testkit"
)

// handler is the one method of the test's service.
type handler func(ctx context.Context, in *structpb.Value) (*structpb.Value, error)

const method = "/tandem.test.v1.TestService/Do"

// serve runs a server whose only method is the handler, and returns a connection to it.
func serve(t *testing.T, callsMax int, do handler) *grpc.ClientConn {
	t.Helper()
	addr := freeAddr(t)
	server, err := grpcserver.New(grpcserver.Config{
		Addr: addr, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(), CallsInFlightMax: callsMax,
		Away: func(err error) bool { return errors.Is(err, net.ErrClosed) },
	})
	if err != nil {
		t.Fatal(err)
	}
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "tandem.test.v1.TestService", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Do", Handler: func(_ any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
			in := &structpb.Value{}
			if err := decode(in); err != nil {
				return nil, err
			}
			return intercept(ctx, in, &grpc.UnaryServerInfo{FullMethod: method}, func(ctx context.Context, req any) (any, error) {
				return do(ctx, req.(*structpb.Value))
			})
		}}},
	}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.WaitForReady(true)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func call(ctx context.Context, conn *grpc.ClientConn, text string) *status.Status {
	err := conn.Invoke(ctx, method, structpb.NewStringValue(text), &structpb.Value{})
	st, _ := status.FromError(err)
	return st
}

func TestErrorsShowOnlyWhatIsPublic(t *testing.T) {
	t.Parallel()
	conn := serve(t, 0, func(_ context.Context, in *structpb.Value) (*structpb.Value, error) {
		switch in.GetStringValue() {
		case "secret":
			return nil, errors.New("password of table customer is hunter2")
		case "away":
			return nil, fmt.Errorf("dial hunter2: %w", net.ErrClosed)
		case "panic":
			panic("hunter2")
		case "field":
			return nil, apperr.InvalidField("customer.email", "is broken")
		}
		return in, nil
	})
	for text, want := range map[string]codes.Code{
		"fine": codes.OK, "secret": codes.Internal, "away": codes.Unavailable, "panic": codes.Internal, "field": codes.InvalidArgument,
		"4111 1111 1111 1111": codes.InvalidArgument,
	} {
		st := call(t.Context(), conn, text)
		if st.Code() != want || strings.Contains(st.Message(), "hunter2") {
			t.Errorf("%s: %v, want %s", text, st, want)
		}
	}
	var reason string
	var fields int
	for _, detail := range call(t.Context(), conn, "field").Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			reason = d.GetReason()
		case *errdetails.BadRequest:
			fields = len(d.GetFieldViolations())
		}
	}
	if reason != apperr.ReasonInvalidField || fields != 1 {
		t.Errorf("details: reason %q, %d fields", reason, fields)
	}
}

func TestOverloadIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	conn := serve(t, 1, func(_ context.Context, in *structpb.Value) (*structpb.Value, error) {
		if in.GetStringValue() == "slow" {
			close(entered)
			<-leave
		}
		return in, nil
	})
	slow := make(chan *status.Status, 1)
	go func() { slow <- call(t.Context(), conn, "slow") }()
	<-entered
	st := call(t.Context(), conn, "quick")
	tellsWhen := slices.ContainsFunc(st.Details(), func(detail any) bool {
		info, ok := detail.(*errdetails.RetryInfo)
		return ok && info.GetRetryDelay().AsDuration() > 0
	})
	if st.Code() != codes.ResourceExhausted || !tellsWhen {
		t.Errorf("beside a slow call: %v", st)
	}
	close(leave)
	if st := <-slow; st.Code() != codes.OK {
		t.Errorf("the slow call: %v", st)
	}
	// The place is given back when the handler has returned, which the caller may learn a moment earlier.
	testkit.Eventually(t, testkit.Patience, func() error { return call(t.Context(), conn, "quick").Err() })
}

func TestCallsWithoutDeadlineGetOne(t *testing.T) {
	t.Parallel()
	had := make(chan bool, 1)
	conn := serve(t, 0, func(ctx context.Context, in *structpb.Value) (*structpb.Value, error) {
		_, has := ctx.Deadline()
		had <- has
		return in, nil
	})
	if st := call(t.Context(), conn, "x"); st.Code() != codes.OK || !<-had {
		t.Errorf("%v: no deadline", st)
	}
}
