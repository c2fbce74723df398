package customerfact

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"tandem.bank/services/analytics/internal/fact"
	"tandem.bank/services/analytics/internal/rounds"
)

const (
	// gatherTime lets changes that come together be one refresh.
	gatherTime = 200 * time.Millisecond
	// lookInterval is how often the keeper looks for a new day and for runs when no change wakes it.
	lookInterval = 2 * time.Second
	// noteInterval is how often it writes down how far it is.
	noteInterval = 5 * time.Second
	// overlap is how much of the changes before that is done again after a start. A process writes them with its own clock.
	overlap = time.Minute
	// pauseMin is the least time between two refreshes of everybody on the same day, and pauseTimes how many times as long as the last one
	// took there is none: a bank that is being loaded shall not spend its time on facts.
	pauseMin   = 2 * time.Second
	pauseTimes = 4
	// Pause between attempts while ClickHouse is away.
	backoffMin = 100 * time.Millisecond
	backoffMax = 5 * time.Second
)

// KeeperConfig is what a keeper needs.
type KeeperConfig struct {
	Facts    *Service
	Logger   *slog.Logger
	Registry prometheus.Registerer
}

// Validate names what is missing.
func (c KeeperConfig) Validate() error {
	if c.Facts == nil || c.Logger == nil || c.Registry == nil {
		return errors.New("customerfact: facts, logger and registry are required")
	}
	return nil
}

// Keeper keeps the table customer_fact: it follows what ingestion stores, a few hundred milliseconds behind, tells everybody anew when a
// day of the bank begins, and tells those who registered with OnChange.
//
// Nothing is lost by a crash: what a batch was about is written to customer_change before the batch is acknowledged, and a start
// does again what was written after the last note of how far the keeper came.
type Keeper struct {
	facts   *Service
	log     *slog.Logger
	metrics *metrics

	lock    sync.Mutex
	pending *touched
	// since is when the oldest of what is pending was stored; zero when nothing is.
	since time.Time
	// asked are calls that wait for a refresh of everybody.
	asked []chan error
	wake  chan struct{}
	// rounds of Run.
	rounds rounds.Rounds

	// What follows belongs to Run's goroutine.
	noted time.Time
	// unnoted says that changes were followed since the last note.
	unnoted bool
	ended   time.Time
	took    time.Duration
	runs    map[string]time.Time
}

// NewKeeper builds a keeper; Run does the work.
func NewKeeper(c KeeperConfig) (*Keeper, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	k := &Keeper{
		facts: c.Facts, log: c.Logger.With("component", "customer facts"), pending: newTouched(), wake: make(chan struct{}, 1),
	}
	var err error
	k.metrics, err = newMetrics(c.Registry, k)
	return k, err
}

// Stored takes what a batch of changes was about: it is written down, and its customers are told anew soon. An error means that it was not
// written, and the batch has to come again.
func (k *Keeper) Stored(ctx context.Context, batch fact.Touched) error {
	first, err := k.facts.firstDay(ctx)
	if err != nil {
		return err
	}
	one := newTouched()
	one.take(batch, !first.Before(k.facts.Today()))
	if one.empty() {
		return nil
	}
	if err := k.facts.writeDown(ctx, one); err != nil {
		return err
	}
	k.add(one)
	return nil
}

func (k *Keeper) add(more *touched) {
	k.lock.Lock()
	k.pending.merge(more)
	if k.since.IsZero() {
		k.since = time.Now()
	}
	k.lock.Unlock()
	k.rouse()
}

func (k *Keeper) rouse() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Refresh tells all facts of today anew and returns when that is done.
func (k *Keeper) Refresh(ctx context.Context) error {
	answer := make(chan error, 1)
	k.lock.Lock()
	k.asked = append(k.asked, answer)
	k.lock.Unlock()
	k.rouse()
	select {
	case err := <-answer:
		return public(err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// age is how long the oldest change has waited for its refresh.
func (k *Keeper) age() time.Duration {
	k.lock.Lock()
	defer k.lock.Unlock()
	if k.since.IsZero() {
		return 0
	}
	return time.Since(k.since)
}

// Run keeps facts until the context ends. Trouble with ClickHouse is no end: what was not done stays pending.
func (k *Keeper) Run(ctx context.Context) error {
	pause := backoffMin
	recovered := false
	for ctx.Err() == nil {
		err := k.once(ctx, &recovered)
		if err == nil {
			pause = backoffMin
			k.rest(ctx)
			continue
		}
		if ctx.Err() != nil {
			break
		}
		k.log.WarnContext(ctx, "facts wait; trying again", "error", err, "pause", pause)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, backoffMax)
	}
	k.answer(ctx.Err())
	return nil
}

// rest waits for the next change, and a moment longer for those that come with it.
func (k *Keeper) rest(ctx context.Context) {
	timer := time.NewTimer(lookInterval)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-k.wake:
		select {
		case <-ctx.Done():
		case <-time.After(gatherTime):
		}
	}
}

// once does what there is to do.
func (k *Keeper) once(ctx context.Context, recovered *bool) error {
	round := k.rounds.Begin()
	if !*recovered {
		if err := k.recover(ctx); err != nil {
			return err
		}
		*recovered = true
	}
	day, _, err := k.facts.refreshed(ctx)
	if err != nil {
		return err
	}
	cause := ""
	switch {
	case !day.Equal(k.facts.Today()):
		cause = CauseDay
	case k.everybodyDue():
		cause = CauseRebuild
	}
	if cause != "" {
		if err := k.everybody(ctx, cause); err != nil {
			return err
		}
	}
	if err := k.changed(ctx); err != nil {
		return err
	}
	if err := k.lookForRuns(ctx); err != nil {
		return err
	}
	k.finish(round)
	return nil
}

// everybodyDue reports whether all customers have to be told anew, and may be.
func (k *Keeper) everybodyDue() bool {
	k.lock.Lock()
	defer k.lock.Unlock()
	return len(k.asked) > 0 || k.pending.everybody && time.Since(k.ended) > max(pauseMin, pauseTimes*k.took)
}

// everybody tells all customers anew. Changes that come meanwhile are followed between ranges.
func (k *Keeper) everybody(ctx context.Context, cause string) error {
	k.lock.Lock()
	waiting := k.asked
	k.asked = nil
	taken, since := k.pending, k.since
	k.pending, k.since = newTouched(), time.Time{}
	k.lock.Unlock()
	began := time.Now()
	err := k.facts.keepAll(ctx, func(uint64) error { return k.changed(ctx) })
	for _, answer := range waiting {
		answer <- err
	}
	if err != nil {
		k.giveBack(taken, since)
		return err
	}
	k.ended, k.took = time.Now(), time.Since(began)
	k.metrics.seconds.WithLabelValues("all").Observe(k.took.Seconds())
	k.log.InfoContext(ctx, "all facts told anew", "cause", cause, "seconds", k.took.Seconds())
	k.facts.tell(ctx, Change{Causes: []string{cause}})
	return nil
}

func (k *Keeper) giveBack(taken *touched, since time.Time) {
	k.lock.Lock()
	defer k.lock.Unlock()
	k.pending.merge(taken)
	if !since.IsZero() {
		k.since = since
	}
}

// changed tells the customers of changed records anew, and then those who follow. That everybody is due, too, stays pending.
func (k *Keeper) changed(ctx context.Context) error {
	began := time.Now()
	k.lock.Lock()
	taken, since := k.pending, k.since
	if taken.overflow { // the time of everybody comes
		k.lock.Unlock()
		return nil
	}
	k.pending = newTouched()
	if k.pending.everybody = taken.everybody; !taken.everybody {
		k.since = time.Time{}
	}
	k.lock.Unlock()
	if taken.count > 0 {
		if err := k.refresh(ctx, taken); err != nil {
			k.giveBack(taken, since)
			return err
		}
		k.metrics.seconds.WithLabelValues("changed").Observe(time.Since(began).Seconds())
		k.unnoted = true
	}
	if !k.unnoted || time.Since(k.noted) < noteInterval {
		return nil
	}
	if err := k.facts.note(ctx, "changes", k.facts.Today(), began); err != nil {
		return err
	}
	k.noted, k.unnoted = time.Now(), false
	return nil
}

func (k *Keeper) refresh(ctx context.Context, taken *touched) error {
	change, err := k.facts.resolve(ctx, taken)
	if err != nil || len(change.Customers) == 0 {
		return err
	}
	m, err := k.facts.moment(ctx, k.facts.Today())
	if err != nil {
		return err
	}
	for some := range slices.Chunk(change.Customers, chunkCustomers) {
		if err := k.facts.keepMoved(ctx, m, some, change.Causes); err != nil {
			return err
		}
		k.metrics.customers.Add(float64(len(some)))
	}
	k.facts.tell(ctx, change)
	return nil
}

// answer ends the calls that wait.
func (k *Keeper) answer(err error) {
	k.lock.Lock()
	defer k.lock.Unlock()
	for _, answer := range k.asked {
		answer <- err
	}
	k.asked = nil
}

// recover takes up what an earlier process wrote down and maybe did not do.
func (k *Keeper) recover(ctx context.Context) error {
	_, done, err := k.facts.refreshed(ctx)
	if err != nil || done.IsZero() {
		return err // everybody is told anew anyway
	}
	const noted = "SELECT max(began_time) FROM customer_fact_refresh FINAL WHERE kind = 'changes'"
	var changes time.Time
	if err := k.facts.warehouse.QueryRow(ctx, noted).Scan(&changes); err != nil {
		return fmt.Errorf("customer facts: look for the last note: %w", err)
	}
	if changes.After(done) {
		done = changes
	}
	left, err := k.facts.writtenDown(ctx, done.Add(-overlap))
	if err != nil || left.empty() {
		return err
	}
	k.add(left)
	return nil
}

// runsSQL tells the newest run of each kind whose results are facts, by their causes.
const runsSQL = `SELECT '` + CauseRFM + `' AS kind, max(computed_time) FROM rfm_run
UNION ALL SELECT '` + CauseCLV + `', max(computed_time) FROM clv_run UNION ALL SELECT '` + CauseScore + `', max(computed_time) FROM score_run
UNION ALL SELECT '` + CauseDivision + `', max(computed_time) FROM segment_run WHERE position(segment, '/') > 0`

// lookForRuns tells those who follow that a run has ended: its results are facts of everybody.
func (k *Keeper) lookForRuns(ctx context.Context) error {
	newest := map[string]time.Time{}
	err := k.facts.each(ctx, "look for runs", func(rows driver.Rows) error {
		var kind string
		var at time.Time
		err := rows.Scan(&kind, &at)
		newest[kind] = at
		return err
	}, runsSQL)
	if err != nil {
		return err
	}
	before := k.runs
	k.runs = newest
	if before == nil {
		return nil
	}
	var causes []string
	for kind, at := range newest {
		if at.After(before[kind]) {
			causes = append(causes, kind)
		}
	}
	if len(causes) > 0 {
		slices.Sort(causes)
		k.facts.tell(ctx, Change{Causes: causes})
	}
	return nil
}
