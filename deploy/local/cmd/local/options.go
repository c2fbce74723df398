package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"tandem.bank/deploy/local/folder"
	"tandem.bank/deploy/local/project"
	"tandem.bank/deploy/local/stack"
)

// options are shared by all commands.
type options struct {
	Root string `help:"Root of the project; found from the working folder." env:"TANDEM_ROOT" type:"path"`
	Data string `help:"Data folder (default: .local/data in the project)." env:"TANDEM_DATA" type:"path"`

	EphemeralPorts bool `help:"Use free ports where none is given, instead of the usual ones."`
	Throwaway      bool `help:"For tests: do not wait for the disk, and remove the data folder at the end when --data does not name one."`

	PostgresPort       int `help:"Port of Postgres (default: 7432)." env:"TANDEM_POSTGRES_PORT"`
	NatsPort           int `help:"Port of NATS (default: 7422)." env:"TANDEM_NATS_PORT"`
	ClickhousePort     int `help:"Native port of ClickHouse (default: 7490)." env:"TANDEM_CLICKHOUSE_PORT"`
	ClickhouseHTTPPort int `help:"HTTP port of ClickHouse (default: 7423)." name:"clickhouse-http-port" env:"TANDEM_CLICKHOUSE_HTTP_PORT"`

	ClickhouseShards int `help:"Servers of ClickHouse that share the rows as a cluster." default:"1" env:"TANDEM_CLICKHOUSE_SHARDS"`

	PostgresURL       string `help:"Use this Postgres instead of starting one." name:"postgres-url" env:"TANDEM_POSTGRES_URL"`
	NatsURL           string `help:"Use this NATS instead of starting one." name:"nats-url" env:"TANDEM_NATS_URL"`
	ClickhouseURL     string `help:"Use this ClickHouse (clickhouse://…) instead of starting one." name:"clickhouse-url" env:"TANDEM_CLICKHOUSE_URL"`
	ClickhouseHTTPURL string `help:"HTTP address of that ClickHouse." name:"clickhouse-http-url" env:"TANDEM_CLICKHOUSE_HTTP_URL"`
}

// projectRoot is the given folder or the one found from the working folder.
func projectRoot(given string) (string, error) {
	if given != "" {
		return given, nil
	}
	working, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the working folder: %w", err)
	}
	return project.Root(working)
}

// workspace is the data folder of one run with its clean-up.
type workspace struct {
	root   string
	data   *folder.Folder
	remove bool
}

// open finds the project and takes the data folder.
func (o *options) open() (*workspace, error) {
	root, err := projectRoot(o.Root)
	if err != nil {
		return nil, err
	}
	w := &workspace{root: root}
	dir := o.Data
	switch {
	case dir != "":
	case o.Throwaway:
		if dir, err = temporaryData(root); err != nil {
			return nil, err
		}
		w.remove = true
	default:
		dir = filepath.Join(root, ".local", "data")
	}
	w.data, err = folder.Open(dir, folder.FreeBytesMin)
	if err != nil {
		return nil, err
	}
	return w, nil
}

// temporaryData makes a folder for one run.
func temporaryData(root string) (string, error) {
	parent := filepath.Join(root, ".local", "test")
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", fmt.Errorf("create a data folder for this run: %w", err)
	}
	dir, err := os.MkdirTemp(parent, "run-")
	if err != nil {
		return "", fmt.Errorf("create a data folder for this run: %w", err)
	}
	return dir, nil
}

// close gives the data folder back, and removes one that was made for this run only.
func (w *workspace) close() error {
	var err error
	if w.remove {
		err = w.data.Remove()
	}
	err = errors.Join(err, w.data.Close())
	return err
}

// engines is the configuration of the engines in the workspace.
func (o *options) engines(w *workspace) stack.EnginesConfig {
	return stack.EnginesConfig{
		Root: w.root, DataDir: w.data.Path(), Throwaway: o.Throwaway,
		PostgresURL: o.PostgresURL, NATSURL: o.NatsURL,
		ClickHouseURL: o.ClickhouseURL, ClickHouseHTTPURL: o.ClickhouseHTTPURL,
		PostgresPort: o.port(o.PostgresPort, 7432), NATSPort: o.port(o.NatsPort, 7422),
		ClickHouseShards: o.ClickhouseShards,
		ClickHousePort:   o.port(o.ClickhousePort, 7490), ClickHouseHTTPPort: o.port(o.ClickhouseHTTPPort, 7423),
	}
}

// port is the given port, or the usual one, or 0 for a free one.
func (o *options) port(given, usual int) int {
	if given == 0 && !o.EphemeralPorts {
		return usual
	}
	return given
}
