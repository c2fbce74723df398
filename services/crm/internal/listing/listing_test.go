package listing_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/testkit"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/listing"
	"tandem.bank/services/crm/migrations"
)

// A list that takes too long is refused with an advice, and Postgres stops working on it.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	pool := testkit.Postgres(t, testkit.Template{Name: "crm", Migrate: migrations.Migrate})
	advice := func() string { return "narrow the filter" }
	sleep := func(ctx context.Context) error {
		_, err := pool.Exec(ctx, "SELECT pg_sleep(3600) /* a long list */")
		return err
	}
	err := listing.Within(t.Context(), 50*time.Millisecond, advice, sleep)
	var refused *apperr.Error
	if !errors.As(err, &refused) || refused.Code != codes.FailedPrecondition || refused.Reason != apperr.ReasonListTooLarge ||
		!strings.Contains(refused.Message, "narrow the filter") {
		t.Errorf("refused with %v", err)
	}
	testkit.Eventually(t, time.Minute, func() error {
		var working int
		err := pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND state = 'active' AND query LIKE 'SELECT pg_sleep%'`).Scan(&working)
		if err == nil && working > 0 {
			err = errors.New("Postgres works on")
		}
		return err
	})

	// Who hangs up is not told that the list is too large, and neither is who made a mistake.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := listing.Within(ctx, time.Minute, advice, sleep); errors.As(err, &refused) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the caller's own deadline: %v", err)
	}
	mistake := errors.New("mistake")
	if err := listing.Within(t.Context(), time.Minute, advice, func(context.Context) error { return mistake }); !errors.Is(err, mistake) {
		t.Errorf("a mistake: %v", err)
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	pool := testkit.Postgres(t, testkit.Template{Name: "crm", Migrate: migrations.Migrate})
	const from = "generate_series(1, 7) n WHERE n > $1"
	if c, err := listing.Count(t.Context(), pool, crmv1.CountMode_COUNT_MODE_EXACT, from, []any{2}); err != nil || c.GetValue() != 5 || c.GetEstimated() {
		t.Errorf("exactly %v, %v", c, err)
	}
	if c, err := listing.Count(t.Context(), pool, crmv1.CountMode_COUNT_MODE_ESTIMATED, from, []any{2}); err != nil || c.GetValue() < 1 || !c.GetEstimated() {
		t.Errorf("estimated %v, %v", c, err)
	}
	if c, err := listing.Count(t.Context(), pool, crmv1.CountMode_COUNT_MODE_UNSPECIFIED, "no_such_table", nil); err != nil || c != nil {
		t.Errorf("without being asked %v, %v", c, err)
	}
}
