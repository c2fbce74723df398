// Package natsx connects to NATS and holds, in one place, the JetStream streams, subjects and size limits that both
// halves of Tandem share.
package natsx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// reconnectWait is short: a server on the same machine or rack is back within seconds.
	reconnectWait = 500 * time.Millisecond
	// reconnectBufferBytes bounds what a publisher may write while the server is away. It is small on purpose: a
	// publisher waits for acknowledgements, so bytes parked here are only memory, never durability.
	reconnectBufferBytes = 1 << 20
	// pingInterval and pingsOutMax find a dead connection within about half a minute.
	pingInterval = 10 * time.Second
	pingsOutMax  = 2
	// drainTimeout bounds an orderly end of subscriptions.
	drainTimeout = 10 * time.Second
	// requestTimeout bounds JetStream API calls whose context has no deadline.
	requestTimeout = 10 * time.Second
)

// Config says where NATS is and who connects.
type Config struct {
	// URL of the server, or several separated by commas: "nats://127.0.0.1:4222".
	URL string
	// Name of the client as the server's monitoring shows it, for example "crm".
	Name string
	// Logger receives connection changes and asynchronous errors.
	Logger *slog.Logger
}

// Validate reports every missing field.
func (c Config) Validate() error {
	var errs []error
	if c.URL == "" {
		errs = append(errs, errors.New("nats url: must not be empty"))
	}
	if c.Name == "" {
		errs = append(errs, errors.New("nats client name: must not be empty"))
	}
	if c.Logger == nil {
		errs = append(errs, errors.New("nats logger: must be set"))
	}
	return errors.Join(errs...)
}

// Connect returns a connection that reconnects for ever, and JetStream on it.
//
// A server that is away is not an error: the front office must work without NATS, so the connection keeps trying in the
// background and AwaitConnected tells when it is there. Errors are a bad configuration, refused credentials or a done
// context. The caller closes the connection.
func Connect(ctx context.Context, c Config) (*nats.Conn, jetstream.JetStream, error) {
	if err := c.Validate(); err != nil {
		return nil, nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, fmt.Errorf("connect to nats: %w", err)
	}
	nc, err := nats.Connect(c.URL, options(c)...)
	if err != nil {
		return nil, nil, fmt.Errorf("connect to nats: %w", err)
	}
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(requestTimeout))
	if err != nil {
		nc.Close()
		return nil, nil, fmt.Errorf("open jetstream: %w", err)
	}
	return nc, js, nil
}

func options(c Config) []nats.Option {
	log := c.Logger.With("component", "nats")
	return []nats.Option{
		nats.Name(c.Name),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait),
		nats.ReconnectBufSize(reconnectBufferBytes),
		nats.PingInterval(pingInterval),
		nats.MaxPingsOutstanding(pingsOutMax),
		nats.DrainTimeout(drainTimeout),
		nats.ConnectHandler(func(nc *nats.Conn) { log.Info("connected", "server", nc.ConnectedServerName()) }),
		nats.ReconnectHandler(func(nc *nats.Conn) { log.Info("reconnected", "server", nc.ConnectedServerName()) }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			// An orderly Close comes without an error and is no news.
			if err != nil {
				log.Warn("disconnected", "error", err)
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			if sub != nil {
				log.Warn("asynchronous error", "subject", sub.Subject, "error", err)
				return
			}
			log.Warn("asynchronous error", "error", err)
		}),
	}
}

// AwaitConnected returns once the connection is up. It fails when ctx is done first or the connection was closed.
func AwaitConnected(ctx context.Context, nc *nats.Conn) error {
	// Subscribed before the first look, so that a change in between is not missed.
	changed := nc.StatusChanged(nats.CONNECTED, nats.CLOSED)
	defer nc.RemoveStatusListener(changed)
	for {
		switch {
		case nc.IsConnected():
			return nil
		case nc.IsClosed():
			return nats.ErrConnectionClosed
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("await nats: %w", ctx.Err())
		case <-changed:
		}
	}
}
