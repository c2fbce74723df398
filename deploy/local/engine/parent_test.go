package engine_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tandem.bank/deploy/local/engine"
)

// parentEnv turns the test program into a parent of engines; its value is the project, a bar, the data folder.
const parentEnv = "TANDEM_TEST_PARENT"

// runIfParent starts the engines, prints their process numbers and waits to be killed.
func runIfParent() {
	root, data, ok := strings.Cut(os.Getenv(parentEnv), "|")
	if !ok {
		return
	}
	packages := engine.Packages{Dir: filepath.Join(root, "deploy", "local", "engines")}
	for _, e := range []engine.Engine{
		engine.NewPostgres(engine.PostgresConfig{
			DataDir: filepath.Join(data, "postgres"), Packages: packages,
			ConfigFile: filepath.Join(root, "deploy", "postgres", "postgresql.conf"),
		}),
		engine.NewNATS(engine.NATSConfig{
			DataDir: filepath.Join(data, "nats"), ConfigFile: filepath.Join(root, "deploy", "nats", "nats.conf"),
		}),
		engine.NewClickHouse(engine.ClickHouseConfig{
			DataDir: filepath.Join(data, "clickhouse"), Packages: packages,
			ConfigDir: filepath.Join(root, "deploy", "clickhouse"),
		}),
	} {
		if err := e.Start(context.Background()); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(e.Process().PID())
	}
	select {}
}

// Engines do not outlive a parent that dies by kill -9.
func TestEnginesDieWithParent(t *testing.T) {
	t.Parallel()
	parent := exec.CommandContext(t.Context(), os.Args[0])
	parent.Env = append(os.Environ(), parentEnv+"="+root(t)+"|"+t.TempDir())
	output, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	for lines := bufio.NewScanner(output); len(pids) < 3 && lines.Scan(); {
		var pid int
		if _, err := fmt.Sscan(lines.Text(), &pid); err != nil {
			t.Fatalf("the parent says %q", lines.Text())
		}
		pids = append(pids, pid)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // killed, as we know

	for _, pid := range pids {
		within(t, 20*time.Second, func() error {
			if alive(pid) {
				return fmt.Errorf("process %d is still alive", pid)
			}
			return nil
		})
	}
	if len(pids) != 3 {
		t.Errorf("%d engines started, want 3", len(pids))
	}
}

// within polls another process, which gives no signal.
func within(t *testing.T, timeout time.Duration, check func() error) {
	t.Helper()
	deadline := time.After(timeout)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			t.Fatal(err)
		case <-tick.C:
		}
	}
}

// contains tells whether text holds all parts.
func contains(text string, parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}
