package testkit

import (
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// maxPayloadBytes is the same as in deploy/nats/nats.conf.
const maxPayloadBytes = 8 << 20

// NATS starts a NATS server with JetStream for this test, in this process, and returns its address. The names
// of the product's streams are fixed, so that tests can share no server; it stops at the end.
func NATS(t testing.TB) string {
	t.Helper()
	srv, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT,
		JetStream: true, StoreDir: t.TempDir(),
		MaxPayload: maxPayloadBytes,
		NoLog:      true, NoSigs: true,
	})
	if err != nil {
		t.Fatalf("configure NATS: %v", err)
	}
	srv.Start()
	t.Cleanup(func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	})
	if !srv.ReadyForConnections(10 * time.Second) {
		t.Fatal("NATS did not become ready within 10 seconds")
	}
	return srv.ClientURL()
}

// NATSConn is NATS with a connection, closed at the end of the test.
func NATSConn(t testing.TB) *nats.Conn {
	t.Helper()
	conn, err := nats.Connect(NATS(t))
	if err != nil {
		t.Fatalf("connect to NATS: %v", err)
	}
	t.Cleanup(conn.Close)
	return conn
}
