package benchkit

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"tandem.bank/deploy/local/stack"
)

// Stack is a running stack with connections to its analytical half.
type Stack struct {
	// Root is the folder of the project.
	Root string
	// Addresses are those of engines and services, and the file of the key, by the names of their variables.
	Addresses map[string]string
	// Warehouse is a connection to ClickHouse, to the database of the service.
	Warehouse driver.Conn
	// Analytics is a connection to the service, as an administrator.
	Analytics *grpc.ClientConn
}

// WithStack works with a stack of its own, and leaves nothing of it. The settings are those of queries over Warehouse.
func WithStack(ctx context.Context, settings clickhouse.Settings, work func(context.Context, *Stack) error) error {
	return InFolder("", func(root, folder string) (err error) {
		s, err := stack.New(stack.Config{
			Engines:    stack.EnginesConfig{Root: root, DataDir: filepath.Join(folder, "data"), Throwaway: true},
			CRMProgram: filepath.Join(root, "bin", "crm"), AnalyticsProgram: filepath.Join(root, "bin", "analytics"),
			BaseCurrency: "CZK", TimeZone: "Europe/Prague",
		})
		if err != nil {
			return err
		}
		if err := s.Start(ctx); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.Stop(context.WithoutCancel(ctx))) }()
		connected, err := connect(root, s, settings)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, connected.Analytics.Close(), connected.Warehouse.Close()) }()
		return work(ctx, connected)
	})
}

func connect(root string, s *stack.Stack, settings clickhouse.Settings) (*Stack, error) {
	out := &Stack{Root: root, Addresses: map[string]string{}}
	for _, line := range s.Addresses() {
		name, value, _ := strings.Cut(line, "=")
		out.Addresses[name] = value
	}
	options, err := clickhouse.ParseDSN(out.Addresses["TANDEM_CLICKHOUSE_URL"])
	if err != nil {
		return nil, err
	}
	options.Auth.Database, options.ReadTimeout, options.Settings = "tandem", time.Hour, settings
	if out.Warehouse, err = clickhouse.Open(options); err != nil {
		return nil, err
	}
	out.Analytics, err = Dial(out.Addresses["TANDEM_ANALYTICS_ADDR"], out.Addresses["TANDEM_KEY_FILE"])
	return out, err
}

// Windows of a call and of a connection: how much of answers may be on its way. Said once, they hold; windows that gRPC finds
// by itself send a ping beside each call, and the server has to answer it.
const (
	streamWindow     = 1 << 20
	connectionWindow = 4 << 20
)

// Dial opens a connection to a service, as an administrator. The file holds the key that the services trust.
func Dial(address, keyFile string) (*grpc.ClientConn, error) {
	caller, err := administrator(keyFile)
	if err != nil {
		return nil, err
	}
	return grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithPerRPCCredentials(caller),
		grpc.WithStaticStreamWindowSize(streamWindow), grpc.WithStaticConnWindowSize(connectionWindow))
}

// Fill runs a statement for the customers part by part, which bounds the memory of the generator: {first} is how many came
// before, {customers} how many come now.
func (s *Stack) Fill(ctx context.Context, statement string, customers int) error {
	const atOnce = 100_000
	for first := 0; first < customers; first += atOnce {
		if err := s.Warehouse.Exec(ctx, statement,
			clickhouse.Named("first", first), clickhouse.Named("customers", min(atOnce, customers-first))); err != nil {
			return err
		}
	}
	return nil
}

// Part is one measurement of several.
type Part struct {
	Name string
	Work func(context.Context) error
}

// InTurn takes measurements one after the other, and names the one that failed.
func InTurn(ctx context.Context, parts ...Part) error {
	for _, part := range parts {
		if err := part.Work(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.Name, err)
		}
	}
	return nil
}
