package rfm_test

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// A run that is broken off, wherever it is, leaves nothing to be seen; asked for again, it is done.
func TestBrokenOff(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.load(t, newWorld(7).changes()...)
	request := &analyticsv1.RunRfmRequest{AsOf: dateProto(asOf), WindowDays: windowDays}
	broken := 0
	for patience := time.Millisecond; ; patience = patience * 3 / 2 {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		answer, err := b.server().RunRfm(ctx, request)
		cancel()
		if err == nil {
			if rows := b.all(t, "", analyticsv1.RfmOrder_RFM_ORDER_BEST_FIRST, 0); len(rows) != int(answer.GetRun().GetCustomers()) {
				t.Errorf("%d scores of %d customers", len(rows), answer.GetRun().GetCustomers())
			}
			break
		}
		broken++
		_, seen := b.server().GetRfmRun(t.Context(), &analyticsv1.GetRfmRunRequest{})
		if seen == nil {
			break // the row was stored while its caller went
		}
		if code(seen) != codes.NotFound {
			t.Fatal(seen)
		}
	}
	t.Logf("broken off %d times", broken)
	if broken < 4 {
		t.Errorf("broken off %d times only", broken)
	}
}
