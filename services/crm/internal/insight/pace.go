package insight

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// stepCustomers are written in one transaction. A step takes two or three milliseconds: that is how long a screen may have to
	// share a processor with it.
	stepCustomers = 50
	// restPerCall is how many times as long as it worked the consumer rests for each call that the front office has in the
	// database just then. When nobody calls, it rests as long as it worked.
	restPerCall = 6
	// restMax bounds a rest, so that results come home on the busiest day too.
	restMax = 500 * time.Millisecond
)

// rest leaves the database to the front office after a step.
func rest(ctx context.Context, pool *pgxpool.Pool, worked time.Duration) {
	wait(ctx, restAfter(worked, pool.Stat().AcquiredConns()))
}

func restAfter(worked time.Duration, calls int32) time.Duration {
	return min(worked*time.Duration(1+restPerCall*calls), restMax)
}
