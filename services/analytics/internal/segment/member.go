package segment

import (
	"context"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"tandem.bank/pkg/page"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/warehouse"
)

// after continues a list behind a customer.
type after struct {
	Customer uint64 `json:"c"`
}

// paged takes a page of a set behind a customer, and says whether there are more.
func paged(set *roaring64.Bitmap, behind uint64, size int) (ids []int64, more bool) {
	at := set.Iterator()
	at.AdvanceIfNeeded(behind + 1)
	for at.HasNext() {
		if len(ids) == size {
			return ids, true
		}
		ids = append(ids, int64(at.Next())) //nolint:gosec // ids come from int64s
	}
	return ids, false
}

// nextPage is the token behind a page; empty when there are no more.
func nextPage(ids []int64, more bool, parameters ...string) (string, error) {
	if !more {
		return "", nil
	}
	return page.Encode(after{uint64(ids[len(ids)-1])}, parameters...) //nolint:gosec // ids are positive
}

// behind is where a page begins.
func behind(token string, parameters ...string) (uint64, error) {
	at, err := page.Decode[after](token, parameters...)
	if err != nil || at == nil {
		return 0, err
	}
	return at.Customer, nil
}

// set returns the members of a segment on a day, or now when there is none, for the caller of a context.
func (s *Service) set(ctx context.Context, name string, asOf time.Time) (*roaring64.Bitmap, error) {
	if asOf.IsZero() {
		if _, err := s.visible(ctx, definition.Ref{Name: name}); err != nil {
			return nil, err
		}
		var out *roaring64.Bitmap
		err := s.follower.members(ctx, name, func(members *roaring64.Bitmap) { out = members.Clone() })
		return out, err
	}
	run, err := s.snapshotOf(ctx, definition.Ref{Name: name}, asOf)
	if err != nil {
		return nil, err
	}
	out, err := s.store.bitmap(ctx, run)
	return out, warehouse.Public(err)
}

// combine applies an operation to the members of segments, in their order.
func (s *Service) combine(ctx context.Context, names []string, how analyticsv1.SegmentOperation, asOf time.Time) (*roaring64.Bitmap, error) {
	var out *roaring64.Bitmap
	for i, name := range names {
		set, err := s.set(ctx, name, asOf)
		if err != nil {
			return nil, err
		}
		switch {
		case i == 0:
			out = set
		case how == analyticsv1.SegmentOperation_SEGMENT_OPERATION_UNION:
			out.Or(set)
		case how == analyticsv1.SegmentOperation_SEGMENT_OPERATION_INTERSECTION:
			out.And(set)
		case how == analyticsv1.SegmentOperation_SEGMENT_OPERATION_DIFFERENCE:
			out.AndNot(set)
		default:
			out.Xor(set)
		}
	}
	return out, nil
}
