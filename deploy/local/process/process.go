// Package process runs one child program of the local stack: in its own process group, with its
// output in a log file, and never longer than the program that started it.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// Account is the unprivileged user a child runs under when its parent is root.
type Account struct {
	Name string
	UID  uint32
	GID  uint32
}

// Config describes a child program.
type Config struct {
	Name    string   // word used in messages, such as "Postgres"
	Path    string   // program file
	Args    []string // arguments without the program name
	Env     []string // whole environment of the child
	Dir     string   // working folder; empty: the parent's
	LogFile string   // output and errors are appended here

	Account *Account   // nil: the parent's own user
	Files   []*os.File // open files the child gets as descriptors 3, 4, …

	StopSignal  syscall.Signal // asks for a clean stop
	DeathSignal syscall.Signal // sent by the kernel when the parent dies, on Linux
	StopTimeout time.Duration  // after it a stop becomes a kill
}

// Validate names the first field that is missing.
func (c Config) Validate() error {
	switch {
	case c.Name == "":
		return errors.New("process: name is empty")
	case c.Path == "":
		return fmt.Errorf("process %s: path is empty", c.Name)
	case c.LogFile == "":
		return fmt.Errorf("process %s: log file is empty", c.Name)
	case c.StopSignal == 0:
		return fmt.Errorf("process %s: stop signal is not set", c.Name)
	case c.StopTimeout <= 0:
		return fmt.Errorf("process %s: stop timeout must be positive", c.Name)
	}
	return nil
}

// Process is a running, or ended, child program.
type Process struct {
	cfg   Config
	cmd   *exec.Cmd
	stdin io.Closer
	done  chan struct{}
	err   error // set before done is closed
	// logStart is where this run's output begins in the log file, so that a tail never quotes the run before.
	logStart int64
}

// Start runs the program. The caller must Stop or Kill it.
func Start(cfg Config) (*Process, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(cfg.LogFile), 0o755); err != nil {
		return nil, fmt.Errorf("%s: create log folder: %w", cfg.Name, err)
	}
	if err := rotate(cfg.LogFile); err != nil {
		return nil, fmt.Errorf("%s: rotate log file: %w", cfg.Name, err)
	}
	log, err := os.OpenFile(cfg.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%s: open log file: %w", cfg.Name, err)
	}
	defer func() { _ = log.Close() }() // the child has its own descriptor
	logStart, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("%s: read log file: %w", cfg.Name, err)
	}

	// Without a context: a child ends by Stop or Kill, which know how.
	cmd := exec.Command(cfg.Path, cfg.Args...)
	cmd.Env, cmd.Dir, cmd.ExtraFiles = cfg.Env, cfg.Dir, cfg.Files
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = attributes(cfg)
	// Children of our own binary watch this pipe: it closes when the parent ends, however it ends.
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("%s: open pipe: %w", cfg.Name, err)
	}

	p := &Process{cfg: cfg, cmd: cmd, stdin: stdin, done: make(chan struct{}), logStart: logStart}
	started := make(chan error, 1)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("%s: start %s: %w", cfg.Name, cfg.Path, err)
	}
	return p, nil
}

// run starts the child and waits for it on one OS thread: the kernel's parent-death signal follows
// the thread that forked, so that thread must live as long as the child.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := p.cmd.Start(); err != nil {
		_ = p.stdin.Close()
		started <- err
		return
	}
	started <- nil
	p.err = p.cmd.Wait()
	close(p.done)
}

// PID is the process number of the child.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the child has ended for whatever reason.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err tells how the child ended; nil before Done is closed and after a clean exit.
func (p *Process) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// Stop asks the child to end and waits; when the stop timeout or ctx runs out the child is killed.
// It reports an error only when the child had to be killed.
func (p *Process) Stop(ctx context.Context) error {
	timeout := time.NewTimer(p.cfg.StopTimeout)
	defer timeout.Stop()
	_ = p.cmd.Process.Signal(p.cfg.StopSignal) // fails only when it has ended already
	select {
	case <-p.done:
		return nil
	case <-timeout.C:
	case <-ctx.Done():
	}
	p.Kill()
	return fmt.Errorf("%s did not stop within %s and was killed", p.cfg.Name, p.cfg.StopTimeout)
}

// Kill ends the child, its group and its children at once, as kill -9 and a crash do, and waits for the child.
func (p *Process) Kill() {
	select {
	case <-p.done:
		return // the number may already belong to somebody else
	default:
	}
	// Postgres gives each of its own children a group of its own: they are looked up while the parent lives.
	children := childrenOf(p.PID())
	_ = syscall.Kill(-p.PID(), syscall.SIGKILL) // fails only when it has just ended
	for _, child := range children {
		_ = syscall.Kill(child, syscall.SIGKILL)
	}
	<-p.done
	// Until they are gone they hold the shared memory that the next start needs.
	waitGone(children)
}

// Tail is the end of what the child wrote in this run, at most lines lines.
func (p *Process) Tail(lines int) string {
	return tail(p.cfg.LogFile, p.logStart, lines)
}

// Failure describes a child that ended on its own, with the tail of its log.
func (p *Process) Failure() error {
	state := "ended"
	if err := p.Err(); err != nil {
		state = "ended with " + err.Error()
	}
	return fmt.Errorf("%s %s; the end of %s:\n%s", p.cfg.Name, state, p.cfg.LogFile, p.Tail(failureLines))
}

// failureLines is how much of a log an error quotes.
const failureLines = 15
