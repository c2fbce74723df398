// Package testkit gives each test its own place in the real engines: a Postgres database, a ClickHouse
// database, a NATS server. It is for tests only, and the one package outside tests that imports testing.
package testkit

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Names of the engines' addresses, in the environment and in the file that `make engines` writes.
const (
	postgresEnv   = "TANDEM_TEST_POSTGRES_URL"
	clickhouseEnv = "TANDEM_TEST_CLICKHOUSE_URL"
)

// enginesFile is where `make engines` leaves the addresses, below the root of the project.
const enginesFile = ".local/test/engines.env"

// setupTimeout bounds every single thing done in an engine before and after a test.
const setupTimeout = time.Minute

// address finds an engine, and fails the test when there is none.
func address(t testing.TB, name string) string {
	t.Helper()
	if value := os.Getenv(name); value != "" {
		return value
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatalf("find the working folder: %v", err)
	}
	value, err := addressInFile(dir, name)
	if err != nil {
		t.Fatalf("%s is not set and %s cannot be read (%v): run `make engines` first", name, enginesFile, err)
	}
	return value
}

// addressInFile looks for the file in dir and above it.
func addressInFile(dir, name string) (string, error) {
	for {
		file, err := os.Open(filepath.Join(dir, filepath.FromSlash(enginesFile)))
		if err == nil {
			defer func() { _ = file.Close() }()
			return lookup(file, name)
		}
		parent := filepath.Dir(dir)
		if !errors.Is(err, fs.ErrNotExist) || parent == dir {
			return "", err
		}
		dir = parent
	}
}

// lookup finds NAME=VALUE.
func lookup(file *os.File, name string) (string, error) {
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), name+"="); ok {
			return value, nil
		}
	}
	if err := lines.Err(); err != nil {
		return "", err
	}
	return "", errors.New("it has no " + name)
}

// Patience is how long a test waits for what takes moments on a quiet machine: only a test that fails waits so long.
const Patience = 2 * time.Minute

// Eventually calls check until it returns nil, every few milliseconds; when it never does, the test fails
// with the last error. For what happens in another process; inside one, wait on a signal instead.
func Eventually(t testing.TB, timeout time.Duration, check func() error) {
	t.Helper()
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-deadline.C:
			t.Fatalf("not within %s: %v", timeout, err)
		case <-tick.C:
		}
	}
}

// random is a short suffix nobody else has.
func random() string {
	bytes := make([]byte, 6)
	_, _ = rand.Read(bytes) // never fails, says its documentation
	return hex.EncodeToString(bytes)
}
