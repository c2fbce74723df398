package behaviour

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/listing"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// rejectionsMax bounds the answer to a stream.
const rejectionsMax = 1000

// Server answers tandem.crm.v1.BehaviourService.
type Server struct {
	crmv1.UnimplementedBehaviourServiceServer
	recorder *Recorder
}

// NewServer serves a recorder.
func NewServer(recorder *Recorder) *Server { return &Server{recorder: recorder} }

// BatchRecordBehaviourEvents records a bundle.
func (s *Server) BatchRecordBehaviourEvents(
	ctx context.Context, req *crmv1.BatchRecordBehaviourEventsRequest,
) (*crmv1.BatchRecordBehaviourEventsResponse, error) {
	results, err := s.recorder.Record(ctx, req.GetEvents(), req.GetValidateOnly())
	return &crmv1.BatchRecordBehaviourEventsResponse{Results: results}, err
}

// StreamBehaviourEvents records bundles as they come, each committed before the next is read.
func (s *Server) StreamBehaviourEvents(
	stream grpc.ClientStreamingServer[crmv1.StreamBehaviourEventsRequest, crmv1.StreamBehaviourEventsResponse],
) error {
	sum := &crmv1.StreamBehaviourEventsResponse{}
	for ; ; sum.Batches++ {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(sum)
		}
		if err != nil {
			return err
		}
		results, err := s.recorder.Record(stream.Context(), req.GetBatch().GetEvents(), req.GetBatch().GetValidateOnly())
		if err != nil {
			return err
		}
		add(sum, results)
	}
}

func add(sum *crmv1.StreamBehaviourEventsResponse, results []*crmv1.UpsertResult) {
	for i, result := range results {
		switch {
		case result.GetError() != nil:
			sum.Rejected++
			if len(sum.GetRejections()) < rejectionsMax {
				sum.Rejections = append(sum.Rejections, &crmv1.RejectedEvent{
					BatchIndex: sum.GetBatches(), EventIndex: int32(i), Error: result.GetError(),
				})
			}
		case result.GetOutcome() == crmv1.UpsertOutcome_UPSERT_OUTCOME_CREATED:
			sum.Created++
		default:
			sum.Unchanged++
		}
	}
}

// LinkVisitor says who a visitor is.
func (s *Server) LinkVisitor(ctx context.Context, req *crmv1.LinkVisitorRequest) (*crmv1.LinkVisitorResponse, error) {
	return s.recorder.LinkVisitor(ctx, req)
}

// ListBehaviourEvents returns a page of one customer's or one visitor's events.
func (s *Server) ListBehaviourEvents(ctx context.Context, req *crmv1.ListBehaviourEventsRequest) (*crmv1.ListBehaviourEventsResponse, error) {
	if (req.GetCustomerId() == 0) == (req.GetVisitorId() == "") {
		return nil, apperr.InvalidField("customer_id", "set either this or visitor_id")
	}
	if err := s.mayAsk(ctx, req); err != nil {
		return nil, err
	}
	list := &listing.Rows[*Row]{
		Table: "behaviour_event", Columns: Columns, ID: "behaviour_event_id", IDOf: func(r *Row) int64 { return r.ID },
		Condition: "customer_id = $1", Args: []any{req.GetCustomerId()}, Seen: seen, Order: "time desc", Schema: schema, Scanner: scanner,
	}
	if req.GetVisitorId() != "" {
		list.Condition, list.Args = "visitor_id = $1 AND visitor_id <> ''", []any{req.GetVisitorId()}
	}
	found, err := list.List(ctx, s.recorder.pool, req)
	if err != nil {
		return nil, err
	}
	answer := &crmv1.ListBehaviourEventsResponse{NextPageToken: found.Next, Count: found.Count}
	for _, r := range found.Items {
		answer.Events = append(answer.Events, r.Proto())
	}
	return answer, nil
}

// seen leaves the events of customers whom the caller sees.
func seen(ctx context.Context, where string, args []any) (string, []any) {
	condition, args := sight.Condition(ctx, belongs, args)
	if condition != "" {
		where = fmt.Sprintf("(%s) AND %s", where, condition)
	}
	return where, args
}

// mayAsk refuses to ask by a customer whom the caller does not see, and by a visitor when the caller does not see visitors:
// who may try numbers learns them.
func (s *Server) mayAsk(ctx context.Context, req *crmv1.ListBehaviourEventsRequest) error {
	if req.GetCustomerId() != 0 {
		return customer.Table.MustSee(ctx, s.recorder.pool, req.GetCustomerId())
	}
	if !sight.Of(ctx).Shows("BehaviourEvent.visitor_id") {
		text := "you do not see visitors in full, so you can't ask by them"
		return &apperr.Error{
			Code: codes.PermissionDenied, Reason: apperr.ReasonFieldDenied, Message: "visitor_id: " + text,
			Violations: []apperr.Violation{{Field: "visitor_id", Description: text}},
		}
	}
	return nil
}

// Proto renders an event.
func (r *Row) Proto() *crmv1.BehaviourEvent {
	return &crmv1.BehaviourEvent{
		BehaviourEventId: r.ID,
		Key:              &crmv1.ExternalKey{Source: r.Source, ExternalId: r.ExternalID},
		CustomerId:       record.Value(r.CustomerID),
		VisitorId:        r.VisitorID,
		Kind:             record.EnumValue[crmv1.BehaviourKind](r.Kind),
		Time:             record.TimeProto(r.OccurredAt),
		Channel:          record.EnumValue[crmv1.Channel](r.Channel),
		Device:           record.EnumValue[crmv1.Device](r.Device),
		Page:             r.Page,
		Campaign:         r.Campaign,
		ProductId:        record.Value(r.ProductID),
		DurationSeconds:  r.DurationSeconds,
		Properties:       r.Properties,
		CreateTime:       timestamppb.New(r.CreatedAt),
	}
}
