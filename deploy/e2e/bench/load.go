package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem.bank/deploy/e2e/bench/benchkit"
)

// loaded is what the folder of the data keeps about the load.
type loaded struct {
	Customers int               `json:"customers"`
	Results   []benchkit.Result `json:"results"`
}

// loadOnce loads the bank unless the folder of the data has it.
func loadOnce(ctx context.Context, config Config, s *stack) ([]benchkit.Result, error) {
	note := filepath.Join(s.work, "loaded.json")
	text, err := os.ReadFile(note)
	if errors.Is(err, fs.ErrNotExist) {
		results, err := load(ctx, config, s)
		if err != nil {
			return nil, err
		}
		if text, err = json.Marshal(loaded{config.Customers, results}); err != nil {
			return nil, err
		}
		return results, os.WriteFile(note, text, 0o600)
	}
	if err != nil {
		return nil, err
	}
	var before loaded
	if err := json.Unmarshal(text, &before); err != nil {
		return nil, fmt.Errorf("%s: %w", note, err)
	}
	if before.Customers != config.Customers {
		return nil, fmt.Errorf("%s holds %d customers, not %d", s.work, before.Customers, config.Customers)
	}
	benchkit.Say("the bank was loaded before: the figure of its import is of that time")
	return before.Results, nil
}

// load brings the bank in by the importer, and measures the customers among it against COPY.
func load(ctx context.Context, config Config, s *stack) ([]benchkit.Result, error) {
	var before, after []string
	var customers string
	for _, f := range bankFiles(config.Customers) {
		path, err := f.write(s.work)
		if err != nil {
			return nil, err
		}
		switch {
		case f.name == customersFile:
			customers = path
		case customers == "":
			before = append(before, path)
		default:
			after = append(after, path)
		}
	}
	benchkit.Say("importing what customers refer to")
	if err := s.importFiles(ctx, before...); err != nil {
		return nil, err
	}
	benchkit.Say("importing %d customers", config.Customers)
	begun := time.Now()
	if err := s.importFiles(ctx, customers); err != nil {
		return nil, err
	}
	imported := float64(config.Customers) / time.Since(begun).Seconds()
	benchkit.Say("copying the same rows")
	copied, err := copyCustomers(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("copy customers: %w", err)
	}
	benchkit.Say("importing accounts, cards, contracts and interactions")
	if err := s.importFiles(ctx, after...); err != nil {
		return nil, err
	}
	return []benchkit.Result{benchkit.RatioAtLeast("import of customers, against COPY", imported, copied, "rows/s", 0.2)}, nil
}

// copyCustomers brings the same rows into a table of the same kind by COPY, and returns the rows a second.
func copyCustomers(ctx context.Context, s *stack) (rate float64, err error) {
	conn, err := pgx.Connect(ctx, s.postgres.URL())
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	path := filepath.Join(s.work, "customers.copy")
	if err := copyOut(ctx, conn, path); err != nil {
		return 0, err
	}
	_, err = conn.Exec(ctx, `CREATE TABLE customer_copy (LIKE customer INCLUDING ALL);
ALTER TABLE customer_copy ADD FOREIGN KEY (region_id) REFERENCES region, ADD FOREIGN KEY (branch_id) REFERENCES branch,
    ADD FOREIGN KEY (manager_id) REFERENCES manager`)
	if err != nil {
		return 0, err
	}
	in, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = in.Close() }()
	begun := time.Now()
	tag, err := conn.PgConn().CopyFrom(ctx, in, "COPY customer_copy FROM STDIN (FORMAT binary)")
	if err != nil {
		return 0, err
	}
	rate = float64(tag.RowsAffected()) / time.Since(begun).Seconds()
	_, err = conn.Exec(ctx, "DROP TABLE customer_copy")
	return rate, err
}

func copyOut(ctx context.Context, conn *pgx.Conn, path string) error {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = conn.PgConn().CopyTo(ctx, out, "COPY customer TO STDOUT (FORMAT binary)")
	return errors.Join(err, out.Close())
}
