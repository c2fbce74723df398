package customerfact

import (
	"context"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/permission"
)

// Server is the FactService: from proto to Service and back, nothing else.
type Server struct {
	analyticsv1.UnimplementedFactServiceServer

	service *Service
	keeper  *Keeper
}

// NewServer returns the service.
func NewServer(s *Service, k *Keeper) *Server { return &Server{service: s, keeper: k} }

var protoTypes = map[Type]analyticsv1.CustomerFactType{
	Text:    analyticsv1.CustomerFactType_CUSTOMER_FACT_TYPE_TEXT,
	Texts:   analyticsv1.CustomerFactType_CUSTOMER_FACT_TYPE_TEXTS,
	Integer: analyticsv1.CustomerFactType_CUSTOMER_FACT_TYPE_INTEGER,
	Decimal: analyticsv1.CustomerFactType_CUSTOMER_FACT_TYPE_DECIMAL,
	Number:  analyticsv1.CustomerFactType_CUSTOMER_FACT_TYPE_NUMBER,
	Date:    analyticsv1.CustomerFactType_CUSTOMER_FACT_TYPE_DATE,
	Boolean: analyticsv1.CustomerFactType_CUSTOMER_FACT_TYPE_BOOLEAN,
}

var protoFreshness = map[Freshness]analyticsv1.CustomerFactFreshness{
	OnChange: analyticsv1.CustomerFactFreshness_CUSTOMER_FACT_FRESHNESS_CHANGE,
	EachDay:  analyticsv1.CustomerFactFreshness_CUSTOMER_FACT_FRESHNESS_DAY,
	EachRun:  analyticsv1.CustomerFactFreshness_CUSTOMER_FACT_FRESHNESS_RUN,
}

// ListFacts lists the catalogue.
func (s *Server) ListFacts(ctx context.Context, req *analyticsv1.ListFactsRequest) (*analyticsv1.ListFactsResponse, error) {
	catalogue, err := s.service.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	answer := &analyticsv1.ListFactsResponse{}
	for _, f := range catalogue.facts {
		if req.GetSource() == "" || req.GetSource() == f.source.Name {
			answer.Facts = append(answer.Facts, f.toProto())
		}
	}
	return answer, nil
}

func (f *Fact) toProto() *analyticsv1.CustomerFact {
	out := &analyticsv1.CustomerFact{
		Name: f.Name, Title: f.Title, Type: protoTypes[f.Type], Unit: f.Unit, Meaning: f.Meaning, Values: f.Values,
		Freshness: protoFreshness[f.source.Fresh], Source: f.source.Name, AlwaysKnown: f.Known,
	}
	if f.LevelOf != nil {
		out.LevelOf = f.LevelOf.Name
		if f.AboutAll() {
			out.LevelShares = f.LevelOf.Quantiles.At
		} else {
			out.LevelEdges = f.LevelOf.Levels.Edges
		}
	}
	return out
}

// GetCustomerFacts tells the facts of a customer.
func (s *Server) GetCustomerFacts(
	ctx context.Context, req *analyticsv1.GetCustomerFactsRequest,
) (*analyticsv1.GetCustomerFactsResponse, error) {
	branches, limited, err := permission.Branches(ctx)
	if err != nil {
		return nil, err
	}
	asOf := s.service.Today()
	if req.GetAsOf() != nil {
		if asOf, err = date.Field("as_of", req.GetAsOf()); err != nil {
			return nil, err
		}
	}
	customer := uint64(req.GetCustomerId()) //nolint:gosec // positive
	if limited {
		branch, err := s.service.branch(ctx, customer)
		if err != nil {
			return nil, public(err)
		}
		if !slices.Contains(branches, branch) {
			return nil, noCustomer(req.GetCustomerId())
		}
	}
	told, err := s.service.Tell(ctx, customer, req.GetFacts(), asOf)
	if err != nil {
		return nil, err
	}
	answer := &analyticsv1.GetCustomerFactsResponse{
		CustomerId: req.GetCustomerId(), AsOf: date.Proto(told.Day), Values: make([]*analyticsv1.CustomerFactValue, len(told.Values)),
	}
	if !told.RefreshedTime.IsZero() {
		answer.RefreshedTime = timestamppb.New(told.RefreshedTime)
	}
	for i, v := range told.Values {
		answer.Values[i] = v.toProto()
	}
	return answer, nil
}

func (v Value) toProto() *analyticsv1.CustomerFactValue {
	out := &analyticsv1.CustomerFactValue{Name: v.Fact.Name, Unit: v.Fact.Unit}
	switch value := v.Value.(type) {
	case []string:
		out.Value = &analyticsv1.CustomerFactValue_Texts{Texts: &analyticsv1.CustomerFactTexts{Values: value}}
	case string:
		if v.Fact.Type == Decimal {
			out.Value = &analyticsv1.CustomerFactValue_Decimal{Decimal: value}
		} else {
			out.Value = &analyticsv1.CustomerFactValue_Text{Text: value}
		}
	case int64:
		out.Value = &analyticsv1.CustomerFactValue_Integer{Integer: value}
	case float64:
		out.Value = &analyticsv1.CustomerFactValue_Number{Number: value}
	case bool:
		out.Value = &analyticsv1.CustomerFactValue_Boolean{Boolean: value}
	case time.Time:
		out.Value = &analyticsv1.CustomerFactValue_Date{Date: date.Proto(value)}
	}
	return out
}

// RefreshFacts tells facts of today anew.
func (s *Server) RefreshFacts(ctx context.Context, req *analyticsv1.RefreshFactsRequest) (*analyticsv1.RefreshFactsResponse, error) {
	began := timestamppb.Now()
	var err error
	if len(req.GetCustomerIds()) == 0 {
		err = s.keeper.Refresh(ctx)
	} else {
		customers := make([]uint64, len(req.GetCustomerIds()))
		for i, id := range req.GetCustomerIds() {
			customers[i] = uint64(id) //nolint:gosec // positive
		}
		err = s.service.Refresh(ctx, customers)
	}
	if err != nil {
		return nil, err
	}
	return &analyticsv1.RefreshFactsResponse{AsOf: date.Proto(s.service.Today()), BeganTime: began}, nil
}
