package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"tandem.bank/deploy/local/engine"
	local "tandem.bank/deploy/local/stack"
	"tandem.bank/pkg/auth"
)

// stack is the operational half alone: analytics would compete for the machine and is no part of what is measured.
// Postgres waits for the disk at every commit, as a bank's does; both sides of each ratio pay for that.
type stack struct {
	root, work string
	postgres   *engine.Postgres
	nats       *engine.NATS
	crm        *local.Service
	crmAddr    string
	keyFile    string
	stops      []func(context.Context) error
}

func startStack(ctx context.Context, root, work string) (*stack, error) {
	data := filepath.Join(work, "data")
	s := &stack{
		root: root, work: work,
		postgres: engine.NewPostgres(engine.PostgresConfig{
			DataDir: filepath.Join(data, "postgres"), ConfigFile: filepath.Join(root, "deploy", "postgres", "postgresql.conf"),
			Packages: engine.Packages{Dir: filepath.Join(root, "deploy", "local", "engines")},
		}),
		nats: engine.NewNATS(engine.NATSConfig{
			DataDir: filepath.Join(data, "nats"), ConfigFile: filepath.Join(root, "deploy", "nats", "nats.conf"),
		}),
	}
	for _, one := range []engine.Engine{s.postgres, s.nats} {
		if err := one.Start(ctx); err != nil {
			return nil, errors.Join(err, s.stop(context.WithoutCancel(ctx)))
		}
		s.stops = append(s.stops, one.Stop)
	}
	if err := s.startCRM(ctx, filepath.Join(data, "crm")); err != nil {
		return nil, errors.Join(err, s.stop(context.WithoutCancel(ctx)))
	}
	return s, nil
}

func (s *stack) startCRM(ctx context.Context, data string) error {
	var grpcPort, httpPort int
	err := engine.ChoosePorts(ctx,
		engine.Port{Name: "crm", Flag: "", Number: &grpcPort}, engine.Port{Name: "crm HTTP", Flag: "", Number: &httpPort})
	if err != nil {
		return err
	}
	s.crmAddr = net.JoinHostPort("127.0.0.1", strconv.Itoa(grpcPort))
	httpAddr := net.JoinHostPort("127.0.0.1", strconv.Itoa(httpPort))
	var publicKeys string
	if s.keyFile, publicKeys, err = auth.EnsureKeyPair(filepath.Join(s.work, "secrets")); err != nil {
		return err
	}
	s.crm = &local.Service{
		Name: "crm", Program: filepath.Join(s.root, "bin", "crm"), DataDir: data, Health: "http://" + httpAddr + "/healthz",
		Env: append(os.Environ(),
			"CRM_GRPC_ADDR="+s.crmAddr, "CRM_HTTP_ADDR="+httpAddr, "CRM_POSTGRES_URL="+s.postgres.URL(),
			"CRM_NATS_URL="+s.nats.URL(), "CRM_BASE_CURRENCY=CZK", "CRM_TIME_ZONE=Europe/Prague",
			"CRM_AUTH_KEYS_FILE="+publicKeys),
	}
	if err := s.crm.Start(ctx); err != nil {
		return err
	}
	s.stops = append(s.stops, s.crm.Stop)
	return nil
}

func (s *stack) stop(ctx context.Context) error {
	var failures []error
	for _, stop := range slices.Backward(s.stops) {
		failures = append(failures, stop(ctx))
	}
	return errors.Join(failures...)
}

// importFiles runs the importer, the way a bank's data come in.
func (s *stack) importFiles(ctx context.Context, files ...string) error {
	args := append([]string{
		"import", "--mapping", "demo",
		"--errors-dir", filepath.Join(s.work, "errors"), "--state-dir", filepath.Join(s.work, "state"),
	}, files...)
	cmd := exec.CommandContext(ctx, filepath.Join(s.root, "bin", "tandem"), args...)
	cmd.Env = append(os.Environ(), "TANDEM_CRM_ADDR="+s.crmAddr, "TANDEM_KEY_FILE="+s.keyFile)
	cmd.Stderr = os.Stderr // its progress
	var out strings.Builder
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("import: %w\n%s", err, out.String())
	}
	return nil
}
