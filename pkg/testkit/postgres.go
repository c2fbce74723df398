package testkit

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Template is a database with migrations applied, made once per process; the database of each test is
// a copy of it.
type Template struct {
	// Name tells templates apart; letters, digits and underscores.
	Name string
	// Migrate fills the empty database at url and closes its connections.
	Migrate func(ctx context.Context, url string) error
}

// PostgresDatabase makes a database for this test and returns its address; it is dropped at the end, with
// its replication slots. A zero Template gives an empty database. Slot names are shared by the whole
// server: a test must derive them from its database's name.
func PostgresDatabase(t testing.TB, template Template) string {
	t.Helper()
	server := postgresServer(t)
	ctx, cancel := context.WithTimeout(t.Context(), setupTimeout)
	defer cancel()

	name := server.prefix + random()
	create := "CREATE DATABASE " + name
	if template.Migrate != nil {
		source, err := server.template(ctx, template)
		if err != nil {
			t.Fatalf("migrate the template %s: %v", template.Name, err)
		}
		create += " TEMPLATE " + source
	}
	if err := server.exec(ctx, create); err != nil {
		t.Fatalf("create a database for the test: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
		defer cancel()
		if err := server.drop(ctx, name); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return server.address(name)
}

// Postgres is PostgresDatabase with a connection pool, closed at the end of the test.
func Postgres(t testing.TB, template Template) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), PostgresDatabase(t, template))
	if err != nil {
		t.Fatalf("connect to the test's database: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// postgres is the server and what this process has made in it.
type postgres struct {
	url    string
	prefix string // of all databases of this process
	owner  *pgx.Conn

	mu        sync.Mutex
	templates map[string]func() (string, error)
}

var (
	postgresOnce   sync.Once
	postgresShared *postgres
	errPostgres    error
)

// postgresServer connects once per process.
func postgresServer(t testing.TB) *postgres {
	t.Helper()
	server := address(t, postgresEnv)
	postgresOnce.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
		defer cancel()
		postgresShared, errPostgres = newPostgres(ctx, server)
	})
	if errPostgres != nil {
		t.Fatalf("Postgres does not answer (%v): run `make engines` first", errPostgres)
	}
	return postgresShared
}

// template makes the template at its first use.
func (p *postgres) template(ctx context.Context, template Template) (string, error) {
	p.mu.Lock()
	once, ok := p.templates[template.Name]
	if !ok {
		// The context of the first test must not fail the others.
		ctx := context.WithoutCancel(ctx)
		once = sync.OnceValues(func() (string, error) { return p.migrate(ctx, template) })
		p.templates[template.Name] = once
	}
	p.mu.Unlock()
	return once()
}

func (p *postgres) migrate(ctx context.Context, template Template) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	name := p.prefix + "template_" + template.Name
	if err := p.exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	return name, template.Migrate(ctx, p.address(name))
}

// address is the server's address with another database.
func (p *postgres) address(database string) string {
	parsed, err := url.Parse(p.url)
	if err != nil {
		return p.url // it was parsed when we connected
	}
	parsed.Path = "/" + database
	return parsed.String()
}

// exec runs one statement on a connection of its own: CREATE DATABASE takes long, and tests run in parallel.
func (p *postgres) exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, p.url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}
