package rfm_test

import (
	"log/slog"
	"os"
	"testing"
	"time"

	"tandem.bank/services/analytics/internal/rfm"
	"tandem.bank/services/analytics/internal/warehouse"
)

func TestPerf(t *testing.T) {
	conn, err := warehouse.Open(warehouse.Config{URL: "clickhouse://default@127.0.0.1:19490/perf"})
	if err != nil {
		t.Fatal(err)
	}
	service, _ := rfm.New(rfm.Config{Warehouse: conn, NewestChange: time.Now, TimeZone: time.UTC, Logger: slog.New(slog.NewTextHandler(os.Stdout, nil))})
	s, _ := rfm.NewSettings(day("2026-10-31"), 0, nil)
	for range 3 {
		a := time.Now()
		run, err := service.Compute(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(time.Since(a), run.Customers)
	}
}
