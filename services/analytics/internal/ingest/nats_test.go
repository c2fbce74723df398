package ingest_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"tandem.bank/pkg/natsx"
	"tandem.bank/pkg/testkit"
	"tandem.bank/services/analytics/internal/warehousetest"
	"tandem.bank/services/analytics/migrations"
)

// startNATS runs a server of the test's own, which can be stopped and started again. Port 0 picks a free one.
func startNATS(t *testing.T, dir string, port int) (*server.Server, int) {
	t.Helper()
	if port == 0 {
		port = server.RANDOM_PORT
	}
	var srv *server.Server
	testkit.Eventually(t, patience, func() error { // the port of the one before may take a moment to be free
		var err error
		srv, err = server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, NoLog: true, NoSigs: true})
		if err != nil {
			return err
		}
		srv.Start()
		if !srv.ReadyForConnections(time.Second) {
			srv.Shutdown()
			return errors.New("NATS is not ready")
		}
		return nil
	})
	t.Cleanup(srv.Shutdown)
	addr, err := netip.ParseAddrPort(srv.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return srv, int(addr.Port())
}

// NATS goes away in the middle, and comes back with what it had, or with nothing.
func TestNATSRestart(t *testing.T) {
	t.Parallel()
	for _, wiped := range []bool{false, true} {
		t.Run(fmt.Sprintf("wiped %v", wiped), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			srv, port := startNATS(t, dir, 0)
			b := &bank{url: testkit.ClickHouse(t)}
			if err := migrations.Migrate(t.Context(), b.url); err != nil {
				t.Fatal(err)
			}
			b.conn = warehousetest.Connect(t, b.url)
			nc, js, err := natsx.Connect(t.Context(), natsx.Config{URL: srv.ClientURL(), Name: "test", Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(nc.Close)
			b.js = js
			b.start(t, b.conn)
			b.await(t, 0)
			testkit.Eventually(t, patience, func() error { return natsx.EnsureStreams(t.Context(), js) })
			var last uint64
			for id := int64(1); id <= 30; id++ {
				last = b.change(t, customer(id, 1, "clerk"))
			}
			if wiped {
				b.await(t, last)
				dir = t.TempDir()
			}
			srv.Shutdown()
			srv.WaitForShutdown()
			startNATS(t, dir, port)
			if err := natsx.AwaitConnected(t.Context(), nc); err != nil {
				t.Fatal(err)
			}
			testkit.Eventually(t, patience, func() error { return natsx.EnsureStreams(t.Context(), js) })
			for id := int64(31); id <= 60; id++ {
				last = b.change(t, customer(id, 1, "clerk"))
			}
			testkit.Eventually(t, 2*patience, func() error {
				if got := b.count(t, "customer"); got != "60" {
					return fmt.Errorf("%s customers", got)
				}
				return nil
			})
			b.await(t, last)
		})
	}
}
