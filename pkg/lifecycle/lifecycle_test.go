package lifecycle_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"tandem.bank/pkg/lifecycle"
)

func TestStopsInReverse(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	started, stopped := make(chan string, 2), make(chan string, 2)
	part := func(name string) lifecycle.Part {
		return lifecycle.Part{Name: name, Run: func(ctx context.Context) error {
			started <- name
			<-ctx.Done()
			stopped <- name
			return ctx.Err()
		}}
	}
	result := make(chan error)
	go func() { result <- lifecycle.Run(ctx, slog.New(slog.DiscardHandler), part("database"), part("server")) }()
	<-started
	<-started
	cancel()
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	if order := []string{<-stopped, <-stopped}; !slices.Equal(order, []string{"server", "database"}) {
		t.Fatalf("stopped %v", order)
	}
}

func TestOneFailureStopsAll(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	err := lifecycle.Run(t.Context(), slog.New(slog.DiscardHandler),
		lifecycle.Part{Name: "waiter", Run: func(ctx context.Context) error { <-ctx.Done(); return nil }},
		lifecycle.Part{Name: "failer", Run: func(context.Context) error { return broken }})
	if !errors.Is(err, broken) {
		t.Fatal(err)
	}
}

// TestEvery does a round at once and goes on after one that failed, until it is stopped.
func TestEvery(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	rounds := 0
	err := lifecycle.Every(ctx, time.Millisecond, func(context.Context) {
		if rounds++; rounds == 3 {
			stop()
		}
	})
	if err != nil || rounds != 3 {
		t.Fatalf("%d rounds, %v", rounds, err)
	}
}
