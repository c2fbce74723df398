package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"google.golang.org/grpc/status"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/cli/internal/show"
)

const (
	// exportWait is how long one call waits for an export; then its progress is told.
	exportWait = 2 * time.Second
	// downloadTries is how often a download is resumed.
	downloadTries = 5
	exportMode    = 0o644
)

// ReportExportCmd makes a file of a report.
type ReportExportCmd struct {
	reportQuestion `embed:""`
	Format         string `enum:",csv,xlsx,pdf" default:"" help:"csv, xlsx or pdf; default is that of the report, or xlsx."`
	Title          string `help:"Title above a question."`
	Out            string `short:"o" help:"File to write; default is the name that the server proposes, in this folder."`
}

// Run begins the export, waits for it, and fetches the file. An interrupt cancels the export.
func (c *ReportExportCmd) Run(ctx context.Context, app *App) error {
	question, err := c.request()
	if err != nil {
		return err
	}
	request := &analyticsv1.ExportReportRequest{
		Version: question.GetVersion(), AsOf: question.GetAsOf(), Title: c.Title,
		Format: definitionv1.ReportFormat(enumValue(definitionv1.ReportFormat_value, "REPORT_FORMAT_", c.Format)),
	}
	if request.Report = (&analyticsv1.ExportReportRequest_Query{Query: question.GetQuery()}); question.GetQuery() == nil {
		request.Report = &analyticsv1.ExportReportRequest_Name{Name: question.GetName()}
	}
	client, err := exportService.on(app)
	if err != nil {
		return err
	}
	begun, err := client.ExportReport(ctx, request)
	if err != nil {
		return err
	}
	operation, err := c.await(ctx, app, client, begun.GetOperation())
	if err != nil {
		return err
	}
	if c.Out == "" {
		c.Out = operation.GetFileName()
	}
	return keep(ctx, app, client, operation, c.Out)
}

// keep fetches the file of an export, and tells what it is.
func keep(ctx context.Context, app *App, client analyticsv1.ExportServiceClient, o *analyticsv1.ExportOperation, path string) error {
	if err := download(ctx, client, o, path); err != nil {
		return err
	}
	if app.JSON {
		return printJSON(app, o)
	}
	_, err := fmt.Fprintf(app.Out, "%s: %s rows, %s bytes\n", path, show.Count(o.GetRows()), show.Count(o.GetFileBytes()))
	return err
}

// ReportFilesCmd lists exports.
type ReportFilesCmd struct{}

// Run prints one line an export.
func (c *ReportFilesCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, exportService, callTimeout, analyticsv1.ExportServiceClient.ListOperations, &analyticsv1.ListOperationsRequest{},
		func(out io.Writer, r *analyticsv1.ListOperationsResponse) error {
			w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			_, _ = fmt.Fprint(w, "export\tfile\tstate\trows\tbytes\tbegun\tkept until\n")
			for _, o := range r.GetOperations() {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", o.GetId(), o.GetFileName(), shortWord(o.GetState().String()),
					show.Count(o.GetRows()), show.Count(o.GetFileBytes()), show.Time(o.GetCreateTime()), show.Time(o.GetExpireTime()))
			}
			return w.Flush()
		})
}

// ReportFetchCmd fetches a file.
type ReportFetchCmd struct {
	ID  string `arg:"" help:"Id of the export."`
	Out string `short:"o" help:"File to write; default is the name that the server proposes, in this folder."`
}

// Run fetches the file.
func (c *ReportFetchCmd) Run(ctx context.Context, app *App) error {
	client, err := exportService.on(app)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	answer, err := client.GetOperation(ctx, &analyticsv1.GetOperationRequest{Id: c.ID})
	if err != nil {
		return err
	}
	if o := answer.GetOperation(); o.GetState() != analyticsv1.OperationState_OPERATION_STATE_DONE {
		return fmt.Errorf("the export is %s: there is no file", shortWord(o.GetState().String()))
	}
	if c.Out == "" {
		c.Out = filepath.Base(answer.GetOperation().GetFileName())
	}
	return keep(ctx, app, client, answer.GetOperation(), c.Out)
}

// await waits until an export is done.
func (c *ReportExportCmd) await(
	ctx context.Context, app *App, client analyticsv1.ExportServiceClient, o *analyticsv1.ExportOperation,
) (*analyticsv1.ExportOperation, error) {
	for o.GetState() == analyticsv1.OperationState_OPERATION_STATE_RUNNING {
		waiting, cancel := context.WithTimeout(ctx, exportWait)
		answer, err := client.WaitOperation(waiting, &analyticsv1.WaitOperationRequest{Id: o.GetId()})
		cancel()
		if ctx.Err() != nil {
			ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
			defer cancel()
			_, err := client.CancelOperation(ending, &analyticsv1.CancelOperationRequest{Id: o.GetId()})
			return nil, errors.Join(errors.New("the export was cancelled"), err)
		}
		if err != nil {
			return nil, err
		}
		if o = answer.GetOperation(); !app.JSON && o.GetState() == analyticsv1.OperationState_OPERATION_STATE_RUNNING {
			if _, err := fmt.Fprintf(app.Out, "%3.0f %% read, %s rows\n", 100*o.GetProgress(), show.Count(o.GetRows())); err != nil {
				return nil, err
			}
		}
	}
	switch o.GetState() {
	case analyticsv1.OperationState_OPERATION_STATE_DONE:
		return o, nil
	case analyticsv1.OperationState_OPERATION_STATE_FAILED:
		return nil, status.FromProto(o.GetError()).Err()
	default:
		return nil, errors.New("somebody cancelled the export")
	}
}

// download fetches a file, goes on where it broke off, and compares its hash.
func download(ctx context.Context, client analyticsv1.ExportServiceClient, o *analyticsv1.ExportOperation, path string) (err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, exportMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	hash := sha256.New()
	to := io.MultiWriter(file, hash)
	var have int64
	for range downloadTries {
		if err = fetch(ctx, client, o.GetId(), &have, to); err == nil || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return err
	}
	if hex.EncodeToString(hash.Sum(nil)) != o.GetFileSha256() {
		return fmt.Errorf("%s arrived broken; fetch it again", path)
	}
	return nil
}

// fetch reads from an offset to the end.
func fetch(ctx context.Context, client analyticsv1.ExportServiceClient, id string, have *int64, to io.Writer) error {
	stream, err := client.DownloadExport(ctx, &analyticsv1.DownloadExportRequest{Id: id, Offset: *have})
	if err != nil {
		return err
	}
	for {
		piece, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		n, err := to.Write(piece.GetData())
		*have += int64(n)
		if err != nil {
			return err
		}
	}
}
