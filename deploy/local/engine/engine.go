// Package engine starts, stops, kills and restarts the three engines of Tandem without containers:
// Postgres, NATS with JetStream, and ClickHouse.
//
// NATS and ClickHouse run inside a child process of the program that uses this package. Such a program
// calls RunIfChild as the first thing in main, or in TestMain.
package engine

import (
	"context"
	"os"
	"time"

	"tandem.bank/deploy/local/process"
)

// Engine is one server of the stack. Start after Stop or Kill continues on the same data and address.
type Engine interface {
	// Name is the word for the engine in messages.
	Name() string
	// Start returns when the engine answers its own protocol.
	Start(ctx context.Context) error
	// Stop ends the engine cleanly. Stopping what is not running does nothing.
	Stop(ctx context.Context) error
	// Kill ends the engine as kill -9 does.
	Kill()
	// URL is the address clients use; known after the first Start.
	URL() string
	// Process is the running child; nil when the engine is not running or was started by somebody else.
	Process() *process.Process
}

// loopback is the only address the local engines listen on.
const loopback = "127.0.0.1"

// Times an engine is given.
const (
	startTimeout = 60 * time.Second
	stopTimeout  = 20 * time.Second
	pingInterval = 20 * time.Millisecond
	pingTimeout  = 2 * time.Second
)

// childEnv is the environment of an engine: nothing of ours but what it is given, so that a PGDATA or a
// locale of the user's shell changes nothing.
func childEnv(extra ...string) []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "TZ=UTC"}
	for _, name := range []string{"HOME", "TMPDIR", "LD_LIBRARY_PATH"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return append(env, extra...)
}
