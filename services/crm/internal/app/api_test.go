package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"tandem.bank/pkg/auth"
	"tandem.bank/pkg/testkit"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/crm/internal/behaviour"
	"tandem.bank/services/crm/internal/relay"
	"tandem.bank/services/crm/migrations"
)

var template = testkit.Template{Name: "crm", Migrate: migrations.Migrate}

// api is the API as the program serves it, on a database of its own.
type api struct {
	conn    *grpc.ClientConn
	callers *testkit.Identity
	served  map[string]grpc.ServiceInfo
}

// newService is what the server is built from; policyFile is empty for the policy that is built in.
func newService(t *testing.T, policyFile string, callers *testkit.Identity) (*service, *relay.Relay) {
	t.Helper()
	pool, js := testkit.Postgres(t, template), jetStream(t)
	log, registry := slog.New(slog.NewTextHandler(t.Output(), nil)), prometheus.NewRegistry()
	config := &Config{
		GRPCAddr: "in memory", BaseCurrency: "CZK", Country: "CZ", PolicyFile: policyFile, RelaySlot: pool.Config().ConnConfig.Database,
		Auth: auth.Settings{KeysFile: callers.KeysFile, KeysIssuer: auth.LocalIssuer, Audience: auth.DefaultAudience, RolesClaim: "roles"},
	}
	publisher, err := relay.New(relay.Config{Pool: pool, JetStream: js, Logger: log, Registerer: registry, SlotName: config.RelaySlot})
	if err != nil {
		t.Fatal(err)
	}
	config.AnalyticsAddress = serveCompiler(t)
	analytics, err := config.dialAnalytics()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = analytics.Close() })
	recorder := behaviour.NewRecorder(pool, time.UTC, 0)
	return &service{config: config, log: log, pool: pool, js: js, registry: registry, behaviour: recorder, analytics: analytics}, publisher
}

// compiler is the other half as far as this one asks it anything: it finds every definition right.
type compiler struct {
	analyticsv1.UnimplementedDefinitionServiceServer
}

func (compiler) CompileDefinition(context.Context, *analyticsv1.CompileDefinitionRequest) (*analyticsv1.CompileDefinitionResponse, error) {
	return &analyticsv1.CompileDefinitionResponse{}, nil
}

// serveCompiler returns where a compiler listens.
func serveCompiler(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	analyticsv1.RegisterDefinitionServiceServer(server, compiler{})
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

// serveAPI builds the server as the program does, so that every call goes through what stands before the rooms.
func serveAPI(t *testing.T, policyFile string) *api {
	t.Helper()
	a, _ := serveAPIOn(t, policyFile)
	return a
}

// serveAPIOn also returns the database.
func serveAPIOn(t *testing.T, policyFile string) (*api, *pgxpool.Pool) {
	t.Helper()
	a := &api{callers: testkit.NewIdentity(t)}
	s, publisher := newService(t, policyFile, a.callers)
	server, err := s.server(publisher, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	a.served = server.GetServiceInfo()
	ctx, cancel := context.WithCancel(context.Background())
	listener := bufconn.Listen(1 << 20)
	served, published := make(chan error, 1), make(chan error, 1)
	go func() { published <- publisher.Run(ctx) }()
	go func() {
		err := server.Serve(listener)
		if errors.Is(err, grpc.ErrServerStopped) { // a short test ends before the server began
			err = nil
		}
		served <- err
	}()
	a.conn, err = grpc.NewClient("passthrough:///crm", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.GracefulStop()
		cancel()
		if err := errors.Join(<-served, <-published, a.conn.Close()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return a, s.pool
}

func jetStream(t *testing.T) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(testkit.NATSConn(t))
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// as is a context of calls by somebody with exactly these roles, be they none.
func (a *api) as(t *testing.T, subject string, roles ...string) context.Context {
	t.Helper()
	return testkit.WithToken(t.Context(), a.callers.Token(t, subject, roles...))
}

// empty calls a method of whatever kind with an empty request, and returns how the call ended; nil is OK.
func (a *api) empty(ctx context.Context, method protoreflect.MethodDescriptor) error {
	_, err := a.send(ctx, method, dynamicpb.NewMessage(method.Input()))
	return err
}

// send calls a method of whatever kind with one request and collects the answers.
func (a *api) send(ctx context.Context, method protoreflect.MethodDescriptor, request proto.Message) (answers []proto.Message, err error) {
	stream, err := a.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, fullName(method))
	if err != nil {
		return nil, err
	}
	// A call that is refused before it was sent says why to the one who listens.
	if err := stream.SendMsg(request); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	for {
		answer := dynamicpb.NewMessage(method.Output())
		if err := stream.RecvMsg(answer); errors.Is(err, io.EOF) {
			return answers, nil
		} else if err != nil {
			return nil, err
		}
		answers = append(answers, answer)
	}
}

// contractMethods are all methods of the contracts, in the order of their names.
func contractMethods() []protoreflect.MethodDescriptor {
	var methods []protoreflect.MethodDescriptor
	protoregistry.GlobalFiles.RangeFilesByPackage("tandem.crm.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				methods = append(methods, service.Methods().Get(j))
			}
		}
		return true
	})
	slices.SortFunc(methods, func(a, b protoreflect.MethodDescriptor) int { return strings.Compare(fullName(a), fullName(b)) })
	return methods
}

func fullName(m protoreflect.MethodDescriptor) string {
	return "/" + string(m.Parent().FullName()) + "/" + string(m.Name())
}

// shortName is a method as the policy has it, "CustomerService/GetCustomer".
func shortName(m protoreflect.MethodDescriptor) string {
	return string(m.Parent().Name()) + "/" + string(m.Name())
}
