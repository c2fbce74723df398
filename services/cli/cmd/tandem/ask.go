package main

import (
	"context"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

const (
	// callTimeout is for calls that answer at once.
	callTimeout = 30 * time.Second
	// listTimeout is for calls that read much, and for lists of many pages.
	listTimeout = 10 * time.Minute
)

// service is a service of the API: the half that has it, and its client.
type service[C any] struct {
	half   func(*App) (*grpc.ClientConn, error)
	client func(grpc.ClientConnInterface) C
}

var (
	accessService      = service[crmv1.AccessServiceClient]{(*App).CRM, crmv1.NewAccessServiceClient}
	accountService     = service[crmv1.ServiceAccountServiceClient]{(*App).CRM, crmv1.NewServiceAccountServiceClient}
	auditService       = service[crmv1.AuditServiceClient]{(*App).CRM, crmv1.NewAuditServiceClient}
	customerService    = service[crmv1.CustomerServiceClient]{(*App).CRM, crmv1.NewCustomerServiceClient}
	definitionService  = service[crmv1.DefinitionServiceClient]{(*App).CRM, crmv1.NewDefinitionServiceClient}
	documentService    = service[crmv1.DocumentServiceClient]{(*App).CRM, crmv1.NewDocumentServiceClient}
	planService        = service[crmv1.PlanServiceClient]{(*App).CRM, crmv1.NewPlanServiceClient}
	searchService      = service[crmv1.SearchServiceClient]{(*App).CRM, crmv1.NewSearchServiceClient}
	customer360Service = service[crmv1.Customer360ServiceClient]{(*App).CRM, crmv1.NewCustomer360ServiceClient}
	timelineService    = service[crmv1.TimelineServiceClient]{(*App).CRM, crmv1.NewTimelineServiceClient}
	clusterService     = service[analyticsv1.ClusterServiceClient]{(*App).Analytics, analyticsv1.NewClusterServiceClient}
	clvService         = service[analyticsv1.ClvServiceClient]{(*App).Analytics, analyticsv1.NewClvServiceClient}
	exportService      = service[analyticsv1.ExportServiceClient]{(*App).Analytics, analyticsv1.NewExportServiceClient}
	factService        = service[analyticsv1.FactServiceClient]{(*App).Analytics, analyticsv1.NewFactServiceClient}
	matrixService      = service[analyticsv1.ProductMatrixServiceClient]{(*App).Analytics, analyticsv1.NewProductMatrixServiceClient}
	performanceService = service[analyticsv1.PerformanceServiceClient]{(*App).Analytics, analyticsv1.NewPerformanceServiceClient}
	profileService     = service[analyticsv1.ProfileSchemeServiceClient]{(*App).Analytics, analyticsv1.NewProfileSchemeServiceClient}
	reportService      = service[analyticsv1.ReportServiceClient]{(*App).Analytics, analyticsv1.NewReportServiceClient}
	rfmService         = service[analyticsv1.RfmServiceClient]{(*App).Analytics, analyticsv1.NewRfmServiceClient}
	scheduleService    = service[analyticsv1.ScheduleServiceClient]{(*App).Analytics, analyticsv1.NewScheduleServiceClient}
	scoreService       = service[analyticsv1.ScoreServiceClient]{(*App).Analytics, analyticsv1.NewScoreServiceClient}
	segmentService     = service[analyticsv1.SegmentServiceClient]{(*App).Analytics, analyticsv1.NewSegmentServiceClient}
)

// on returns the client of a command.
func (s service[C]) on(app *App) (client C, err error) {
	conn, err := s.half(app)
	if err != nil {
		return client, err
	}
	return s.client(conn), nil
}

// ask makes a call within a time, and prints its answer: as JSON for programs, or by text for people.
func ask[C, Q any, A proto.Message](
	ctx context.Context, app *App, of service[C], within time.Duration,
	call func(C, context.Context, Q, ...grpc.CallOption) (A, error), request Q, text func(io.Writer, A) error,
) error {
	client, err := of.on(app)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	answer, err := call(client, ctx, request)
	if err != nil {
		return err
	}
	if app.JSON {
		return printJSON(app, answer)
	}
	return text(app.Out, answer)
}

// each reads pages and uses what is in them one by one; limit is the most, 0 stands for all. A page has at most size.
func each[T any](limit, size int, read func(size int32, token string) (items []T, next string, err error), use func(T) error) error {
	token, used := "", 0
	for {
		if limit > 0 {
			size = min(limit-used, size)
		}
		items, next, err := read(int32(size), token) //nolint:gosec // sizes of pages are small
		if err != nil {
			return err
		}
		if limit > 0 {
			items = items[:min(limit-used, len(items))]
		}
		for _, item := range items {
			if err := use(item); err != nil {
				return err
			}
		}
		used += len(items)
		if token = next; token == "" || limit > 0 && used >= limit {
			return nil
		}
	}
}
