package clv_test

import (
	"context"
	"testing"
	"time"

	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/warehousetest"
)

// A run that is broken off, wherever it is, leaves nothing to be seen; asked for again, it is done.
func TestBrokenOff(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.load(t, random(3, 200)...)
	request := &analyticsv1.RunClvRequest{
		AsOf: date.Proto(warehousetest.Day("2024-01-15")), Settings: &definitionv1.ClvDefinition{Models: []definitionv1.ClvModel{bgNBD}},
	}
	broken := 0
	for patience := time.Millisecond; ; patience = patience * 3 / 2 {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		answer, err := b.server.RunClv(ctx, request)
		cancel()
		list, listed := b.server.ListClvRuns(t.Context(), &analyticsv1.ListClvRunsRequest{})
		if listed != nil {
			t.Fatal(listed)
		}
		if err == nil {
			if len(list.GetRuns()) != 1 || len(b.values(t, answer.GetRun(), byNumber, 1000)) != int(answer.GetRun().GetCustomers()) {
				t.Errorf("runs %v", list.GetRuns())
			}
			break
		}
		broken++
		if len(list.GetRuns()) != 0 {
			// The row of a run may be stored while its caller goes; then the next one finds it.
			if answer, err = b.server.RunClv(t.Context(), request); err != nil || answer.GetRun().GetRunId() != list.GetRuns()[0].GetRunId() {
				t.Errorf("%v, %v", answer, err)
			}
			break
		}
	}
	t.Logf("broken off %d times", broken)
	if broken < 5 {
		t.Errorf("broken off %d times only", broken)
	}
}
