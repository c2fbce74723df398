package export

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/report"
)

// chunkBytes is how much of a file goes into one message.
const chunkBytes = 256 << 10

// titleDefault stands above a question without a title.
const titleDefault = "Report"

// Server is the ExportService: from proto to Service and back, nothing else.
type Server struct {
	analyticsv1.UnimplementedExportServiceServer
	service *Service
	library *report.Library
}

// NewServer returns the service.
func NewServer(s *Service, l *report.Library) *Server { return &Server{service: s, library: l} }

// ExportReport begins an export.
func (s *Server) ExportReport(ctx context.Context, req *analyticsv1.ExportReportRequest) (*analyticsv1.ExportReportResponse, error) {
	caller, err := report.CallerOf(ctx)
	if err != nil {
		return nil, err
	}
	order, err := s.order(ctx, req)
	if err != nil {
		return nil, err
	}
	op, err := s.service.Begin(ctx, order, caller)
	return &analyticsv1.ExportReportResponse{Operation: op}, err
}

func (s *Server) order(ctx context.Context, req *analyticsv1.ExportReportRequest) (Order, error) {
	o := Order{Title: req.GetTitle(), Chart: req.GetChart(), Format: req.GetFormat()}
	if q := req.GetQuery(); q != nil {
		if req.GetVersion() != 0 || req.GetAsOf() != nil {
			return o, apperr.InvalidField("query", "a question names its own as_of and has no version")
		}
		if o.Title == "" {
			o.Title = titleDefault
		}
		o.Query, o.File = proto.CloneOf(q), fileName(o.Title)
		return o, nil
	}
	if req.GetTitle() != "" || req.GetChart() != nil {
		return o, apperr.InvalidField("title", "a saved report has its own title and chart")
	}
	named, err := s.library.Find(ctx, req.GetName(), req.GetVersion())
	if err != nil {
		return o, err
	}
	o.Title, o.Chart, o.File = named.Definition.GetTitle(), named.Definition.GetChart(), fileName(named.Name)
	if o.Format == 0 {
		o.Format = named.Definition.GetFormat()
	}
	o.Query = proto.CloneOf(named.Definition.GetQuery())
	o.Query.AsOf = req.GetAsOf()
	return o, nil
}

// find returns the operation of an id that belongs to the caller.
func (s *Server) find(ctx context.Context, id string) (*exporting, error) {
	caller, err := report.CallerOf(ctx)
	if err != nil {
		return nil, err
	}
	if op := s.service.operations.Any(id); op != nil {
		if name, ok := strings.CutPrefix(op.Owner(), scheduledPrefix); ok && s.mayFetch(ctx, caller, name) {
			return op, nil
		}
	}
	return s.service.operations.Find(id, caller.ID)
}

// mayFetch reports whether somebody may have the files that a schedule made of a saved report: they are about the whole bank.
func (s *Server) mayFetch(ctx context.Context, caller report.Caller, name string) bool {
	if caller.Scope.Limited {
		return false
	}
	_, err := s.library.Find(ctx, name, 0)
	return err == nil
}

// GetOperation returns an operation.
func (s *Server) GetOperation(ctx context.Context, req *analyticsv1.GetOperationRequest) (*analyticsv1.GetOperationResponse, error) {
	op, err := s.find(ctx, req.GetId())
	if err != nil {
		return nil, err
	}
	return &analyticsv1.GetOperationResponse{Operation: op.Snapshot()}, nil
}

// WaitOperation waits until an operation ends or the caller's deadline is near.
func (s *Server) WaitOperation(ctx context.Context, req *analyticsv1.WaitOperationRequest) (*analyticsv1.WaitOperationResponse, error) {
	op, err := s.find(ctx, req.GetId())
	if err != nil {
		return nil, err
	}
	state, err := op.Wait(ctx)
	return &analyticsv1.WaitOperationResponse{Operation: state}, err
}

// CancelOperation cancels an operation, and waits until it has let go.
func (s *Server) CancelOperation(ctx context.Context, req *analyticsv1.CancelOperationRequest) (*analyticsv1.CancelOperationResponse, error) {
	op, err := s.find(ctx, req.GetId())
	if err != nil {
		return nil, err
	}
	state, err := op.Cancel(ctx)
	return &analyticsv1.CancelOperationResponse{Operation: state}, err
}

// ListOperations lists the caller's operations.
func (s *Server) ListOperations(ctx context.Context, _ *analyticsv1.ListOperationsRequest) (*analyticsv1.ListOperationsResponse, error) {
	caller, err := report.CallerOf(ctx)
	if err != nil {
		return nil, err
	}
	owners := []string{caller.ID}
	for _, owner := range s.service.operations.Owners() {
		if name, scheduled := strings.CutPrefix(owner, scheduledPrefix); scheduled && s.mayFetch(ctx, caller, name) {
			owners = append(owners, owner)
		}
	}
	return &analyticsv1.ListOperationsResponse{Operations: s.service.operations.List(owners...)}, nil
}

// DownloadExport streams a file.
func (s *Server) DownloadExport(req *analyticsv1.DownloadExportRequest, stream grpc.ServerStreamingServer[analyticsv1.DownloadExportResponse]) error {
	op, err := s.find(stream.Context(), req.GetId())
	if err != nil {
		return err
	}
	state := op.Snapshot()
	switch {
	case state.GetState() != analyticsv1.OperationState_OPERATION_STATE_DONE:
		return apperr.New(codes.FailedPrecondition, apperr.ReasonFailedPrecondition, "the export is not done")
	case req.GetOffset() > state.GetFileBytes():
		return apperr.New(codes.OutOfRange, apperr.ReasonInvalidField, "offset: the file has %d bytes", state.GetFileBytes())
	}
	file, err := os.Open(s.service.operations.DataPath(op))
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	offset, err := file.Seek(req.GetOffset(), io.SeekStart)
	for err == nil {
		chunk := make([]byte, chunkBytes)
		var n int
		if n, err = io.ReadFull(file, chunk); n > 0 {
			if err := stream.Send(&analyticsv1.DownloadExportResponse{Data: chunk[:n], Offset: offset}); err != nil {
				return err
			}
			offset += int64(n)
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}
