package insight

import (
	"testing"
	"time"
)

func TestRest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		worked time.Duration
		calls  int32
		want   time.Duration
	}{
		{4 * time.Millisecond, 0, 4 * time.Millisecond},
		{4 * time.Millisecond, 1, 28 * time.Millisecond},
		{4 * time.Millisecond, 3, 76 * time.Millisecond},
		{time.Minute, 9, restMax},
	} {
		if got := restAfter(c.worked, c.calls); got != c.want {
			t.Errorf("after %s with %d calls: %s, want %s", c.worked, c.calls, got, c.want)
		}
	}
}
