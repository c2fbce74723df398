package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/jackc/pgx/v5"

	"tandem.bank/deploy/local/process"
)

// PostgresConfig describes the local Postgres server.
type PostgresConfig struct {
	Port       int    // 0: a free one
	DataDir    string // the cluster and the log
	ConfigFile string // deploy/postgres/postgresql.conf
	Packages   Packages
	Throwaway  bool // tests only: fast, and lost when the machine stops
}

// Names created in a new cluster; the container is given the same. The user is the cluster's superuser; the service's role
// owns the database and may replicate from it, and no more.
const (
	postgresUser     = "tandem"
	postgresDatabase = "tandem"
	postgresService  = "crm"
)

// Postgres is a Postgres server. Everybody on this machine may connect, nobody from outside.
type Postgres struct {
	cfg   PostgresConfig
	child *process.Process
	// owner of the application's database: the service's role, and the superuser in a cluster that is older than the role.
	owner string
}

// NewPostgres prepares the engine; nothing runs before Start.
func NewPostgres(cfg PostgresConfig) *Postgres { return &Postgres{cfg: cfg} }

// Name is the word for the engine in messages.
func (*Postgres) Name() string { return "Postgres" }

// URL is the address of the superuser, for tests and for people.
func (p *Postgres) URL() string { return databaseURL(p.cfg.Port, postgresUser, postgresDatabase) }

// ServiceURL is the address for crm: the owner of its database, once the server has started.
func (p *Postgres) ServiceURL() string { return databaseURL(p.cfg.Port, p.owner, postgresDatabase) }

func databaseURL(port int, user, database string) string {
	address := url.URL{
		Scheme: "postgres", User: url.User(user),
		Host: net.JoinHostPort(loopback, strconv.Itoa(port)), Path: database,
		RawQuery: "sslmode=disable",
	}
	return address.String()
}

// Process is the running child, or nil.
func (p *Postgres) Process() *process.Process { return p.child }

// Start creates the cluster at the first time and returns when the server takes queries.
func (p *Postgres) Start(ctx context.Context) error {
	if err := ChoosePorts(ctx, Port{"Postgres", "--postgres-port", &p.cfg.Port}); err != nil {
		return err
	}
	account, err := postgresAccount()
	if err != nil {
		return err
	}
	programs, err := p.programs(account)
	if err != nil {
		return err
	}
	cluster, err := openCluster(filepath.Join(p.cfg.DataDir, "data"), account)
	if err != nil {
		return err
	}
	defer cluster.close()
	if err := p.initialise(ctx, programs, cluster); err != nil {
		return err
	}
	if err := cluster.install(p.cfg.ConfigFile); err != nil {
		return err
	}

	child := p.command(filepath.Join(programs, "bin", "postgres"), cluster)
	child.Args = p.serverArgs(cluster)
	p.child, err = process.Start(child)
	if err != nil {
		return err
	}
	if err := process.WaitReady(ctx, p.child, startTimeout, pingInterval, p.prepare); err != nil {
		p.child = nil
		return err
	}
	return nil
}

// serverArgs is the command line of the server.
func (p *Postgres) serverArgs(c *cluster) []string {
	args := []string{
		"-D", c.path,
		"-c", "config_file=" + filepath.Join(c.path, configName),
		"-c", "listen_addresses=" + loopback,
		"-c", "port=" + strconv.Itoa(p.cfg.Port),
		"-c", "unix_socket_directories=", // TCP only: a socket would need one more folder
	}
	if p.cfg.Throwaway {
		args = append(args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
			"-c", "max_connections=400")
	}
	return args
}

// initialise runs initdb in an empty cluster folder.
func (p *Postgres) initialise(ctx context.Context, programs string, c *cluster) error {
	if c.initialised() {
		return nil
	}
	child := p.command(filepath.Join(programs, "bin", "initdb"), c)
	child.Args = []string{
		"-D", c.path, "--username=" + postgresUser, "--auth=trust", "--encoding=UTF8",
		// One sort order everywhere, from Postgres itself and not from the machine's C library…
		"--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
		// …but letters beyond ASCII are letters for pg_trgm.
		"--lc-ctype=" + ctype(),
		"--no-instructions",
	}
	if p.cfg.Throwaway {
		child.Args = append(child.Args, "--no-sync")
	}
	child.DeathSignal = syscall.SIGKILL
	initdb, err := process.Start(child)
	if err != nil {
		return err
	}
	select {
	case <-initdb.Done():
	case <-ctx.Done():
		initdb.Kill()
		return fmt.Errorf("create the Postgres cluster: %w", ctx.Err())
	}
	if initdb.Err() != nil {
		return fmt.Errorf("create the Postgres cluster: %w", initdb.Failure())
	}
	return nil
}

// command is what initdb and the server have in common.
func (p *Postgres) command(path string, c *cluster) process.Config {
	return process.Config{
		Name: "Postgres", Path: path, Env: childEnv(),
		// Not the parent's folder: the unprivileged account may not be allowed to be there.
		Dir:     "/",
		LogFile: filepath.Join(p.cfg.DataDir, "postgres.log"),
		Account: c.account, Files: c.files(),
		// SIGINT is the fast shutdown. A dead parent waits for nobody, therefore the immediate one.
		StopSignal: syscall.SIGINT, DeathSignal: syscall.SIGQUIT, StopTimeout: stopTimeout,
	}
}

// prepare is the readiness ping; it also creates the application's role and database at the first time.
func (p *Postgres) prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, databaseURL(p.cfg.Port, postgresUser, "postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	owner := "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = $1"
	err = conn.QueryRow(ctx, owner, postgresDatabase).Scan(&p.owner)
	if !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", postgresService).Scan(&exists); err != nil {
		return err
	}
	if !exists {
		if _, err := conn.Exec(ctx, "CREATE ROLE "+postgresService+" LOGIN REPLICATION"); err != nil {
			return err
		}
	}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+postgresDatabase+" OWNER "+postgresService); err != nil {
		return err
	}
	p.owner = postgresService
	return nil
}

// PingPostgres runs the smallest query on a Postgres server.
func PingPostgres(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	return conn.Ping(ctx)
}

// Stop ends the server cleanly.
func (p *Postgres) Stop(ctx context.Context) error { return stopChild(ctx, &p.child) }

// Kill ends the server and its backends as kill -9 does.
func (p *Postgres) Kill() { killChild(&p.child) }

// programs is the folder with the server's programs, at a place the account can read.
func (p *Postgres) programs(account *process.Account) (string, error) {
	dir, err := p.cfg.Packages.postgres()
	if err != nil {
		return "", err
	}
	if account == nil || reachable(filepath.Join(dir, "bin")) {
		return dir, nil
	}
	return copyPrograms(dir)
}

// configName is our configuration inside the cluster folder, beside Postgres's own file.
const configName = "tandem.conf"

// install copies our configuration into the cluster, where the account can read it.
func (c *cluster) install(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the Postgres configuration: %w", err)
	}
	target := filepath.Join(c.dir, configName)
	if err := os.WriteFile(target, text, 0o600); err != nil {
		return fmt.Errorf("write the Postgres configuration: %w", err)
	}
	if c.account != nil {
		return own(target, c.account)
	}
	return nil
}
