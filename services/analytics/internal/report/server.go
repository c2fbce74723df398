package report

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/auth"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/permission"
)

// Server is the ReportService: from proto to Service and back, nothing else.
type Server struct {
	analyticsv1.UnimplementedReportServiceServer
	service *Service
	library *Library
}

// NewServer returns the service.
func NewServer(s *Service, l *Library) *Server { return &Server{service: s, library: l} }

// Library finds reports by name: saved ones first, then those that come with this program.
type Library struct {
	saved *definition.Store
	ready Ready
}

// NewLibrary reads the reports that come with this program.
func NewLibrary(saved *definition.Store) (*Library, error) {
	ready, err := ReadReady()
	return &Library{saved, ready}, err
}

// Named is a report that was found by its name.
type Named struct {
	Name       string
	Version    int32
	Definition *definitionv1.ReportDefinition
}

// Find returns the report of a name that the caller of the context may read.
func (l *Library) Find(ctx context.Context, name string, version int32) (*Named, error) {
	found, err := l.saved.ForCaller(ctx, definition.Ref{Name: name, Version: uint64(max(version, 0))})
	if err == nil {
		if err := found.Runnable(definition.KindReport); err != nil {
			return nil, err
		}
		return &Named{name, int32(found.Version), found.Spec.GetReport()}, nil //nolint:gosec // versions are few
	}
	if ready := l.ready[name]; ready != nil && version == 0 {
		return &Named{Name: name, Definition: ready}, nil
	}
	if like := near(name, l.ready.Names()); status.Code(err) == codes.NotFound && len(like) > 0 {
		return nil, apperr.NotFound("there is no report %q; near ones are %s", name, strings.Join(like, ", "))
	}
	return nil, err
}

// CallerOf tells who asks, and what they may see.
func CallerOf(ctx context.Context) (Caller, error) {
	branches, limited, err := permission.Branches(ctx)
	if err != nil {
		return Caller{}, err
	}
	principal, _ := auth.FromContext(ctx)
	return Caller{ID: principal.Issuer + "\x00" + principal.Subject, Scope: Scope{Limited: limited, Branches: branches}}, nil
}

// GetCatalogue returns the catalogue.
func (s *Server) GetCatalogue(context.Context, *analyticsv1.GetCatalogueRequest) (*analyticsv1.GetCatalogueResponse, error) {
	return s.service.catalogue.Describe(), nil
}

// ListReports lists the reports that come with this program.
func (s *Server) ListReports(context.Context, *analyticsv1.ListReportsRequest) (*analyticsv1.ListReportsResponse, error) {
	out := &analyticsv1.ListReportsResponse{}
	for _, name := range s.library.ready.Names() {
		out.Reports = append(out.Reports, &analyticsv1.ReadyReport{Name: name, Definition: s.library.ready[name]})
	}
	return out, nil
}

// RunReport runs a report and streams it.
func (s *Server) RunReport(req *analyticsv1.RunReportRequest, stream grpc.ServerStreamingServer[analyticsv1.RunReportResponse]) error {
	caller, err := CallerOf(stream.Context())
	if err != nil {
		return err
	}
	to := &reportStream{stream: stream}
	q := req.GetQuery()
	if q == nil {
		if to.named, err = s.library.Find(stream.Context(), req.GetName(), req.GetVersion()); err != nil {
			return err
		}
		q = cloneQuery(to.named.Definition.GetQuery())
		q.AsOf = req.GetAsOf()
	} else if req.GetVersion() != 0 || req.GetAsOf() != nil {
		return apperr.InvalidField("query", "a question names its own as_of and has no version")
	}
	end, err := s.service.Run(stream.Context(), q, caller, s.maxAge(req), to)
	if err != nil {
		return err
	}
	return stream.Send(&analyticsv1.RunReportResponse{Part: &analyticsv1.RunReportResponse_End{End: end}})
}

// maxAge is how old an answer may be.
func (s *Server) maxAge(req *analyticsv1.RunReportRequest) time.Duration {
	switch {
	case req.GetMaxAge() != nil:
		return req.GetMaxAge().AsDuration()
	case req.GetQuery() == nil:
		return s.service.KeepFor()
	default:
		return 0
	}
}

// KeepReady computes the reports that come with this program ahead of those who read them.
func (s *Server) KeepReady(ctx context.Context) error {
	return s.service.KeepReady(ctx, s.library.ready)
}

// DrillDown goes deeper into a cell.
func (s *Server) DrillDown(req *analyticsv1.DrillDownRequest, stream grpc.ServerStreamingServer[analyticsv1.DrillDownResponse]) error {
	caller, err := CallerOf(stream.Context())
	if err != nil {
		return err
	}
	d := Drill{Report: req.GetReportToken(), Cell: req.GetCell(), Dimension: req.GetDimension(), Rows: req.GetRows(), Limit: req.GetLimit()}
	if d.Rows && d.Dimension != "" {
		return apperr.InvalidField("dimension", "rows have no dimension")
	}
	end, err := s.service.Drill(stream.Context(), d, caller, &drillStream{stream})
	if err != nil {
		return err
	}
	return stream.Send(&analyticsv1.DrillDownResponse{Part: &analyticsv1.DrillDownResponse_End{End: end}})
}

// reportStream sends a report.
type reportStream struct {
	stream grpc.ServerStreamingServer[analyticsv1.RunReportResponse]
	named  *Named
}

// Header sends the header, with the name of a saved report.
func (r *reportStream) Header(h *analyticsv1.ReportHeader) error {
	if r.named != nil {
		h.Name, h.Version, h.Title = r.named.Name, r.named.Version, r.named.Definition.GetTitle()
	}
	return r.stream.Send(&analyticsv1.RunReportResponse{Part: &analyticsv1.RunReportResponse_Header{Header: h}})
}

// Rows sends rows.
func (r *reportStream) Rows(rows []*analyticsv1.ReportRow) error {
	return r.stream.Send(&analyticsv1.RunReportResponse{Part: &analyticsv1.RunReportResponse_Rows{Rows: &analyticsv1.ReportRows{Rows: rows}}})
}

// drillStream sends what lies behind a cell.
type drillStream struct {
	stream grpc.ServerStreamingServer[analyticsv1.DrillDownResponse]
}

// Header sends the header.
func (d *drillStream) Header(h *analyticsv1.ReportHeader) error {
	return d.stream.Send(&analyticsv1.DrillDownResponse{Part: &analyticsv1.DrillDownResponse_Header{Header: h}})
}

// Rows sends rows.
func (d *drillStream) Rows(rows []*analyticsv1.ReportRow) error {
	return d.stream.Send(&analyticsv1.DrillDownResponse{Part: &analyticsv1.DrillDownResponse_Rows{Rows: &analyticsv1.ReportRows{Rows: rows}}})
}

// Describe tells what reports can ask, for callers and for the page for analysts.
func (c *Catalogue) Describe() *analyticsv1.GetCatalogueResponse {
	out := &analyticsv1.GetCatalogueResponse{}
	for _, m := range c.Measures {
		out.Measures = append(out.Measures, c.measureProto(m))
	}
	for _, d := range c.Dimensions {
		of := &analyticsv1.CatalogueDimension{Name: d.Name, Title: d.Title, Description: d.Description, Type: d.Type, Sql: map[string]string{}}
		for _, f := range c.Facts {
			switch {
			case !f.has(d):
				continue
			case d.Grain != "":
				of.Sql[f.Name] = startSQL(grainNames[d.Grain], f.Day)
			default:
				of.Sql[f.Name], _ = c.column(f, d)
			}
			for _, field := range c.filterSchema(f) {
				if (field.Name == d.Name || field.Name == d.Name+filterIDSuffix) && !slices.Contains(of.FilterFields, field.Name) {
					of.FilterFields = append(of.FilterFields, field.Name)
				}
			}
		}
		out.Dimensions = append(out.Dimensions, of)
	}
	for _, h := range c.Hierarchies {
		out.Hierarchies = append(out.Hierarchies, &analyticsv1.CatalogueHierarchy{Name: h.Name, Title: h.Title, Levels: h.Levels})
	}
	for _, f := range c.Facts {
		out.Facts = append(out.Facts, &analyticsv1.CatalogueFact{Name: f.Name, Description: f.Description, View: f.View})
	}
	return out
}

func (c *Catalogue) measureProto(m *Measure) *analyticsv1.CatalogueMeasure {
	of := c.parts(m)[0]
	out := &analyticsv1.CatalogueMeasure{
		Name: m.Name, Title: m.Title, Description: m.Description, Unit: m.Unit, Fact: of.Fact, RatioOf: m.RatioOf,
		Dimensions: c.dimensionsOf(m), StatedCurrency: of.Stated != "",
	}
	s := &scan{plan: &plan{query: &definitionv1.ReportQuery{}}, fact: c.Fact(of.Fact)}
	switch {
	case len(m.RatioOf) > 0:
		out.Kind = analyticsv1.MeasureKind_MEASURE_KIND_RATIO
		out.Sql = fmt.Sprintf("%s / %s", m.RatioOf[0], m.RatioOf[1])
		return out
	case m.Aggregate == aggregateDistinct:
		out.Kind = analyticsv1.MeasureKind_MEASURE_KIND_DISTINCT
	case c.Fact(m.Fact).Over == overFlow:
		out.Kind = analyticsv1.MeasureKind_MEASURE_KIND_ADDITIVE
	default:
		out.Kind = analyticsv1.MeasureKind_MEASURE_KIND_SEMI_ADDITIVE
	}
	out.Sql = s.aggregate(m, sideNow, false)
	return out
}
