package insight

import "time"

const (
	// stepCustomers are written in one transaction. A step takes one or two milliseconds: that is how long a screen may have to share
	// a processor with it.
	stepCustomers = 25
	// restBusy is how many times as long as it worked the consumer rests while the front office calls and much waits, the results of a
	// month for example: then one call in some tens meets a step, and the slowest hundredth of them is hardly slower. When nobody calls,
	// or little waits and it is over in a moment, it rests as long as it worked.
	restBusy = 40
	// much is how many bundles must wait: ten hold the results of some 20 000 customers, which take seconds.
	much = 10
	// quiet is how long nobody must have called.
	quiet = time.Second
	// restMax bounds a rest, so that results come home on the busiest day too.
	restMax = 500 * time.Millisecond
)

// pace leaves the database to the front office after each step.
type pace struct {
	// calls is how many there were at the step before.
	calls int64
	// called is when it was seen last that there were more.
	called time.Time
}

// rest is how long to rest after a step of a bundle behind which others waited.
func (p *pace) rest(worked time.Duration, waiting uint64, calls int64, now time.Time) time.Duration {
	if calls > p.calls {
		p.called = now
	}
	p.calls = calls
	if waiting < much || now.Sub(p.called) > quiet {
		return min(worked, restMax)
	}
	return min(worked*restBusy, restMax)
}
