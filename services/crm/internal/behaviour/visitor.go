package behaviour

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/audit"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/request"
)

// LinkVisitor says who a visitor is, and gives the customer the events that were recorded before.
func (r *Recorder) LinkVisitor(ctx context.Context, req *crmv1.LinkVisitorRequest) (*crmv1.LinkVisitorResponse, error) {
	return request.Once(ctx, r.pool, req.GetRequestId(), "LinkVisitor", req, func(tx pgx.Tx) (*crmv1.LinkVisitorResponse, error) {
		var customerID *int64
		ref := record.Ref("customer_id", customer.Table, req.GetCustomerId(), req.GetCustomerKey(), &customerID)
		errs, err := record.Resolve(ctx, tx, [][]record.Reference{{ref}})
		if err == nil {
			err = errs[0]
		}
		if err == nil {
			err = customer.Table.MustSee(ctx, tx, *customerID)
		}
		if err != nil {
			return nil, err
		}
		answer := &crmv1.LinkVisitorResponse{CustomerId: *customerID}
		fresh, err := link(ctx, tx, req.GetVisitorId(), *customerID)
		if err != nil || !fresh {
			return answer, err
		}
		rows, err := tx.Query(ctx, `UPDATE behaviour_event SET customer_id = $2, version = version + 1
WHERE visitor_id = $1 AND visitor_id <> '' AND customer_id IS NULL RETURNING `+Columns, req.GetVisitorId(), *customerID)
		if err != nil {
			return nil, err
		}
		events, err := pgx.CollectRows(rows, Scan)
		if err != nil || len(events) == 0 {
			return answer, err
		}
		answer.Events = int64(len(events))
		return answer, r.publish(ctx, tx, events, audit.Update)
	})
}

// link locks the visitor against those who record, and notes the customer; fresh says that nobody did before.
func link(ctx context.Context, tx pgx.Tx, visitor string, customerID int64) (fresh bool, err error) {
	if _, err := tx.Exec(ctx, "INSERT INTO visitor (visitor_id) VALUES ($1) ON CONFLICT DO NOTHING", visitor); err != nil {
		return false, err
	}
	var known *int64
	if err := tx.QueryRow(ctx, "SELECT customer_id FROM visitor WHERE visitor_id = $1 FOR UPDATE", visitor).Scan(&known); err != nil {
		return false, err
	}
	if known != nil {
		if *known != customerID {
			return false, apperr.New(codes.FailedPrecondition, apperr.ReasonFailedPrecondition, "visitor_id: the visitor is another customer")
		}
		return false, nil
	}
	_, err = tx.Exec(ctx, "UPDATE visitor SET customer_id = $2, linked_at = now() WHERE visitor_id = $1", visitor, customerID)
	if err != nil {
		return false, err
	}
	after, err := json.Marshal(map[string]string{"visitor_id": visitor})
	if err != nil {
		return false, err
	}
	entry := audit.Entry{
		Action: audit.Update, Entity: "visitor", EntityID: customerID, Version: 1, CustomerID: customerID,
		Before: []byte(`{"visitor_id":""}`), After: after,
	}
	return true, audit.Append(ctx, tx, []audit.Entry{entry})
}
