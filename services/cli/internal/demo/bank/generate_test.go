package bank

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// goldenHash is of all files of a small bank. It changes only together with formatVersion: every machine and every
// release of Go has to make the same bytes.
const goldenHash = "15c20d0afc14b3d4014a283f475e9b870532b45d95d5db520b07ef37e23734ca"

func hashOf(t *testing.T, dir string) string {
	t.Helper()
	hash := sha256.New()
	for _, entry := range layout {
		content, err := os.ReadFile(filepath.Join(dir, entry.name+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		hash.Write(content)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

func TestSameSettingsGiveTheSameBytes(t *testing.T) {
	t.Parallel()
	cfg := Config{Customers: 150, Seed: 7}
	first, _ := generate(t, cfg)
	second, _ := generate(t, cfg)
	if a, b := hashOf(t, first), hashOf(t, second); a != b {
		t.Errorf("two runs differ: %s and %s", a, b)
	}
	if got := hashOf(t, first); got != goldenHash {
		t.Errorf("hash is %s, want %s", got, goldenHash)
	}
	cfg.Seed = 8
	if other, _ := generate(t, cfg); hashOf(t, other) == goldenHash {
		t.Error("another seed gives the same bank")
	}
}

func TestSmallerBankIsTheBeginningOfALargerOne(t *testing.T) {
	t.Parallel()
	small, _ := generate(t, Config{Customers: 70, Seed: 3})
	large, _ := generate(t, Config{Customers: 200, Seed: 3})
	for _, entry := range layout {
		beginning, err := os.ReadFile(filepath.Join(small, entry.name+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		whole, err := os.ReadFile(filepath.Join(large, entry.name+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(whole, beginning) {
			t.Errorf("%s.csv: the customers are others in a larger bank", entry.name)
		}
	}
}

func TestHistoryFollowsEndAndMonths(t *testing.T) {
	t.Parallel()
	dir, summary := generate(t, Config{Customers: 60, Seed: 5, Months: 3, End: time.Date(2024, 2, 29, 15, 0, 0, 0, time.UTC)})
	if summary.Start != "2023-12-01" || summary.End != "2024-02-29" {
		t.Errorf("history is %s to %s, want 2023-12-01 to 2024-02-29", summary.Start, summary.End)
	}
	each(t, dir, "transactions", func(r row) {
		if day := r["business_date"]; day < summary.Start || day > summary.End {
			t.Errorf("%s is on %s", r["id"], day)
		}
	})
	if summary.Rows("transactions") == 0 {
		t.Error("there are no transactions")
	}
}

// TestMemoryDoesNotGrow bounds what is allocated for one customer more. Live memory can't grow with less than it.
func TestMemoryDoesNotGrow(t *testing.T) { //nolint:paralleltest // measures the allocations of the whole process
	const few, many, bytesPerCustomer = 200, 2000, 6 << 10
	allocated := func(customers int) uint64 {
		var before, after runtime.MemStats
		dir := t.TempDir()
		runtime.ReadMemStats(&before)
		generate(t, Config{Customers: customers, Seed: 1, Dir: dir})
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	small, large := allocated(few), allocated(many)
	perCustomer := float64(large-small) / (many - few)
	t.Logf("%d bytes for %d customers, %d for %d: %.0f a customer", small, few, large, many, perCustomer)
	if perCustomer > bytesPerCustomer {
		t.Errorf("each further customer allocates %.0f bytes, want at most %d", perCustomer, bytesPerCustomer)
	}
}

func TestCompleteKnowsWhatAFolderHolds(t *testing.T) {
	t.Parallel()
	cfg := Config{Customers: 20, Seed: 9, Dir: t.TempDir()}
	if _, ok := Complete(cfg); ok {
		t.Error("an empty folder is complete")
	}
	_, made := generate(t, cfg)
	found, ok := Complete(cfg)
	if !ok || found.Rows("customers") != 20 || found.Rows("transactions") != made.Rows("transactions") {
		t.Errorf("Complete = %+v, %v", found, ok)
	}
	cfg.Seed++
	if _, ok := Complete(cfg); ok {
		t.Error("another bank passes for this one")
	}
}

func TestAStoppedRunLeavesNoSummary(t *testing.T) {
	t.Parallel()
	cfg := Config{Customers: 3000, Seed: 9, Dir: t.TempDir()}
	generate(t, Config{Customers: 20, Seed: 9, Dir: cfg.Dir})
	ctx, stop := context.WithCancel(t.Context())
	cfg.Progress = func(int) { stop() }
	if _, err := Generate(ctx, cfg); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want context.Canceled", err)
	}
	if _, err := os.Stat(filepath.Join(cfg.Dir, summaryFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the summary is still there: %v", err)
	}
}

func TestConfigNamesEachBrokenField(t *testing.T) {
	t.Parallel()
	_, err := Generate(t.Context(), Config{Customers: 0, Months: 999, End: time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC)})
	const want = "customers: must be 1 to 5000000, is 0\nmonths: must be 1 to 120, is 999\n" +
		"end: must be a day of 2000 to 2099, is 1950-01-01\ndir: must not be empty"
	if err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}
