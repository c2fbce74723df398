package telemetry

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	// probeTimeout is longer than the checks behind /healthz may take, so that their answer is seen.
	probeTimeout = readHeaderTimeout + time.Second
	// probeAnswerBytesMax bounds what is read of a health page; one names a handful of checks.
	probeAnswerBytesMax = 4 << 10
)

// Probe asks the service that listens on addr for its health, from the same machine or container: images without a
// shell have nothing else to do it with. Nil means healthy; otherwise the error carries the health page, which names
// what is wrong. An addr that stands for every interface (":7401", "0.0.0.0:7401") is asked on the loopback one.
func Probe(ctx context.Context, addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("health address: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	url := "http://" + net.JoinHostPort(host, port) + "/healthz"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("health address: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask for health: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(io.LimitReader(response.Body, probeAnswerBytesMax))
	if err != nil {
		return fmt.Errorf("read the health page: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("unhealthy: %s: %s", response.Status, strings.TrimSpace(string(page)))
	}
	return nil
}
