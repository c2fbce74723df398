// Package telemetry gives each service its log, its metrics and its health page.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const readHeaderTimeout = 5 * time.Second

// NewLogger writes JSON lines at a level: debug, info, warn or error.
func NewLogger(out io.Writer, service, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level %q: use debug, info, warn or error", level)
	}
	return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: l})).With("service", service), nil
}

// NewRegistry returns a registry with the process's own metrics.
func NewRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}

// Check reports whether one dependency works.
type Check struct {
	// Name shown on the health page.
	Name string
	// Probe returns nil when the dependency works.
	Probe func(ctx context.Context) error
}

// Serve answers /healthz and /metrics until the context ends. /healthz is 200 when every check passes and 503 with the
// names of those that don't.
func Serve(ctx context.Context, addr string, registry *prometheus.Registry, checks ...Check) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { health(w, r, checks) })
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: readHeaderTimeout}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func health(w http.ResponseWriter, r *http.Request, checks []Check) {
	ctx, cancel := context.WithTimeout(r.Context(), readHeaderTimeout)
	defer cancel()
	lines, code := "", http.StatusOK
	for _, check := range checks {
		if err := check.Probe(ctx); err != nil {
			code = http.StatusServiceUnavailable
			lines += fmt.Sprintf("%s: %v\n", check.Name, err)
			continue
		}
		lines += check.Name + ": ok\n"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, lines)
}
