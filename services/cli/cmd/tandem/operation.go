package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/cli/internal/show"
)

// OperationCmd groups what is done with runs that go on by themselves.
type OperationCmd struct {
	List   OperationListCmd   `cmd:"" help:"List your runs that were begun with --detach."`
	Show   OperationShowCmd   `cmd:"" help:"Tell how far a run is, or what came of it."`
	Wait   OperationWaitCmd   `cmd:"" help:"Wait until a run ends, and print what came of it."`
	Cancel OperationCancelCmd `cmd:"" help:"Cancel a run; what it computed so far is forgotten."`
}

var operationService = service[runOperations]{(*App).Analytics, analyticsv1.NewRunOperationServiceClient}

type runOperations = analyticsv1.RunOperationServiceClient

// runFlags are how a run is waited for.
type runFlags struct {
	Timeout time.Duration `default:"30m" help:"How long the run may take."`
	Detach  bool          `help:"Only begin it, as an operation that goes on by itself; its id is printed for 'tandem operation'."`
}

// runOf makes a run: it waits for the answer and prints it, or only begins it.
func runOf[C any, Q, A proto.Message](
	ctx context.Context, app *App, flags runFlags, of service[C],
	call func(C, context.Context, Q, ...grpc.CallOption) (A, error), request Q, text func(io.Writer, A) error,
) error {
	if flags.Detach {
		return begin(ctx, app, request)
	}
	return ask(ctx, app, of, flags.Timeout, call, request, text)
}

// begin starts a run as an operation.
func begin(ctx context.Context, app *App, request proto.Message) error {
	start := &analyticsv1.StartRunRequest{}
	message, name := start.ProtoReflect(), request.ProtoReflect().Descriptor().FullName()
	for fields, i := message.Descriptor().Fields(), 0; i < fields.Len(); i++ {
		if fields.Get(i).Message().FullName() == name {
			message.Set(fields.Get(i), protoreflect.ValueOfMessage(request.ProtoReflect()))
		}
	}
	return ask(ctx, app, operationService, callTimeout, runOperations.StartRun, start, func(out io.Writer, r *analyticsv1.StartRunResponse) error {
		_, err := fmt.Fprintln(out, r.GetOperation().GetId())
		return err
	})
}

// OperationListCmd lists operations.
type OperationListCmd struct{}

// Run prints one line an operation.
func (c *OperationListCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, operationService, callTimeout, runOperations.ListRunOperations, &analyticsv1.ListRunOperationsRequest{},
		func(out io.Writer, r *analyticsv1.ListRunOperationsResponse) error {
			w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			_, _ = fmt.Fprint(w, "operation\tkind\tstate\tstep\trows read\tbegun\tended\n")
			for _, o := range r.GetOperations() {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", o.GetId(), o.GetKind(), shortWord(o.GetState().String()), orDash(o.GetStep()),
					show.Count(o.GetReadRows()), show.Time(o.GetCreateTime()), show.Time(o.GetEndTime()))
			}
			return w.Flush()
		})
}

// operationArg names an operation.
type operationArg struct {
	ID string `arg:"" help:"Id of the operation."`
}

// OperationShowCmd shows an operation.
type OperationShowCmd struct{ operationArg }

// Run prints how far it is, and its result.
func (c *OperationShowCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, operationService, callTimeout, runOperations.GetRunOperation, &analyticsv1.GetRunOperationRequest{Id: c.ID},
		func(out io.Writer, r *analyticsv1.GetRunOperationResponse) error {
			return printOperation(out, r.GetOperation())
		})
}

// OperationCancelCmd cancels an operation.
type OperationCancelCmd struct{ operationArg }

// Run prints what it was when it had let go.
func (c *OperationCancelCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, operationService, callTimeout, runOperations.CancelRunOperation, &analyticsv1.CancelRunOperationRequest{Id: c.ID},
		func(out io.Writer, r *analyticsv1.CancelRunOperationResponse) error {
			return printOperation(out, r.GetOperation())
		})
}

// OperationWaitCmd waits for an operation.
type OperationWaitCmd struct {
	operationArg
	Timeout time.Duration `default:"6h" help:"How long to wait."`
}

// Run tells the steps as they come, prints the result, and fails as the run has failed.
func (c *OperationWaitCmd) Run(ctx context.Context, app *App) error {
	client, err := operationService.on(app)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	for step := ""; ; {
		bounded, cancel := context.WithTimeout(ctx, time.Second)
		answer, err := client.WaitRunOperation(bounded, &analyticsv1.WaitRunOperationRequest{Id: c.ID})
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		o := answer.GetOperation()
		if o.GetStep() != step {
			step = o.GetStep()
			_, _ = fmt.Fprintln(app.Err, step)
		}
		switch {
		case o.GetState() == analyticsv1.OperationState_OPERATION_STATE_RUNNING:
			continue
		case o.GetError() != nil:
			return status.ErrorProto(o.GetError())
		case app.JSON:
			return printJSON(app, o)
		}
		return printOperation(app.Out, o)
	}
}

// printOperation prints the result of a run as the run itself does, or how far it is.
func printOperation(out io.Writer, o *analyticsv1.RunOperation) error {
	switch r := o.GetResult().(type) {
	case *analyticsv1.RunOperation_Rfm:
		return show.RfmRun(out, r.Rfm.GetRun())
	case *analyticsv1.RunOperation_Clv:
		return show.ClvRun(out, r.Clv.GetRun())
	case *analyticsv1.RunOperation_Segment:
		return show.SegmentRun(out, r.Segment.GetRun())
	case *analyticsv1.RunOperation_Score:
		return show.ScoreRun(out, r.Score.GetRun())
	case *analyticsv1.RunOperation_Training:
		return show.ScoreModel(out, r.Training.GetModel())
	case *analyticsv1.RunOperation_Clustering:
		return show.ClusteringRun(out, r.Clustering.GetRun())
	case *analyticsv1.RunOperation_ProfileScheme:
		return show.ProfileRun(out, r.ProfileScheme.GetRun())
	case *analyticsv1.RunOperation_Facts:
		return printRefreshed(out, r.Facts)
	}
	_, err := fmt.Fprintf(out, "%s %s: %s, %s rows read, begun %s\n", o.GetKind(), shortWord(o.GetState().String()), orDash(o.GetStep()),
		show.Count(o.GetReadRows()), show.Time(o.GetCreateTime()))
	if o.GetError() != nil && err == nil {
		_, err = fmt.Fprintln(out, o.GetError().GetMessage())
	}
	return err
}
