package report

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/maypok86/otter/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/lifecycle"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
)

// Answers are kept in memory: some 60 bytes a cell. What is larger than a tenth of all is read by nobody at a glance.
const (
	keptCellsMax       = 1_000_000
	keptReportCellsMax = keptCellsMax / 10
	// refreshInterval is how often it is looked whether ready reports are due.
	refreshInterval = time.Minute
)

// moment is when an answer began to be computed, and the newest change that the warehouse had then.
type moment struct{ computed, newest time.Time }

func (s *Service) moment() moment { return moment{time.Now(), s.newestChange()} }

// keptReport is a report before it is signed for a caller.
type keptReport struct {
	of     moment
	period span
	pivot  []pivotValue
	lines  []line
	end    *analyticsv1.ReportEnd
	cells  int
}

// keeper keeps what took long to compute, so that the next reader of the same report need not wait.
type keeper struct {
	// age is the greatest that one gets; 0 keeps none.
	age time.Duration
	// slower is how long the first row of what is worth keeping took.
	slower time.Duration
	cache  *otter.Cache[string, *keptReport]
}

func newKeeper(age, slower time.Duration) (*keeper, error) {
	if age <= 0 {
		return &keeper{}, nil
	}
	cache, err := otter.New(&otter.Options[string, *keptReport]{
		MaximumWeight: keptCellsMax,
		Weigher:       func(_ string, a *keptReport) uint32 { return uint32(a.cells) }, //nolint:gosec // at most keptReportCellsMax
		// The greatest age is checked where answers are found; this makes room.
		ExpiryCalculator: otter.ExpiryWriting[string, *keptReport](age),
	})
	return &keeper{age: age, slower: slower, cache: cache}, err
}

// answerKey tells questions apart, whoever asks, and what may be seen of their answers.
func answerKey(q *definitionv1.ReportQuery, scope Scope) (string, error) {
	query, err := proto.MarshalOptions{Deterministic: true}.Marshal(q)
	sum := sha256.Sum256(query)
	return Caller{ID: string(sum[:]), Scope: scope}.fingerprint(), err
}

// find returns an answer that is at most so old, or nil.
func (a *keeper) find(key string, maxAge time.Duration) *keptReport {
	if a.cache == nil {
		return nil
	}
	found, ok := a.cache.GetIfPresent(key)
	if !ok || time.Since(found.of.computed) > min(maxAge, a.age) {
		return nil
	}
	return found
}

// recorder keeps what a decoder reads, if that is worth it.
type recorder struct {
	*decoder
	keeper *keeper
	kept   keptReport
	// waited is how long the first row took.
	waited time.Duration
}

func (r *recorder) decode(found driver.Rows) (*analyticsv1.ReportRow, error) {
	row, err := r.decoder.decode(found)
	if err != nil {
		return nil, err
	}
	r.kept.cells += len(row.GetCells())
	if r.worth() {
		r.kept.lines = append(r.kept.lines, r.clone())
	} else {
		r.kept.lines = nil
	}
	return row, nil
}

// worth reports whether the answer took long enough, and is not too large.
func (r *recorder) worth() bool {
	if r.waited == 0 {
		r.waited = time.Since(r.kept.of.computed)
	}
	return r.keeper.cache != nil && r.waited >= r.keeper.slower && r.kept.cells <= keptReportCellsMax
}

// keep keeps an answer that was read to its end.
func (r *recorder) keep(key string, end *analyticsv1.ReportEnd) {
	if r.worth() {
		r.kept.end = end
		r.keeper.cache.Set(key, &r.kept)
	}
}

// tellAgain sends a kept answer, signed for this caller.
func (s *Service) tellAgain(ctx context.Context, p *plan, kept *keptReport, caller Caller, to Sink) (*analyticsv1.ReportEnd, error) {
	if p.needsBeginning() {
		if err := p.setPeriod(kept.period); err != nil {
			return nil, err
		}
	}
	d, err := s.open(ctx, p, kept.pivot, kept.of, caller, to)
	if err != nil {
		return nil, err
	}
	send := &sender{to: to}
	defer send.leave()
	for _, l := range kept.lines {
		d.line = l
		if err := send.row(d.row()); err != nil {
			return nil, err
		}
	}
	return kept.end, send.end()
}

// KeepReady asks for the reports that come with this program before what is kept of them gets too old and when a day begins, so
// that nobody waits for those that take long. While the warehouse is away it tries again.
func (s *Service) KeepReady(ctx context.Context, ready Ready) error {
	var day, last time.Time
	return lifecycle.Every(ctx, refreshInterval, func(ctx context.Context) {
		today := s.Today()
		if s.kept.age == 0 || today.Equal(day) && time.Since(last) < s.kept.age/2 {
			return
		}
		if s.computeAhead(ctx, ready) {
			day, last = today, time.Now()
		}
	})
}

// computeAhead reports whether all were asked for; what one report can't answer is no reason to ask for all of them again.
func (s *Service) computeAhead(ctx context.Context, ready Ready) bool {
	for _, name := range ready.Names() {
		_, err := s.Run(ctx, ready[name].GetQuery(), Caller{}, 0, nobody{})
		if ctx.Err() != nil {
			return false
		}
		if err != nil {
			s.log.WarnContext(ctx, "a report was not computed ahead", "report", name, "error", err)
		}
		if status.Code(err) == codes.Unavailable {
			return false
		}
	}
	return true
}

// nobody takes a report that is computed to be kept.
type nobody struct{}

func (nobody) Header(*analyticsv1.ReportHeader) error { return nil }
func (nobody) Rows([]*analyticsv1.ReportRow) error    { return nil }
