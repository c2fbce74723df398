package telemetry_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"tandem.bank/pkg/telemetry"
)

// serve runs the health page on a free port of all interfaces, as a container does, and returns its address.
func serve(t *testing.T, checks ...telemetry.Check) string {
	t.Helper()
	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- telemetry.Serve(ctx, addr, telemetry.NewRegistry(), checks...) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return addr
}

// probeSettled probes until the page answers at all: Serve has no signal for it.
func probeSettled(t *testing.T, addr string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		err := telemetry.Probe(ctx, addr)
		var network net.Error
		if ctx.Err() != nil || !errors.As(err, &network) {
			return err
		}
	}
}

func TestProbeOfHealthyService(t *testing.T) {
	t.Parallel()
	addr := serve(t, telemetry.Check{Name: "postgres", Probe: func(context.Context) error { return nil }})
	if err := probeSettled(t, addr); err != nil {
		t.Fatal(err)
	}
}

func TestProbeNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	addr := serve(t,
		telemetry.Check{Name: "postgres", Probe: func(context.Context) error { return nil }},
		telemetry.Check{Name: "nats", Probe: func(context.Context) error { return errors.New("no route") }},
	)
	err := probeSettled(t, addr)
	if err == nil || !strings.Contains(err.Error(), "nats: no route") {
		t.Fatalf("got %v, want the failed check", err)
	}
}

func TestProbeRefusesAddressWithoutPort(t *testing.T) {
	t.Parallel()
	if err := telemetry.Probe(t.Context(), "localhost"); err == nil {
		t.Fatal("no error")
	}
}

func TestProbeOfNobody(t *testing.T) {
	t.Parallel()
	// Port 0 is never listened on.
	if err := telemetry.Probe(t.Context(), "127.0.0.1:0"); err == nil {
		t.Fatal("no error")
	}
}
