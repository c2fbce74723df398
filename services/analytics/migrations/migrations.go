// Package migrations holds the tables of the warehouse and the views for analysts as ClickHouse DDL, and applies them. They
// only go forward: a mistake is corrected by the next file.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/pressly/goose/v3"
)

// versionTable is where goose keeps what was applied, in the warehouse's database.
const versionTable = "goose_db_version"

//go:embed *.sql
var files embed.FS

// ErrPending says that the warehouse lacks migrations that this program needs.
var ErrPending = errors.New("migrations are not applied: run `analytics migrate`")

// Migrate makes the database of the address and its BIDatabase when they are missing, and brings tables and views up to date.
// It may run at any time and twice: each statement does nothing when its work is done.
func Migrate(ctx context.Context, url string) error {
	options, err := clickhouse.ParseDSN(url)
	if err != nil {
		return fmt.Errorf("clickhouse url: %w", err)
	}
	names, err := databasesOf(options)
	if err != nil {
		return err
	}
	if err := createDatabases(ctx, *options, names); err != nil {
		return err
	}
	db := clickhouse.OpenDB(options)
	defer func() { _ = db.Close() }()
	provider, err := newProvider(db, names)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("apply migrations: %w", err)
	}
	return nil
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
	if err := conn.QueryRow(ctx, "SELECT max(version_id) FROM "+versionTable).Scan(&applied); err != nil {
		return fmt.Errorf("read applied migrations: %w", err)
	}
	if applied < latest {
		return fmt.Errorf("%w (at %d, need %d)", ErrPending, applied, latest)
	}
	return nil
}

func newProvider(db *sql.DB, names databases) (*goose.Provider, error) {
	provider, err := goose.NewProvider(goose.DialectClickHouse, db, filled{FS: files, databases: names})
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return provider, nil
}

// createDatabases connects without a database, because the one wanted may not exist.
func createDatabases(ctx context.Context, options clickhouse.Options, names databases) error {
	options.Auth.Database = ""
	conn, err := clickhouse.Open(&options)
	if err != nil {
		return fmt.Errorf("connect to clickhouse: %w", err)
	}
	defer func() { _ = conn.Close() }()
	for name, comment := range map[string]string{
		names.warehouse: "The warehouse: tables of records as ingestion and runs write them",
		names.bi:        "A star schema for analysts and their tools: views with duplicates and deletions resolved, without personal data",
	} {
		if err := conn.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+name+" ENGINE = Atomic COMMENT '"+comment+"'"); err != nil {
			return fmt.Errorf("create database %s: %w", name, err)
		}
	}
	return nil
}
