// Package grpcserver builds every gRPC server the same way: validated requests, errors that leak nothing, deadlines,
// a limit on calls in flight, metrics, health and reflection.
package grpcserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	grpcprom "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
)

const (
	// MessageBytesMax is the largest request; a full batch of rows fits.
	MessageBytesMax = 16 << 20
	// callsInFlightDefault keeps a flood from piling up in front of the database: more is refused at once.
	callsInFlightDefault = 512
	// waitingMax bounds streams and calls that wait for something: each costs little, and not all of them may come.
	waitingMax      = 512
	deadlineDefault = 30 * time.Second
	stopGrace       = 10 * time.Second
	// streamWorkers answer calls one after the other on stacks that have grown once; with more calls at once than workers,
	// each further call gets a goroutine of its own.
	streamWorkers = 64
	// Windows of a call and of a connection: how much of requests may be on its way. Said once, they hold; windows that gRPC
	// finds by itself cost a ping and its answer beside each call, which is as many packets as the call itself.
	streamWindow     = 1 << 20
	connectionWindow = 4 << 20
)

// Config of a server.
type Config struct {
	// Addr to listen on, for example "127.0.0.1:7400".
	Addr string
	// Logger for failures; payloads are never logged.
	Logger *slog.Logger
	// Registry that takes the server's metrics.
	Registry *prometheus.Registry
	// Away reports whether an error means that a dependency does not answer; the caller is told UNAVAILABLE and may try
	// again. Without it such errors are INTERNAL.
	Away func(error) bool
	// CallsInFlightMax refuses more calls at once with RESOURCE_EXHAUSTED and RetryInfo; 0 means 512. What a server can do in
	// the time that a caller waits is a good number. Streams and Await calls, which mostly wait, have 512 places of their own.
	CallsInFlightMax int
	// TLS of the listener; nil means open connections.
	TLS *tls.Config
	// Unary and Stream are further interceptors, for example for who calls. They come after the limit on calls and before
	// the check of the request; their errors are shown like those of methods.
	Unary  []grpc.UnaryServerInterceptor
	Stream []grpc.StreamServerInterceptor
}

// Validate names what is missing.
func (c Config) Validate() error {
	if c.Addr == "" || c.Logger == nil || c.Registry == nil {
		return errors.New("grpcserver: address, logger and registry are required")
	}
	return nil
}

// Server is a gRPC server with its health service.
type Server struct {
	*grpc.Server
	addr   string
	log    *slog.Logger
	health *health.Server
	calls  *gates
}

// Calls counts the calls that were let in so far, without those that wait by their nature. Whoever works in the background sees by it
// whether somebody is served meanwhile.
func (s *Server) Calls() int64 { return s.calls.working.entered.Load() }

// New builds a server; register services on it, then call Run.
func New(config Config) (*Server, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if config.CallsInFlightMax == 0 {
		config.CallsInFlightMax = callsInFlightDefault
	}
	metrics := grpcprom.NewServerMetrics(grpcprom.WithServerHandlingTimeHistogram())
	if err := config.Registry.Register(metrics); err != nil {
		return nil, fmt.Errorf("grpcserver: %w", err)
	}
	calls := &gates{working: newGate(config.CallsInFlightMax), waiting: newGate(waitingMax)}
	edge := &edge{log: config.Logger, away: config.Away}
	caught := recovery.WithRecoveryHandlerContext(edge.panicked)
	transport := insecure.NewCredentials()
	if config.TLS != nil {
		transport = credentials.NewTLS(config.TLS)
	}
	server := grpc.NewServer(
		grpc.Creds(transport),
		grpc.MaxRecvMsgSize(MessageBytesMax),
		grpc.NumStreamWorkers(streamWorkers),
		grpc.StaticStreamWindowSize(streamWindow),
		grpc.StaticConnWindowSize(connectionWindow),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.ChainUnaryInterceptor(metrics.UnaryServerInterceptor(), edge.unary, calls.unary, deadline,
			recovery.UnaryServerInterceptor(caught)),
		grpc.ChainUnaryInterceptor(config.Unary...),
		grpc.ChainUnaryInterceptor(validateUnary),
		grpc.ChainStreamInterceptor(metrics.StreamServerInterceptor(), edge.stream, calls.stream,
			recovery.StreamServerInterceptor(caught)),
		grpc.ChainStreamInterceptor(config.Stream...),
		grpc.ChainStreamInterceptor(validateStream),
	)
	s := &Server{Server: server, addr: config.Addr, log: config.Logger, health: health.NewServer(), calls: calls}
	healthpb.RegisterHealthServer(server, s.health)
	return s, nil
}

// Run serves until the context ends, then lets calls in flight finish for a while.
func (s *Server) Run(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.addr)
	if err != nil {
		return err
	}
	reflection.Register(s.Server)
	for name := range s.GetServiceInfo() {
		s.health.SetServingStatus(name, healthpb.HealthCheckResponse_SERVING)
	}
	s.log.Info("gRPC listens", "addr", listener.Addr().String())
	stop := context.AfterFunc(ctx, s.stop)
	defer stop()
	return s.Serve(listener)
}

func (s *Server) stop() {
	s.health.Shutdown()
	forced := time.AfterFunc(stopGrace, s.Stop)
	defer forced.Stop()
	s.GracefulStop()
}
