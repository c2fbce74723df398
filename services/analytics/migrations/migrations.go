// Package migrations holds the tables of the warehouse and the views for analysts as ClickHouse DDL, and applies them. They
// only go forward: a mistake is corrected by the next file. What SQL alone can't do is a step.
package migrations

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/pressly/goose/v3"

	"tandem.bank/pkg/clickhousex"
)

// versionTable is where goose keeps what was applied, in the warehouse's database.
const versionTable = "goose_db_version"

//go:embed *.sql step/*.sql
var files embed.FS

// ErrPending says that the warehouse lacks migrations that this program needs.
var ErrPending = errors.New("migrations are not applied: run `analytics migrate`")

// Migrate makes the database of the address and its BIDatabase when they are missing, and brings tables and views up to date;
// with a cluster in the address, on each of its servers. It may run at any time and twice: each statement does nothing when its work is done.
func Migrate(ctx context.Context, url string) error {
	address, err := clickhousex.Parse(url)
	if err != nil {
		return err
	}
	names, err := databasesOf(&address.Options)
	if err != nil {
		return err
	}
	if address.Cluster != "" {
		return migrateCluster(ctx, address, names)
	}
	if err := createDatabases(ctx, address.Options, names.warehouse, names.bi); err != nil {
		return err
	}
	if err := shareProcessors(ctx, address.Options); err != nil {
		return err
	}
	return apply(ctx, address.Options, filled{FS: files, databases: names}, func(context.Context) error { return nil })
}

// apply runs the migrations of a folder that are missing, and after each of them what else has to follow it.
func apply(ctx context.Context, options clickhouse.Options, folder filled, follow func(context.Context) error) error {
	db := clickhouse.OpenDB(&options)
	defer func() { _ = db.Close() }()
	provider, err := goose.NewProvider(goose.DialectClickHouse, db, folder, goose.WithGoMigrations(goMigrations(folder)...))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	// What a run that was cut off left to do comes first.
	for {
		if err := follow(ctx); err != nil {
			return err
		}
		_, err := provider.UpByOne(ctx)
		if errors.Is(err, goose.ErrNoNextVersion) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("apply migrations: %w", err)
		}
	}
}

// Latest is the version of the newest migration that this program knows.
func Latest() (int64, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return 0, err
	}
	var latest int64
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return 0, fmt.Errorf("name of migration %s: %w", name, err)
		}
		latest = max(latest, version)
	}
	for version := range steps {
		latest = max(latest, version)
	}
	return latest, nil
}

// Check returns ErrPending unless every migration is applied. It asks one small question, so that a health page may
// call it each time.
func Check(ctx context.Context, conn driver.Conn) error {
	latest, err := Latest()
	if err != nil {
		return err
	}
	var applied int64
	// The database may be new and empty: then the table of versions is not there either.
	const exists = "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = ?"
	var tables uint64
	if err := conn.QueryRow(ctx, exists, versionTable).Scan(&tables); err != nil {
		return fmt.Errorf("look for applied migrations: %w", err)
	}
	if tables == 0 {
		return ErrPending
	}
	// In a cluster each server has its own list, and the one that is furthest behind counts.
	const behind = "SELECT min(newest) FROM (SELECT max(version_id) AS newest FROM " + versionTable + " GROUP BY hostName(), tcpPort())"
	if err := conn.QueryRow(ctx, behind).Scan(&applied); err != nil {
		return fmt.Errorf("read applied migrations: %w", err)
	}
	if applied < latest {
		return fmt.Errorf("%w (at %d, need %d)", ErrPending, applied, latest)
	}
	return nil
}

// createDatabases connects without a database, because the ones wanted may not exist.
func createDatabases(ctx context.Context, options clickhouse.Options, names ...string) error {
	options.Auth.Database = ""
	conn, err := clickhouse.Open(&options)
	if err != nil {
		return fmt.Errorf("connect to clickhouse: %w", err)
	}
	defer func() { _ = conn.Close() }()
	for _, name := range names {
		if err := conn.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+quote(name)+" ENGINE = Atomic"); err != nil {
			return fmt.Errorf("create database %s: %w", name, err)
		}
	}
	return nil
}

// quote makes a name safe in a statement.
func quote(name string) string {
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(name) + "`"
}
