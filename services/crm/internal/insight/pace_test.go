package insight

import (
	"testing"
	"time"
)

// The more the front office calls, the longer a rest; never endless.
func TestRest(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	p := pace{acquired: 100}
	for i, step := range []struct {
		worked   time.Duration
		acquired int64
		at       time.Duration
		want     time.Duration
	}{
		{2 * time.Millisecond, 101, 0, 2 * time.Millisecond},                           // nobody called
		{2 * time.Millisecond, 103, 10 * time.Millisecond, 80 * time.Millisecond},      // somebody did
		{2 * time.Millisecond, 104, 900 * time.Millisecond, 80 * time.Millisecond},     // a moment ago
		{time.Minute, 105, 950 * time.Millisecond, restMax},                            // a slow disk
		{2 * time.Millisecond, 106, quiet + 20*time.Millisecond, 2 * time.Millisecond}, // and not since
		{time.Minute, 107, quiet + time.Minute, restMax},                               // at night
	} {
		if got := p.rest(step.worked, step.acquired, start.Add(step.at)); got != step.want {
			t.Errorf("step %d: %s, want %s", i, got, step.want)
		}
	}
}
