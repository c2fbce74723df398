package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"tandem.bank/deploy/local/process"
)

// Times a service is given. The first start also migrates.
const (
	serviceStartTimeout = 2 * time.Minute
	serviceStopTimeout  = 30 * time.Second
	healthTimeout       = 2 * time.Second
	healthInterval      = 50 * time.Millisecond
)

// Service is one of Tandem's own programs.
type Service struct {
	Name    string // crm or analytics
	Program string
	DataDir string // for its log
	Env     []string
	Health  string // URL that answers 200 when the service is ready

	process *process.Process
}

// Start returns when the service is healthy.
func (s *Service) Start(ctx context.Context) error {
	if _, err := os.Stat(s.Program); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the program of %s is missing (%s): run `make build`", s.Name, s.Program)
	}
	var err error
	s.process, err = process.Start(process.Config{
		Name: s.Name, Path: s.Program, Args: []string{"serve", "--migrate"},
		Env:     s.Env,
		LogFile: filepath.Join(s.DataDir, s.Name+".log"),
		// A service loses nothing by a kill; without its engines it must not linger when we are killed.
		StopSignal: syscall.SIGTERM, DeathSignal: syscall.SIGKILL, StopTimeout: serviceStopTimeout,
	})
	if err != nil {
		return err
	}
	if err := process.WaitReady(ctx, s.process, serviceStartTimeout, healthInterval, s.healthy); err != nil {
		s.process = nil
		return err
	}
	return nil
}

// healthy asks the service for its health.
func (s *Service) healthy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Health, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", s.Health, response.Status)
	}
	return nil
}

// Stop ends the service cleanly. Stopping what is not running does nothing.
func (s *Service) Stop(ctx context.Context) error {
	if s.process == nil {
		return nil
	}
	err := s.process.Stop(ctx)
	s.process = nil
	return err
}

// Kill ends the service as kill -9 does.
func (s *Service) Kill() {
	if s.process != nil {
		s.process.Kill()
		s.process = nil
	}
}

// Process is the running child, or nil.
func (s *Service) Process() *process.Process { return s.process }
