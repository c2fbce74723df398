package stack_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tandem.bank/deploy/local/engine"
	"tandem.bank/deploy/local/process"
	"tandem.bank/deploy/local/project"
	"tandem.bank/deploy/local/stack"
)

// The test program is also the engines' child and a stand-in for both services.
func TestMain(m *testing.M) {
	engine.RunIfChild()
	if len(os.Args) == 3 && os.Args[1] == "serve" && os.Args[2] == "--migrate" {
		serve()
		return
	}
	os.Exit(m.Run())
}

// serve is healthy until SIGTERM, checks the environment it was given, and dies when told to.
func serve() {
	var name, address string
	for _, candidate := range []string{"CRM", "ANALYTICS"} {
		if value, ok := os.LookupEnv(candidate + "_HTTP_ADDR"); ok {
			name, address = candidate, value
		}
	}
	if os.Getenv("TANDEM_TEST_BROKEN") == name {
		fmt.Println("the last words of", name)
		os.Exit(3)
	}
	http.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	go func() { _ = http.ListenAndServe(address, nil) }()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
}

// newStack is a stack of real engines and stand-ins on free ports.
func newStack(t *testing.T) *stack.Stack {
	t.Helper()
	root, err := project.Root(".")
	if err != nil {
		t.Fatal(err)
	}
	s, err := stack.New(stack.Config{
		Engines:    stack.EnginesConfig{Root: root, DataDir: t.TempDir(), Throwaway: true},
		CRMProgram: os.Args[0], AnalyticsProgram: os.Args[0],
		BaseCurrency: "CZK", TimeZone: "Europe/Prague",
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func pids(processes []*process.Process) (pids []int) {
	for _, p := range processes {
		pids = append(pids, p.PID())
	}
	return pids
}

// checkGone checks that no process and no listener is left.
func checkGone(t *testing.T, processes []int, addresses []string) {
	t.Helper()
	for _, pid := range processes {
		if !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			t.Errorf("process %d is still alive", pid)
		}
	}
	for _, line := range addresses {
		_, value, _ := strings.Cut(line, "=")
		if _, after, ok := strings.Cut(value, "127.0.0.1:"); ok {
			port, _, _ := strings.Cut(after, "/")
			listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:"+port)
			if err != nil {
				t.Errorf("somebody still listens at %s", line)
				continue
			}
			_ = listener.Close()
		}
	}
}

// The stack starts, says where it is, and leaves nothing behind. A part that dies is reported with its log.
func TestStack(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	running, addresses := pids(s.Processes()), s.Addresses()
	if len(running) != 5 {
		t.Errorf("%d processes run, want 5", len(running))
	}
	file := filepath.Join(t.TempDir(), "addresses.env")
	if err := stack.WriteEnv(file, addresses); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Error(err)
	}
	for _, name := range []string{
		"TANDEM_CRM_ADDR=127.0.0.1:", "TANDEM_ANALYTICS_ADDR=", "TANDEM_ANALYTICS_HTTP_URL=http://",
		"TANDEM_POSTGRES_URL=postgres://", "TANDEM_NATS_URL=nats://", "TANDEM_CLICKHOUSE_URL=clickhouse://", "TANDEM_CLICKHOUSE_HTTP_URL=http://",
	} {
		if !strings.Contains(string(text), name) {
			t.Errorf("the addresses have no %s:\n%s", name, text)
		}
	}

	// A service can be killed and started again at the same place.
	processes := s.Processes()
	s.Analytics.Kill()
	if err := s.Analytics.Start(t.Context()); err != nil {
		t.Error(err)
	}
	running = append(running, s.Analytics.Process().PID())

	// One killed from outside is noticed.
	watched := make(chan error, 1)
	go func() { watched <- stack.Watch(t.Context(), processes[:4]) }()
	if err := syscall.Kill(s.CRM.Process().PID(), syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	var died *stack.DiedError
	if err := <-watched; !errors.As(err, &died) || !strings.Contains(err.Error(), "crm ended with signal: killed") {
		t.Errorf("watching gives %v", err)
	}
	if err := s.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
	checkGone(t, running, addresses)
}

// A service that does not start takes the engines down with it, and its last words are shown.
func TestServiceFails(t *testing.T) {
	t.Setenv("TANDEM_TEST_BROKEN", "ANALYTICS")
	s := newStack(t)
	err := s.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "analytics ended with exit status 3") ||
		!strings.Contains(err.Error(), "the last words of ANALYTICS") {
		t.Errorf("the error is %v", err)
	}
	if left := s.Processes(); len(left) != 0 {
		t.Errorf("%d processes are left", len(left))
	}
	checkGone(t, nil, s.Addresses())
}

// A service that was never built is one sentence that says what to do.
func TestMissingProgram(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "crm")
	service := stack.Service{Name: "crm", Program: missing, DataDir: t.TempDir()}
	want := "the program of crm is missing (" + missing + "): run `make build`"
	if err := service.Start(t.Context()); err == nil || err.Error() != want {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

// Configuration errors name the field.
func TestValidate(t *testing.T) {
	t.Parallel()
	if _, err := stack.New(stack.Config{CRMProgram: "crm"}); err == nil || err.Error() != "stack: program of analytics is empty" {
		t.Errorf("the error is %v", err)
	}
	if _, err := stack.NewEngines(stack.EnginesConfig{}); err == nil || err.Error() != "engines: project root is empty" {
		t.Errorf("the error is %v", err)
	}
}
