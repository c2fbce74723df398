// Package flow tries Tandem from outside, the way its users do: programs as they are built, engines as they run, data
// through the command line, and every figure computed a second time from the files.
package flow

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem.bank/deploy/local/engine"
	"tandem.bank/deploy/local/project"
	"tandem.bank/deploy/local/stack"
)

func TestMain(m *testing.M) {
	engine.RunIfChild()
	os.Exit(m.Run())
}

// bank is a running stack with a command line that talks to it.
type bank struct {
	*stack.Stack
	root string
	work string
}

// open starts a stack of its own in a folder of its own, and stops it at the end of the test.
func open(t *testing.T) *bank {
	t.Helper()
	root, err := project.Root(".")
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	s, err := stack.New(stack.Config{
		Engines:          stack.EnginesConfig{Root: root, DataDir: filepath.Join(work, "data"), Throwaway: true},
		CRMProgram:       filepath.Join(root, "bin", "crm"),
		AnalyticsProgram: filepath.Join(root, "bin", "analytics"),
		BaseCurrency:     "CZK",
		TimeZone:         "Europe/Prague",
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			showErrors(t, filepath.Join(work, "data"))
		}
	})
	return &bank{Stack: s, root: root, work: work}
}

// showErrors prints what the services logged as errors: callers learn no details.
func showErrors(t *testing.T, data string) {
	t.Helper()
	for _, name := range []string{"crm", "analytics"} {
		text, _ := os.ReadFile(filepath.Join(data, name, name+".log")) // a service that did not start has none
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "ERROR") {
				t.Logf("%s: %s", name, line)
			}
		}
	}
}

// command prepares a call of the command line.
func (b *bank) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(b.root, "bin", "tandem"), args...)
	cmd.Dir = b.work
	// Imports that another run left unfinished are none of this bank's.
	cmd.Env = append(append(os.Environ(), b.Addresses()...), "TANDEM_STATE_DIR="+filepath.Join(b.work, "state"))
	return cmd
}

// tandem runs the command line and returns what it printed; it must end with the given exit code.
func (b *bank) tandem(t *testing.T, code int, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := b.command(t.Context(), args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Fatalf("tandem %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, code, out.String(), errs.String())
	}
	return out.String()
}

// background is a call of the command line that goes on while the test does other things.
type background struct {
	cmd  *exec.Cmd
	out  lockedBuffer
	done chan error
}

func (b *bank) start(t *testing.T, args ...string) *background {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	bg := &background{cmd: b.command(ctx, args...), done: make(chan error, 1)}
	bg.cmd.Stdout, bg.cmd.Stderr = &bg.out, &bg.out
	if err := bg.cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(cancel)
	go func() { bg.done <- bg.cmd.Wait() }()
	return bg
}

func (bg *background) wait(t *testing.T) {
	t.Helper()
	if err := <-bg.done; err != nil {
		t.Fatalf("%v\n%s", err, bg.out.String())
	}
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
