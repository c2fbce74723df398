package insight

import (
	"testing"
	"time"
)

// Rests are long while the front office calls and much waits; never endless.
func TestRest(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	p := pace{calls: 100}
	for i, step := range []struct {
		worked  time.Duration
		waiting uint64
		calls   int64
		at      time.Duration
		want    time.Duration
	}{
		{2 * time.Millisecond, much, 100, 0, 2 * time.Millisecond},                           // nobody called
		{2 * time.Millisecond, much, 102, 10 * time.Millisecond, 80 * time.Millisecond},      // somebody did
		{2 * time.Millisecond, much, 102, 900 * time.Millisecond, 80 * time.Millisecond},     // a moment ago
		{2 * time.Millisecond, much - 1, 102, 910 * time.Millisecond, 2 * time.Millisecond},  // little waits
		{time.Minute, much, 102, 950 * time.Millisecond, restMax},                            // a slow disk
		{2 * time.Millisecond, much, 102, quiet + 20*time.Millisecond, 2 * time.Millisecond}, // and not since
		{time.Minute, much, 102, quiet + time.Minute, restMax},                               // at night
	} {
		if got := p.rest(step.worked, step.waiting, step.calls, start.Add(step.at)); got != step.want {
			t.Errorf("step %d: %s, want %s", i, got, step.want)
		}
	}
}
