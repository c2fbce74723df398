package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tandem.bank/pkg/date"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/warehousetest"
)

// Segments of customers are those of as_of: of followed ones by their log, of others by their newest run.
func TestSegmentsOfCustomers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5)
	for _, sql := range []string{
		`INSERT INTO segment_event (segment, customer_id, event_time, joined, as_of) VALUES
			('followed', 1, '2024-01-10 08:00:00', 1, '2024-01-10'), ('followed', 2, '2024-01-10 08:00:00', 1, '2024-01-10'),
			('followed', 1, '2024-03-01 08:00:00', 0, '2024-03-01')`,
		`INSERT INTO segment_run (run_id, segment, definition_version, as_of, customers, computed_time) VALUES
			('00000000-0000-7000-9000-000000000001', 'followed', 1, '2024-02-01', 1, '2024-02-01 08:00:00'),
			('00000000-0000-7000-9000-000000000002', 'run', 1, '2024-02-01', 2, '2024-02-01 08:00:00')`,
		`INSERT INTO segment_member (segment, as_of, run_id, customer_id) VALUES
			('followed', '2024-02-01', '00000000-0000-7000-9000-000000000001', 3),
			('run', '2024-02-01', '00000000-0000-7000-9000-000000000002', 1), ('run', '2024-02-01', '00000000-0000-7000-9000-000000000002', 4)`,
	} {
		if err := w.conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for asOf, want := range map[string]map[string]string{
		"2024-01-09": {},
		"2024-01-31": {"1": "followed", "2": "followed"},
		"2024-02-15": {"1": "followed + run", "2": "followed", "4": "run"},
		"2024-03-01": {"1": "run", "2": "followed", "4": "run"},
	} {
		a := w.ask(t, &definitionv1.ReportQuery{
			Measures: []string{"transactions"}, Dimensions: []string{"customer", "segment"}, AsOf: date.Proto(warehousetest.Day(asOf)),
			Filter: `segment:"followed" OR segment:"run"`,
		})
		got := map[string]string{}
		for _, row := range a.rows {
			got[row.GetCells()[0].GetKey()] = row.GetCells()[1].GetText()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", asOf, diff)
		}
	}
}
