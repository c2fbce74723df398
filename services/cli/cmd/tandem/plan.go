package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/planfile"
)

// planChunk is how many rows travel together.
const planChunk = 1000

// PlanCmd groups what is done with plans.
type PlanCmd struct {
	Import  PlanImportCmd  `cmd:"" help:"Bring figures into a plan from a CSV file."`
	List    PlanListCmd    `cmd:"" help:"List plans."`
	History PlanHistoryCmd `cmd:"" help:"List the versions of a plan."`
	Show    PlanShowCmd    `cmd:"" help:"List the figures of a plan, in any version."`
}

// PlanImportCmd brings in a file.
type PlanImportCmd struct {
	File    string        `arg:"" type:"existingfile" help:"CSV file: unit_kind, unit, indicator, period, period_start, amount and, where needed, currency, volume, price, withdrawn."`
	Plan    string        `required:"" placeholder:"NAME" help:"Plan to fill, for example sales_2026; it is made when there is none."`
	Title   string        `help:"Name of the plan for people."`
	Note    string        `help:"Why the plan changes, kept with the version."`
	DryRun  bool          `help:"Only check the rows."`
	Timeout time.Duration `default:"30m" help:"How long the import may take."`
}

// Run sends the file and tells what became of it. The same file again changes nothing.
func (c *PlanImportCmd) Run(ctx context.Context, app *App) error {
	client, err := planService.on(app)
	if err != nil {
		return err
	}
	importID, err := c.importID()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	stream, err := client.ImportPlan(ctx)
	if err != nil {
		return err
	}
	header := &crmv1.PlanImportHeader{Name: c.Plan, Title: c.Title, Note: c.Note, ImportId: importID, ValidateOnly: c.DryRun}
	unsent, err := c.send(app, stream, header)
	if err != nil {
		return err
	}
	answer, err := stream.CloseAndRecv()
	if err != nil {
		return err
	}
	return c.tell(app, answer, unsent)
}

// importID is the same for the same file and plan: an import that was done is not done again.
func (c *PlanImportCmd) importID() (string, error) {
	file, err := os.Open(c.File)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return uuid.NewSHA1(uuid.NameSpaceOID, append(hash.Sum(nil), c.Plan...)).String(), nil
}

// send sends the rows, and counts the lines that are none.
func (c *PlanImportCmd) send(
	app *App, stream grpc.ClientStreamingClient[crmv1.ImportPlanRequest, crmv1.ImportPlanResponse], header *crmv1.PlanImportHeader,
) (unsent int64, err error) {
	file, err := os.Open(c.File)
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }()
	rows, err := planfile.Open(file)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", c.File, err)
	}
	next := &crmv1.ImportPlanRequest{Header: header}
	for {
		row, err := rows.Read()
		var broken *planfile.RowError
		switch {
		case errors.As(err, &broken):
			unsent++
			_, _ = fmt.Fprintln(app.Err, broken)
			continue
		case err == nil:
			next.Rows = append(next.Rows, row)
		case !errors.Is(err, io.EOF):
			return unsent, err
		}
		if err != nil || len(next.GetRows()) == planChunk {
			// An error of the stream is told better by its answer.
			if sent := stream.Send(next); sent != nil && !errors.Is(sent, io.EOF) {
				return unsent, sent
			}
			next = &crmv1.ImportPlanRequest{}
		}
		if err != nil {
			return unsent, nil
		}
	}
}

// tell prints the outcome: what is wrong by line and field, and the counts.
func (c *PlanImportCmd) tell(app *App, answer *crmv1.ImportPlanResponse, unsent int64) error {
	for _, r := range answer.GetRejections() {
		refusal := status.FromProto(r.GetError())
		fields := brokenFields(refusal)
		if len(fields) == 0 {
			fields = []string{refusal.Message()}
		}
		for _, field := range fields {
			_, _ = fmt.Fprintf(app.Err, "line %d: %s\n", r.GetLine(), field)
		}
	}
	rejected := unsent + answer.GetRejected()
	if app.JSON {
		if err := printJSON(app, answer); err != nil {
			return err
		}
	} else if _, err := fmt.Fprintf(app.Out, "%s: version %d, %d figures changed, %d unchanged, %d rejected\n", c.Plan,
		max(answer.GetVersion(), answer.GetPlan().GetVersion()), answer.GetChanged(), answer.GetUnchanged(), rejected); err != nil {
		return err
	}
	if rejected > 0 {
		return &rejectedError{rows: rejected, where: "the lines above"}
	}
	return nil
}

// PlanListCmd lists plans.
type PlanListCmd struct{}

// Run prints one line a plan.
func (c *PlanListCmd) Run(ctx context.Context, app *App) error {
	return askPages(ctx, app, planService, 0, crmv1.PlanServiceClient.ListPlans, &crmv1.ListPlansRequest{}, (*crmv1.ListPlansResponse).GetPlans,
		func(out io.Writer, r *crmv1.ListPlansResponse) error {
			w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			_, _ = fmt.Fprint(w, "name\tversion\tchanged\ttitle\n")
			for _, p := range r.GetPlans() {
				_, _ = fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", p.GetName(), p.GetVersion(), moment(p.GetUpdateTime()), p.GetTitle())
			}
			return w.Flush()
		})
}

// PlanHistoryCmd lists versions.
type PlanHistoryCmd struct {
	Name string `arg:"" help:"Name of the plan."`
}

// Run prints one line a version.
func (c *PlanHistoryCmd) Run(ctx context.Context, app *App) error {
	return askPages(ctx, app, planService, 0, crmv1.PlanServiceClient.ListPlanVersions,
		&crmv1.ListPlanVersionsRequest{Name: c.Name}, (*crmv1.ListPlanVersionsResponse).GetVersions,
		func(out io.Writer, r *crmv1.ListPlanVersionsResponse) error {
			w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			_, _ = fmt.Fprint(w, "version\tmade\tby\tfigures\tnote\n")
			for _, v := range r.GetVersions() {
				_, _ = fmt.Fprintf(w, "%d\t%s\t%s\t%d\t%s\n", v.GetVersion(), moment(v.GetCreateTime()), v.GetAuthor(), v.GetValues(), v.GetNote())
			}
			return w.Flush()
		})
}

// PlanShowCmd lists figures.
type PlanShowCmd struct {
	Name    string    `arg:"" help:"Name of the plan."`
	Version int64     `help:"Version of the plan; default is the newest." xor:"which"`
	AsOf    time.Time `placeholder:"2006-01-02T15:04:05Z" help:"Moment at which the figures stood." xor:"which"`
	Filter  string    `help:"Only figures that a filter admits, as in 'unit_kind = branch AND period_start >= 2026-01-01'."`
}

// Run prints one line a figure, page by page.
func (c *PlanShowCmd) Run(ctx context.Context, app *App) error {
	client, err := planService.on(app)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	request := &crmv1.ListPlanValuesRequest{Name: c.Name, Version: c.Version, Filter: c.Filter, PageSize: listedPage}
	if !c.AsOf.IsZero() {
		request.AsOf = timestamppb.New(c.AsOf)
	}
	w := tabwriter.NewWriter(app.Out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprint(w, "indicator\tunit\tperiod\tfrom\tamount\tcurrency\tvolume\tprice\tversion\n")
	for {
		page, err := client.ListPlanValues(ctx, request)
		if err != nil {
			return err
		}
		if app.JSON {
			if err := printJSON(app, page); err != nil {
				return err
			}
		}
		for _, v := range page.GetValues() {
			from := v.GetPeriodStart()
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%04d-%02d-%02d\t%s\t%s\t%s\t%s\t%d\n", v.GetIndicator(), unitText(v.GetUnit()),
				shortWord(v.GetPeriod().String()), from.GetYear(), from.GetMonth(), from.GetDay(), v.GetAmount(), v.GetCurrency(),
				v.GetVolume(), v.GetPrice(), v.GetVersion())
		}
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			break
		}
	}
	if app.JSON {
		return nil
	}
	return w.Flush()
}

// unitText tells what a figure is for.
func unitText(u *crmv1.PlanUnit) string {
	switch unit := u.GetUnit().(type) {
	case *crmv1.PlanUnit_RegionId:
		return fmt.Sprint("region ", unit.RegionId)
	case *crmv1.PlanUnit_BranchId:
		return fmt.Sprint("branch ", unit.BranchId)
	case *crmv1.PlanUnit_ManagerId:
		return fmt.Sprint("manager ", unit.ManagerId)
	case *crmv1.PlanUnit_CustomerId:
		return fmt.Sprint("customer ", unit.CustomerId)
	case *crmv1.PlanUnit_Segment:
		return "segment " + unit.Segment
	case *crmv1.PlanUnit_Sector:
		return "sector " + unit.Sector
	case *crmv1.PlanUnit_Campaign:
		return "campaign " + unit.Campaign
	default:
		return "bank"
	}
}
