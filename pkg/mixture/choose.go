package mixture

import (
	"context"
	"errors"
	"fmt"
)

// Trial is a fit with some number of groups.
type Trial struct {
	Groups int
	// Model is nil when it could not be fitted; Err says why.
	Model *Model
	Err   error
}

// Choose fits each number of groups from kMin to kMax, and returns the model with the least BIC, of equals the one with
// fewer groups, and all trials in the order of their numbers. It is an error when none could be fitted.
func Choose(ctx context.Context, kMin, kMax int, fit func(ctx context.Context, k int) (*Model, error)) (*Model, []Trial, error) {
	if kMin < 1 || kMax < kMin {
		return nil, nil, fmt.Errorf("there is no number of groups from %d to %d", kMin, kMax)
	}
	var best *Model
	trials := make([]Trial, 0, kMax-kMin+1)
	for k := kMin; k <= kMax; k++ {
		m, err := fit(ctx, k)
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		trials = append(trials, Trial{Groups: k, Model: m, Err: err})
		if err == nil && (best == nil || m.BIC() < best.BIC()) {
			best = m
		}
		if errors.Is(err, ErrTooFew) {
			break // more groups need more points
		}
	}
	if best == nil {
		return nil, trials, trials[0].Err
	}
	return best, trials, nil
}
