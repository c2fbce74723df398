package main

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// mainEnv turns the test program into the program itself.
const mainEnv = "TANDEM_TEST_MAIN"

func TestMain(m *testing.M) {
	// The engines' children have no such variable: they are told by their first argument.
	if os.Getenv(mainEnv) != "" || (len(os.Args) > 1 && strings.HasPrefix(os.Args[1], "engine-")) {
		main()
		return
	}
	os.Exit(m.Run())
}

// local runs the program and returns its exit status with all it printed.
func local(t *testing.T, args ...string) (status int, output string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), mainEnv+"=1")
	var buffer bytes.Buffer
	cmd.Stdout, cmd.Stderr = &buffer, &buffer
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), buffer.String()
}

// run gives the command its engines and ends with its status; a folder that was not named is removed.
func TestRun(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	status, output := local(t, "run", "--data", data, "--throwaway", "--ephemeral-ports", "--",
		"sh", "-c", "env; exit 7")
	if status != 7 {
		t.Errorf("the status is %d, want 7", status)
	}
	for _, name := range []string{"TANDEM_TEST_POSTGRES_URL=", "TANDEM_TEST_NATS_URL=", "TANDEM_TEST_CLICKHOUSE_URL="} {
		if !strings.Contains(output, name) {
			t.Errorf("the command got no %s:\n%s", name, output)
		}
	}
	if _, err := os.Stat(filepath.Join(data, "local.pid")); err == nil {
		t.Error("the data folder still names a process")
	}

	status, output = local(t, "clean", "--data", data)
	if _, err := os.Stat(data); status != 0 || err == nil {
		t.Errorf("clean left the folder, status %d: %s", status, output)
	}
}

// Each mistake is one sentence and status 1.
func TestSentences(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	port := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	emptyRoot := t.TempDir()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}

	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"taken port": {
			[]string{"engines", "--data", t.TempDir(), "--postgres-port", port},
			"local: port " + port + " for Postgres is already in use: stop the program that uses it or choose another port with --postgres-port\n",
		},
		"missing package": {
			[]string{"up", "--ephemeral-ports", "--root", emptyRoot},
			"run `make setup`\n",
		},
		"no folder": {
			[]string{"up", "--data", file},
			"local: the data folder " + file + " is not a folder: choose another one with --data",
		},
		"given engine is away": {
			[]string{"engines", "--data", t.TempDir(), "--postgres-url", "postgres://x@127.0.0.1:1/x"},
			"local: Postgres does not answer at the given address postgres://x@127.0.0.1:1/x",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, output := local(t, test.args...)
			if status != 1 || !strings.Contains(output, test.want) {
				t.Errorf("status %d, want 1, and output with %q:\n%s", status, test.want, output)
			}
		})
	}
}

// Ctrl-C in the middle stops the command and the engines.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	// The command interrupts its parent, which is the program, and waits for its own end.
	status, output := local(t, "run", "--data", data, "--throwaway", "--ephemeral-ports", "--",
		"sh", "-c", "kill -INT $PPID; exec sleep 60")
	if status != interruptedStatus || !strings.Contains(output, "local: interrupted, everything is stopped\n") {
		t.Errorf("status %d, want %d:\n%s", status, interruptedStatus, output)
	}
	if _, err := os.Stat(filepath.Join(data, "postgres", "data", "postmaster.pid")); err == nil {
		t.Error("Postgres was not stopped in good order")
	}
}
