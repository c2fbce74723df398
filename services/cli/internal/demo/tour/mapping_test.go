package tour

import (
	"bytes"
	"testing"
	"time"

	"tandem.bank/services/cli/internal/demo/bank"
	"tandem.bank/services/cli/internal/importer"
	"tandem.bank/services/cli/internal/mapping"
)

// TestMappingTakesEveryRow sends a generated bank through the built-in mapping and the rules of the contracts, without a
// service: no row is refused, no reference leads nowhere, no file is left over.
func TestMappingTakesEveryRow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	made, err := bank.Generate(t.Context(), bank.Config{Customers: 400, Seed: 21, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	m, err := mapping.Open(bank.Source)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	summary, err := importer.Run(t.Context(), importer.Config{
		Mapping: m, Paths: []string{dir}, BatchRows: 1000, InFlight: 1, Offline: true,
		ErrorsDir: t.TempDir(), Progress: importer.NewLines(&said, time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(summary.Unmatched)+len(summary.Missing)+summary.UnknownReferences > 0 {
		t.Errorf("unmatched %v, missing %v, %d unknown references", summary.Unmatched, summary.Missing, summary.UnknownReferences)
	}
	want := int64(0)
	for _, file := range made.Files {
		if file.Name != "truth" {
			want += file.Rows
		}
	}
	if total := summary.Total(); total.Rows() != want || total.Rejected > 0 || total.Passed != 0 {
		t.Errorf("counts are %+v, want %d rows and none rejected\n%s", total, want, said.String())
	}
}
