package snapshot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	pkgdate "tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/insight"
	"tandem.bank/services/analytics/internal/operation"
	"tandem.bank/services/analytics/internal/warehouse"
)

// computeMax bounds how long a run computes: what takes longer than a night holds up all the others of its kind.
const computeMax = 6 * time.Hour

// ReasonTooLong is the reason of DEADLINE_EXCEEDED for a run that was broken off by the service.
const ReasonTooLong = "RUN_TOO_LONG"

var errTooLong = errors.New("a run took too long")

// Publisher sends the results of a run home, and keeps trying later when it returns an error.
type Publisher interface {
	Publish(ctx context.Context, runID string) error
}

// Room computes runs of type R from settings S; a run has a Row for each customer.
type Room[S, R, Row any] struct {
	// Name is the kind of its definitions, and of its insights.
	Name string
	// Runs keeps the rows of runs.
	Runs Store[R]
	// Head and AsOf are those of a run.
	Head func(*R) *Head
	AsOf func(*R) time.Time
	// Settings of a definition of the kind; INVALID_ARGUMENT when it can't be computed.
	Settings func(asOf time.Time, spec *definitionv1.Spec) (S, error)
	// Compute makes a run and keeps it.
	Compute func(ctx context.Context, settings S) (R, error)
	// Rows calls yield for each customer of a run by number, the page after one of them: limit rows at most.
	Rows func(ctx context.Context, run R, after uint64, limit int, yield func(Row) error) error
	// Results are empty ones for the bundles of a run.
	Results func(run R) insight.Results[Row]
}

// Kind names the insights: their subject is insight.v1 and this.
func (r *Room[S, R, Row]) Kind() string { return r.Name }

// Unpublished returns the runs whose results did not all go home, oldest first.
func (r *Room[S, R, Row]) Unpublished(ctx context.Context) ([]string, error) {
	found, err := r.Runs.unpublished(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(found))
	for _, run := range slices.Backward(found) {
		ids = append(ids, r.Head(&run).ID.String())
	}
	return ids, nil
}

// Bundles calls send for each bundle of a run, in order of customer number; the rows stream from ClickHouse.
func (r *Room[S, R, Row]) Bundles(ctx context.Context, runID string, send func(*eventsv1.InsightBundle) error) error {
	run, err := r.parsed(ctx, runID)
	if err != nil {
		return err
	}
	head := r.Head(&run)
	about := insight.Run{ID: runID, AsOf: r.AsOf(&run), ComputedTime: head.ComputedTime, Customers: head.Customers}
	rows := func(yield func(Row) error) error {
		return r.Rows(ctx, run, 0, int(head.Customers), yield) //nolint:gosec // a count
	}
	return insight.Bundles(about, func() insight.Results[Row] { return r.Results(run) }, rows, send)
}

// MarkPublished notes that all results of a run went home.
func (r *Room[S, R, Row]) MarkPublished(ctx context.Context, runID string) error {
	run, err := r.parsed(ctx, runID)
	if err != nil {
		return err
	}
	r.Head(&run).InsightsPublished = true
	return r.Runs.Save(ctx, run)
}

func (r *Room[S, R, Row]) parsed(ctx context.Context, runID string) (run R, err error) {
	id, err := uuid.Parse(runID)
	if err != nil {
		return run, fmt.Errorf("id of a %s run: %w", r.Name, err)
	}
	return r.Runs.Run(ctx, id)
}

// Find returns a run by its id, or the last that was computed for no id. Errors: NOT_FOUND, INVALID_ARGUMENT, UNAVAILABLE.
func (r *Room[S, R, Row]) Find(ctx context.Context, runID string) (run R, err error) {
	id := uuid.Nil
	if runID != "" {
		if id, err = uuid.Parse(runID); err != nil {
			return run, apperr.InvalidField("run_id", "must be a UUID")
		}
	}
	run, err = r.Runs.Run(ctx, id)
	return run, Public(err)
}

// Twin returns the last run of a day with the settings and the data of a run that is about to begin: it says already what that
// one would. It reports false when there is none.
func (r *Room[S, R, Row]) Twin(ctx context.Context, next *R) (run R, found bool, err error) {
	head := r.Head(next)
	run, err = r.Runs.First(ctx, "settings_key = {key:String} AND as_of = {as_of:Date}", LastFirst,
		warehouse.Named("key", head.SettingsKey), warehouse.Named("as_of", warehouse.Day(r.AsOf(next))))
	if errors.Is(err, ErrNone) {
		return run, false, nil
	}
	return run, err == nil && r.Head(&run).NewestEventTime.Equal(head.NewestEventTime), err
}

// Desk runs what callers and schedules ask of a room, and sends the results home.
type Desk[S, R, Row any] struct {
	Room        *Room[S, R, Row]
	Publisher   Publisher
	Definitions *definition.Store
}

// Run computes a run as of a day, with the settings of a saved definition that the caller may read, or with the caller's own
// where none is named; and sends it home.
func (d *Desk[S, R, Row]) Run(
	ctx context.Context, day *date.Date, ref *analyticsv1.DefinitionRef, own func(asOf time.Time) (S, error),
) (run R, err error) {
	asOf, err := pkgdate.Field("as_of", day)
	if err != nil {
		return run, err
	}
	settings, err := d.settings(ctx, asOf, ref, own)
	if err != nil {
		return run, err
	}
	if run, err = d.compute(ctx, settings); err != nil {
		return run, err
	}
	id := d.Room.Head(&run).ID
	operation.Step(ctx, StepPublish)
	if err := d.Publisher.Publish(ctx, id.String()); err != nil {
		return run, apperr.Wrap(err, codes.Unavailable, apperr.ReasonUnavailable,
			"run %s is stored; its insights could not all be sent and will follow", id)
	}
	return run, nil
}

// compute bounds a computation. One that is broken off, by this bound, its caller, or the end of the process, leaves nothing
// that can be seen; asked for again, it is done again.
func (d *Desk[S, R, Row]) compute(ctx context.Context, settings S) (R, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, computeMax, errTooLong)
	defer cancel()
	run, err := d.Room.Compute(ctx, settings)
	if err != nil && errors.Is(context.Cause(ctx), errTooLong) {
		err = apperr.Wrap(err, codes.DeadlineExceeded, ReasonTooLong, "the run took longer than %s and was broken off", computeMax)
	}
	return run, err
}

// settings are those of the caller, or of the definition that ref names.
func (d *Desk[S, R, Row]) settings(
	ctx context.Context, asOf time.Time, ref *analyticsv1.DefinitionRef, own func(asOf time.Time) (S, error),
) (none S, err error) {
	if ref == nil {
		return own(asOf)
	}
	saved, err := d.Definitions.ForCaller(ctx, definition.RefOf(ref))
	if err != nil {
		return none, err
	}
	if err := saved.Runnable(d.Room.Name); err != nil {
		return none, err
	}
	return d.Room.Settings(asOf, saved.Spec)
}

// RunDefinition runs a definition by schedule, and returns the id of the run; it is a schedule.Runner.
func (d *Desk[S, R, Row]) RunDefinition(ctx context.Context, saved *definition.Definition, asOf time.Time) (string, error) {
	settings, err := d.Room.Settings(asOf, saved.Spec)
	if err != nil {
		return "", err
	}
	run, err := d.compute(ctx, settings)
	if err != nil {
		return "", err
	}
	id := d.Room.Head(&run).ID.String()
	// The run stands; its publisher keeps trying with insights that could not be sent.
	if err := d.Publisher.Publish(ctx, id); err != nil && ctx.Err() != nil {
		return "", err
	}
	return id, nil
}
