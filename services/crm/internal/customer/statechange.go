package customer

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/listing"
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

var stateChangeSchema = filter.Schema{
	{Name: "change_id", Column: "change_id", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "from_state", Column: "from_state", Kind: filter.Enum, Values: record.EnumTexts[crmv1.CustomerState]()},
	{Name: "to_state", Column: "to_state", Kind: filter.Enum, Values: record.EnumTexts[crmv1.CustomerState](), Required: true},
	{Name: "transition", Column: "transition", Kind: filter.Text},
	{Name: "reason", Column: "reason", Kind: filter.Enum, Values: record.EnumTexts[crmv1.CustomerStateReason]()},
	{Name: "note", Column: "note", Kind: filter.Text},
	{Name: "effective_date", Column: "effective_on", Kind: filter.Date},
	{Name: "change_time", Column: "changed_at", Kind: filter.Time, Required: true},
	{Name: "actor", Column: "actor", Kind: filter.Text},
}

// ListCustomerStateChanges returns a page of a customer's history of states.
func (s *Server) ListCustomerStateChanges(
	ctx context.Context, req *crmv1.ListCustomerStateChangesRequest,
) (*crmv1.ListCustomerStateChangesResponse, error) {
	if err := Table.MustSee(ctx, s.pool, req.GetCustomerId()); err != nil {
		return nil, err
	}
	list := &listing.Rows[*stateChange]{
		Table: "customer_state_change", Columns: stateChangeColumns, ID: "change_id", IDOf: func(c *stateChange) int64 { return c.ID },
		Condition: "customer_id = $1", Args: []any{req.GetCustomerId()}, Order: "change_id desc", Schema: stateChangeSchema,
		Scanner: scanStateChange,
	}
	found, err := list.List(ctx, s.pool, req)
	if err != nil {
		return nil, err
	}
	answer := &crmv1.ListCustomerStateChangesResponse{NextPageToken: found.Next, Count: found.Count}
	for _, c := range found.Items {
		answer.Changes = append(answer.Changes, c.proto())
	}
	return answer, nil
}

func scanStateChange(more ...any) func(pgx.CollectableRow) (*stateChange, error) {
	return func(row pgx.CollectableRow) (*stateChange, error) {
		var c stateChange
		return &c, row.Scan(append([]any{
			&c.ID, &c.CustomerID, &c.From, &c.To, &c.Transition, &c.Reason, &c.Note, &c.EffectiveOn, &c.ChangedAt, &c.Actor,
		}, more...)...)
	}
}

func (c *stateChange) proto() *crmv1.CustomerStateChange {
	return &crmv1.CustomerStateChange{
		ChangeId: c.ID, CustomerId: c.CustomerID,
		FromState: record.EnumValue[crmv1.CustomerState](c.From), ToState: record.EnumValue[crmv1.CustomerState](c.To),
		Transition: c.Transition, Reason: record.EnumValue[crmv1.CustomerStateReason](c.Reason), Note: c.Note,
		EffectiveDate: record.DateProto(c.EffectiveOn), ChangeTime: timestamppb.New(c.ChangedAt), Actor: c.Actor,
	}
}
