package productmatrix

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/shopspring/decimal"
	moneypb "google.golang.org/genproto/googleapis/type/money"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	"tandem.bank/pkg/money"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/division"
)

// Server is the ProductMatrixService: from proto to Service and back, nothing else.
type Server struct {
	analyticsv1.UnimplementedProductMatrixServiceServer
	service *Service
}

// NewServer returns the service.
func NewServer(s *Service) *Server { return &Server{service: s} }

// days are the one looked at and the earlier one.
func days(req *analyticsv1.GetProductMatrixRequest) (asOf, before time.Time, err error) {
	if asOf, err = date.Field("as_of", req.GetAsOf()); err != nil {
		return asOf, before, err
	}
	if before = asOf.AddDate(-1, 0, 0); req.GetComparedAsOf() != nil {
		if before, err = date.Field("compared_as_of", req.GetComparedAsOf()); err != nil {
			return asOf, before, err
		}
	}
	if !before.Before(asOf) {
		return asOf, before, apperr.InvalidField("compared_as_of", "must be before as_of")
	}
	return asOf, before, nil
}

// GetProductMatrix sets products against segments.
func (s *Server) GetProductMatrix(
	ctx context.Context, req *analyticsv1.GetProductMatrixRequest,
) (*analyticsv1.GetProductMatrixResponse, error) {
	asOf, earlier, err := days(req)
	if err != nil {
		return nil, err
	}
	scope, err := division.CallerScope(ctx)
	if err != nil {
		return nil, err
	}
	q := Question{Segments: req.GetSegments(), AsOf: asOf, By: ByFamily, Scope: scope}
	if req.GetBy() == analyticsv1.ProductMatrixBy_PRODUCT_MATRIX_BY_PRODUCT {
		q.By = ByCode
	}
	members, err := s.service.Members(ctx, q)
	if err != nil {
		return nil, err
	}
	currency, err := s.service.BaseCurrency(ctx)
	if err != nil {
		return nil, err
	}
	now, err := s.service.On(ctx, q, asOf, currency)
	if err != nil {
		return nil, err
	}
	before, err := s.service.On(ctx, q, earlier, currency)
	if err != nil {
		return nil, err
	}
	answer := &analyticsv1.GetProductMatrixResponse{AsOf: date.Proto(asOf), ComparedAsOf: date.Proto(earlier)}
	for _, segment := range req.GetSegments() {
		row, err := rowToProto(segment, members[segment], now, before, currency)
		if err != nil {
			return nil, err
		}
		answer.Segments = append(answer.Segments, row)
	}
	return answer, nil
}

// rowToProto is a segment with every product of either day.
func rowToProto(segment string, members uint64, now, before map[Key]Sum, currency string) (*analyticsv1.ProductMatrixSegment, error) {
	row := &analyticsv1.ProductMatrixSegment{Segment: segment, Customers: int64(members)} //nolint:gosec // a count
	seen := map[Key]bool{}
	for _, sums := range []map[Key]Sum{now, before} {
		for key := range sums {
			if key.Segment != segment || seen[key] {
				continue
			}
			seen[key] = true
			cell, err := cellToProto(key.Product, members, now[key], before[key], currency)
			if err != nil {
				return nil, err
			}
			row.Products = append(row.Products, cell)
		}
	}
	slices.SortFunc(row.GetProducts(), func(a, b *analyticsv1.ProductMatrixCell) int { return cmp.Compare(a.GetProduct(), b.GetProduct()) })
	return row, nil
}

func cellToProto(product string, members uint64, now, before Sum, currency string) (*analyticsv1.ProductMatrixCell, error) {
	//nolint:gosec // counts
	cell := &analyticsv1.ProductMatrixCell{Product: product, Holders: int64(now.Holders), HoldersBefore: int64(before.Holders)}
	for _, amount := range []struct {
		to    **moneypb.Money
		value decimal.Decimal
	}{{&cell.Balance, now.Balance}, {&cell.Margin, now.Margin}, {&cell.BalanceBefore, before.Balance}} {
		if amount.value.Abs().GreaterThan(decimal.New(math.MaxInt64, 0)) {
			return nil, fmt.Errorf("sum %s %s does not fit google.type.Money", amount.value, currency)
		}
		*amount.to = money.Proto(amount.value, currency)
	}
	if members > 0 {
		cell.Penetration = float64(now.Holders) / float64(members)
	}
	if now.Holders > 0 {
		const places = 4
		cell.AverageBalance = money.Proto(now.Balance.DivRound(decimal.NewFromUint64(now.Holders), places), currency)
	}
	if before.Holders > 0 {
		cell.HoldersGrowth = new((float64(now.Holders) - float64(before.Holders)) / float64(before.Holders))
	}
	if !before.Balance.IsZero() {
		cell.BalanceGrowth = new(now.Balance.Sub(before.Balance).Div(before.Balance.Abs()).InexactFloat64())
	}
	return cell, nil
}
