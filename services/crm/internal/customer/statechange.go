package customer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/page"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// ChangeCustomerState takes a customer to another state.
func (s *Server) ChangeCustomerState(ctx context.Context, req *crmv1.ChangeCustomerStateRequest) (*crmv1.ChangeCustomerStateResponse, error) {
	if err := checkStateRequest(req); err != nil {
		return nil, err
	}
	id := req.GetCustomerId()
	if id == 0 {
		found, err := Table.GetByKey(ctx, s.pool, req.GetKey())
		if err != nil {
			return nil, err
		}
		id = found.ID
	}
	since := req.GetEffectiveDate()
	if since == nil {
		since = record.DateProto(today(time.Now().In(s.room.location)))
	}
	changed, err := s.store.Update(ctx, record.Update[*crmv1.Customer]{
		ID: id, Etag: req.GetEtag(), RequestID: req.GetRequestId(), Request: req,
		Message: &crmv1.Customer{State: req.GetState(), StateReason: req.GetReason(), StateNote: req.GetNote(), StateSince: since},
		Mask:    &fieldmaskpb.FieldMask{Paths: []string{"state", "state_reason", "state_note", "state_since"}},
	})
	return &crmv1.ChangeCustomerStateResponse{Customer: changed}, err
}

// checkStateRequest names broken fields as they stand in the request.
func checkStateRequest(req *crmv1.ChangeCustomerStateRequest) error {
	var in record.Reader
	in.Date("effective_date", req.GetEffectiveDate())
	if req.GetReason() == crmv1.CustomerStateReason_CUSTOMER_STATE_REASON_OTHER && req.GetNote() == "" {
		in.Refuse("note", "is required for another reason")
	}
	return apperr.Invalid(in.Violations...)
}

// told are the fields that tell of a state.
var told = []string{"state_reason", "state_note", "state_since"}

// withTold makes a change of the state a change of what is told of it: what stood there was told of the state before.
func withTold(c *crmv1.Customer, mask *fieldmaskpb.FieldMask) (*crmv1.Customer, *fieldmaskpb.FieldMask) {
	if c == nil || !slices.Contains(mask.GetPaths(), "state") {
		return c, mask
	}
	c, mask = proto.CloneOf(c), proto.CloneOf(mask)
	fields := c.ProtoReflect().Descriptor().Fields()
	for _, name := range told {
		if !slices.Contains(mask.Paths, name) {
			c.ProtoReflect().Clear(fields.ByName(protoreflect.Name(name)))
			mask.Paths = append(mask.Paths, name)
		}
	}
	return c, mask
}

// stateChange is a row of the history.
type stateChange struct {
	ID, CustomerID                     int64
	From, To, Transition, Reason, Note string
	EffectiveOn                        pgtype.Date
	ChangedAt                          time.Time
	Actor                              string
}

const stateChangeColumns = "change_id, customer_id, from_state, to_state, transition, reason, note, effective_on, changed_at, actor"

// ListCustomerStateChanges returns a page of a customer's history of states.
func (s *Server) ListCustomerStateChanges(
	ctx context.Context, req *crmv1.ListCustomerStateChangesRequest,
) (*crmv1.ListCustomerStateChangesResponse, error) {
	if err := Table.MustSee(ctx, s.pool, req.GetCustomerId()); err != nil {
		return nil, err
	}
	scope := fmt.Sprintf("customer_state_change %d", req.GetCustomerId())
	after, err := page.Decode[int64](req.GetPageToken(), scope)
	if err != nil {
		return nil, err
	}
	size := page.Size(req.GetPageSize())
	rows, err := s.pool.Query(ctx, `SELECT `+stateChangeColumns+` FROM customer_state_change
WHERE customer_id = $1 AND ($2::bigint IS NULL OR change_id < $2) ORDER BY change_id DESC LIMIT $3`, req.GetCustomerId(), after, size+1)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[stateChange])
	if err != nil {
		return nil, err
	}
	answer := &crmv1.ListCustomerStateChangesResponse{}
	if len(found) > size {
		found = found[:size]
		if answer.NextPageToken, err = page.Encode(found[size-1].ID, scope); err != nil {
			return nil, err
		}
	}
	for i := range found {
		answer.Changes = append(answer.Changes, found[i].proto())
	}
	return answer, nil
}

func (c *stateChange) proto() *crmv1.CustomerStateChange {
	return &crmv1.CustomerStateChange{
		ChangeId: c.ID, CustomerId: c.CustomerID,
		FromState: record.EnumValue[crmv1.CustomerState](c.From), ToState: record.EnumValue[crmv1.CustomerState](c.To),
		Transition: c.Transition, Reason: record.EnumValue[crmv1.CustomerStateReason](c.Reason), Note: c.Note,
		EffectiveDate: record.DateProto(c.EffectiveOn), ChangeTime: timestamppb.New(c.ChangedAt), Actor: c.Actor,
	}
}
