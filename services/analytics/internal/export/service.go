package export

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/operation"
	"tandem.bank/services/analytics/internal/report"
)

const (
	// workers is how many exports are written at a time; others wait.
	workers = 2
	// scheduledLifetime is how long a file that a schedule made is kept: that of a month waits for the next one.
	scheduledLifetime = 35 * 24 * time.Hour
)

// Config is what exports need.
type Config struct {
	Reports *report.Service
	// Dir is the folder of the files; only this process may use it.
	Dir    string
	Logger *slog.Logger
}

// Validate names what is missing.
func (c Config) Validate() error {
	if c.Reports == nil || c.Dir == "" || c.Logger == nil {
		return errors.New("export: reports, folder and logger are required")
	}
	return nil
}

// Service runs exports.
type Service struct {
	reports    *report.Service
	operations *operation.Store[*analyticsv1.ExportOperation]
}

// exporting is an export at work.
type exporting = operation.Operation[*analyticsv1.ExportOperation]

// New builds the service and reads what is left of the last one.
func New(c Config) (*Service, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	operations, err := operation.Open(operation.Config[*analyticsv1.ExportOperation]{
		Dir: c.Dir, Noun: "exports", Workers: workers, Logger: c.Logger.With("component", "export"),
		New: func() *analyticsv1.ExportOperation { return &analyticsv1.ExportOperation{} },
		End: func(e *analyticsv1.ExportOperation, as analyticsv1.OperationState, failure *status.Status) {
			e.State, e.EndTime, e.Error = as, timestamppb.Now(), failure.Proto()
		},
	})
	return &Service{reports: c.Reports, operations: operations}, err
}

// Run forgets old files until the context ends, and then ends every export.
func (s *Service) Run(ctx context.Context) error { return s.operations.Run(ctx) }

// Order is what is to be exported.
type Order struct {
	Query  *definitionv1.ReportQuery
	Title  string
	Chart  *definitionv1.ReportChart
	Format definitionv1.ReportFormat
	// File is the name of the file without the day and the format.
	File string
	// Lifetime is how long the file is kept; 0 stands for that of operations.
	Lifetime time.Duration
}

// Begin starts an export, after its question was found right.
func (s *Service) Begin(ctx context.Context, o Order, caller report.Caller) (*analyticsv1.ExportOperation, error) {
	op, err := s.begin(ctx, o, caller)
	if err != nil {
		return nil, err
	}
	return op.Snapshot(), nil
}

func (s *Service) begin(ctx context.Context, o Order, caller report.Caller) (*exporting, error) {
	if o.Format == 0 {
		o.Format = definitionv1.ReportFormat_REPORT_FORMAT_XLSX
	}
	if o.Query.GetAsOf() == nil {
		o.Query.AsOf = date.Proto(s.reports.Today())
	}
	totalled(o)
	if err := s.reports.Check(o.Query, caller.Scope); err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	if o.Lifetime == 0 {
		o.Lifetime = operation.Lifetime
	}
	now := time.Now()
	return s.operations.Start(ctx, caller.ID, &analyticsv1.ExportOperation{
		Id: id.String(), State: analyticsv1.OperationState_OPERATION_STATE_RUNNING, Title: o.Title, Format: o.Format,
		FileName:   fmt.Sprintf("%s-%s.%s", o.File, dayText(o.Query.GetAsOf()), extensions[o.Format]),
		CreateTime: timestamppb.New(now), ExpireTime: timestamppb.New(now.Add(o.Lifetime)),
	}, func(ctx context.Context, op *exporting) error { return s.write(ctx, op, o, caller) })
}

// scheduledPrefix begins the owner of a file that a schedule made; the name of its definition follows.
const scheduledPrefix = "definition\x00"

// RunDefinition makes the file of a saved report by schedule, over the whole bank. It is a schedule.Runner; the file belongs to
// those who may read the definition and see all branches.
func (s *Service) RunDefinition(ctx context.Context, d *definition.Definition, asOf time.Time) (string, error) {
	spec := d.Spec.GetReport()
	if spec.GetFormat() == 0 {
		return "", apperr.InvalidField("format", "report %s names no format, so a schedule can't make a file of it", d.Name)
	}
	query := proto.CloneOf(spec.GetQuery())
	query.AsOf = date.Proto(asOf)
	order := Order{
		Query: query, Title: spec.GetTitle(), Chart: spec.GetChart(), Format: spec.GetFormat(), File: fileName(d.Name), Lifetime: scheduledLifetime,
	}
	op, err := s.begin(ctx, order, report.Caller{ID: scheduledPrefix + d.Name})
	if err != nil {
		return "", err
	}
	stop := context.AfterFunc(ctx, op.Abort)
	defer stop()
	end := op.End()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if end.GetState() != analyticsv1.OperationState_OPERATION_STATE_DONE {
		return "", fmt.Errorf("export %s: %s", end.GetId(), end.GetError().GetMessage())
	}
	return "export " + end.GetId(), nil
}

// totalled adds a total to files for people, where a report can have one.
func totalled(o Order) {
	if o.Format != definitionv1.ReportFormat_REPORT_FORMAT_CSV && o.Query.GetSubtotals() == 0 && !o.Query.GetRunningTotal() &&
		len(o.Query.GetDimensions()) > 0 {
		o.Query.Subtotals = definitionv1.Subtotals_SUBTOTALS_TOTAL
	}
}

// write runs the report into a file.
func (s *Service) write(ctx context.Context, op *exporting, o Order, caller report.Caller) (err error) {
	file, err := os.OpenFile(s.operations.DataPath(op), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	to, err := newWriter(o.Format, file, subject{o.Title, o.Chart})
	if err != nil {
		return err
	}
	end, err := s.reports.Run(withProgress(ctx, op), o.Query, caller, 0, &counter{to, op})
	if err != nil {
		return err
	}
	if err := to.Close(end); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return seal(op, file, end)
}

// withProgress tells the operation how much of what it reads a statement has read.
func withProgress(ctx context.Context, op *exporting) context.Context {
	var read, total uint64
	return operation.WithRows(ctx, func(more, all uint64) {
		if read, total = read+more, total+all; total > 0 {
			op.Change(func(e *analyticsv1.ExportOperation) { e.Progress = min(1, float64(read)/float64(total)) })
		}
	})
}

// seal tells size and hash of a finished file.
func seal(op *exporting, file *os.File, end *analyticsv1.ReportEnd) error {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	hash := sha256.New()
	size, err := io.Copy(hash, file)
	if err != nil {
		return err
	}
	op.Change(func(e *analyticsv1.ExportOperation) {
		e.FileBytes, e.FileSha256, e.Progress, e.Truncated = size, hex.EncodeToString(hash.Sum(nil)), 1, end.GetTruncated()
	})
	return file.Sync()
}

// counter counts the rows on their way.
type counter struct {
	writer
	op *exporting
}

// Rows counts and writes rows.
func (c *counter) Rows(rows []*analyticsv1.ReportRow) error {
	if err := c.writer.Rows(rows); err != nil {
		return err
	}
	c.op.Change(func(e *analyticsv1.ExportOperation) { e.Rows += int64(len(rows)) })
	return nil
}

// fileName makes a name for a file of a title.
func fileName(title string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		default:
			return '-'
		}
	}, title)
	if name = strings.Trim(name, "-"); name == "" {
		return "report"
	}
	return name
}
