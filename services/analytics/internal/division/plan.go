package division

import (
	"context"
	"time"

	googledate "google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/operation"
	"tandem.bank/services/analytics/internal/snapshot"
)

// Plan says what to compute.
type Plan struct {
	// Definition and Version name the definition.
	Definition string
	Version    uint64
	// AsOf is the day whose facts count, at midnight UTC.
	AsOf time.Time
	// Spec is complete: no field relies on its default.
	Spec proto.Message
}

// Publisher sends the results of a run home, and keeps trying later when it returns an error.
type Publisher interface {
	Publish(ctx context.Context, runID string) error
}

// Desk runs what callers and schedules ask of a room, and sends the results home.
type Desk struct {
	// Kind of the definitions.
	Kind        string
	Publisher   Publisher
	Definitions *definition.Store
	// Compute makes a run of a definition as of a day, and keeps it.
	Compute func(ctx context.Context, d *definition.Definition, asOf time.Time) (Run, error)
}

// computeMax bounds how long a run computes: what takes longer than a night holds up all the others of its kind.
const computeMax = 6 * time.Hour

// Run runs a definition that the caller may read, as of a day.
func (d *Desk) Run(ctx context.Context, day *googledate.Date, ref *analyticsv1.DefinitionRef) (Run, error) {
	asOf, err := date.Field("as_of", day)
	if err != nil {
		return Run{}, err
	}
	saved, err := d.Definitions.ForCaller(ctx, definition.RefOf(ref))
	if err != nil {
		return Run{}, err
	}
	run, err := d.compute(ctx, saved, asOf)
	if err != nil {
		return Run{}, err
	}
	operation.Step(ctx, snapshot.StepPublish)
	if err := d.Publisher.Publish(ctx, run.ID.String()); err != nil {
		return Run{}, apperr.Wrap(err, codes.Unavailable, apperr.ReasonUnavailable,
			"run %s is stored; its insights could not all be sent and will follow", run.ID)
	}
	return run, nil
}

// RunDefinition runs a definition by schedule, and returns the id of the run; it is a schedule.Runner.
func (d *Desk) RunDefinition(ctx context.Context, saved *definition.Definition, asOf time.Time) (string, error) {
	run, err := d.compute(ctx, saved, asOf)
	if err != nil {
		return "", err
	}
	// The run stands; its publisher keeps trying with insights that could not be sent.
	if err := d.Publisher.Publish(ctx, run.ID.String()); err != nil && ctx.Err() != nil {
		return "", err
	}
	return run.ID.String(), nil
}

func (d *Desk) compute(ctx context.Context, saved *definition.Definition, asOf time.Time) (Run, error) {
	if err := saved.Runnable(d.Kind); err != nil {
		return Run{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, computeMax)
	defer cancel()
	return d.Compute(ctx, saved, asOf)
}
