package bank

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// row is one line of a file, by column.
type row map[string]string

func (r row) number(t *testing.T, column string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(r[column], 64)
	if err != nil {
		t.Fatalf("column %s: %v", column, err)
	}
	return x
}

// hundredths reads an amount exactly.
func (r row) hundredths(t *testing.T, column string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(strings.Replace(r[column], ".", "", 1), 10, 64)
	if err != nil {
		t.Fatalf("column %s: %v", column, err)
	}
	return n
}

// generate makes a bank in a folder of the test.
func generate(t *testing.T, cfg Config) (string, Summary) {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	summary, err := Generate(t.Context(), cfg)
	if err != nil {
		t.Fatalf("generate: %v", err)
	}
	return cfg.Dir, summary
}

// each reads a file row by row; the row is good until the next.
func each(t *testing.T, dir, name string, look func(row)) {
	t.Helper()
	file, err := os.Open(filepath.Join(dir, name+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	reader := csv.NewReader(bufio.NewReaderSize(file, 1<<20))
	columns, err := reader.Read()
	if err != nil {
		t.Fatal(err)
	}
	reader.ReuseRecord = true
	r := make(row, len(columns))
	for {
		fields, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i, column := range columns {
			r[column] = fields[i]
		}
		look(r)
	}
}

const sharedCustomers = 4000

var shared struct {
	once    sync.Once
	dir     string
	summary Summary
	err     error
}

// sharedBank is a bank that several tests look at.
func sharedBank(t *testing.T) (string, Summary) {
	t.Helper()
	shared.once.Do(func() {
		shared.dir, shared.err = os.MkdirTemp("", "tandem-bank-")
		if shared.err == nil {
			shared.summary, shared.err = Generate(t.Context(), Config{Customers: sharedCustomers, Seed: 11, Dir: shared.dir})
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.dir, shared.summary
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.dir != "" {
		_ = os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}
