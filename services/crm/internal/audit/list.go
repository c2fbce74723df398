package audit

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	"tandem.bank/pkg/page"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/listing"
	"tandem.bank/services/crm/internal/sight"
)

var actions = []string{string(Create), string(Update), string(Delete), string(Read), string(Denied)}

var schema = filter.Schema{
	{Name: "entry_id", Column: "entry_id", Kind: filter.Int},
	{Name: "time", Column: "at", Kind: filter.Time},
	{Name: "actor", Column: "actor", Kind: filter.Text},
	{Name: "peer", Column: "peer", Kind: filter.Text},
	{Name: "method", Column: "method", Kind: filter.Text},
	{Name: "request_id", Column: "request_id", Kind: filter.Text},
	{Name: "trace_id", Column: "trace_id", Kind: filter.Text},
	{Name: "action", Column: "action", Kind: filter.Enum, Values: actions},
	{Name: "entity", Column: "entity", Kind: filter.Text},
	{Name: "entity_id", Column: "entity_id", Kind: filter.Int},
	{Name: "version", Column: "version", Kind: filter.Int},
}

// position is where a page ended.
type position struct {
	Time time.Time `json:"t"`
	ID   int64     `json:"i"`
}

// query is a list's statement in the making.
type query struct {
	conditions []string
	args       []any
}

func (q *query) where(condition string, args ...any) {
	places := make([]any, len(args))
	for i := range args {
		places[i] = len(q.args) + i + 1
	}
	q.args = append(q.args, args...)
	q.conditions = append(q.conditions, fmt.Sprintf(condition, places...))
}

// checkOrder refuses any order but that of the list.
func checkOrder(text string) error {
	switch strings.Join(strings.Fields(text), " ") {
	case "", "time desc", "time desc, entry_id desc":
		return nil
	default:
		return apperr.InvalidField("order_by", `must be "time desc" or empty: the audit has no other order`)
	}
}

// list returns a page, its next token, and a count where one is asked for.
func list(ctx context.Context, db querier, req *crmv1.ListAuditEntriesRequest) ([]*sealed, string, *crmv1.Count, error) {
	q := &query{}
	q.narrow(req)
	// Lists that showed several customers are left to those who see them all.
	if seen, bound := sight.Condition(ctx, sight.ByCustomer("audit_entry.customer_id"), q.args); seen != "" {
		q.conditions, q.args = append(q.conditions, seen), bound
	}
	condition, args, err := filter.Postgres(req.GetFilter(), schema, q.args)
	if err == nil {
		err = checkOrder(req.GetOrderBy())
	}
	if err != nil {
		return nil, "", nil, err
	}
	q.conditions, q.args = append(q.conditions, condition), args
	where, args := strings.Join(q.conditions, " AND "), slices.Clip(q.args)
	found, next, err := q.page(ctx, db, req)
	if err != nil {
		return nil, "", nil, err
	}
	count, err := listing.Count(ctx, db, req.GetCount(), "audit_entry WHERE "+where, args)
	return found, next, count, err
}

func (q *query) page(ctx context.Context, db querier, req *crmv1.ListAuditEntriesRequest) ([]*sealed, string, error) {
	parameters := []string{
		"audit_entry", req.GetFilter(), fmt.Sprint(req.GetCustomerId()), req.GetEntity(), fmt.Sprint(req.GetEntityId()), req.GetActor(),
		fmt.Sprint(req.GetFromTime().GetSeconds(), req.GetFromTime().GetNanos()), fmt.Sprint(req.GetToTime().GetSeconds(), req.GetToTime().GetNanos()),
	}
	after, err := page.Decode[position](req.GetPageToken(), parameters...)
	if err != nil {
		return nil, "", err
	}
	if after != nil {
		q.where("(at, entry_id) < ($%d, $%d)", after.Time, after.ID)
	}
	size := page.Size(req.GetPageSize())
	rows, err := db.Query(ctx, fmt.Sprintf("SELECT %s FROM audit_entry WHERE %s ORDER BY at DESC, entry_id DESC LIMIT %d",
		sealedColumns, strings.Join(q.conditions, " AND "), size+1), q.args...)
	if err != nil {
		return nil, "", err
	}
	found, err := pgx.CollectRows(rows, scanSealed)
	if err != nil || len(found) <= size {
		return found, "", err
	}
	found = found[:size]
	next, err := page.Encode(position{Time: found[size-1].at, ID: found[size-1].entryID}, parameters...)
	return found, next, err
}

// narrow adds the conditions for which there are indexes.
func (q *query) narrow(req *crmv1.ListAuditEntriesRequest) {
	customerID := req.GetCustomerId()
	switch {
	case req.GetEntity() == entityCustomer && req.GetEntityId() != 0:
		q.where("entity = 'customer' AND entity_id = $%d", req.GetEntityId())
		// The index of customers serves here: that of records leaves them out.
		q.where("customer_id = $%d", req.GetEntityId())
	case req.GetEntity() != "":
		q.where("entity = $%d", req.GetEntity())
		if req.GetEntity() != entityCustomer {
			q.where("entity <> 'customer'")
		}
	}
	if req.GetEntityId() != 0 && req.GetEntity() != entityCustomer {
		q.where("entity_id = $%d", req.GetEntityId())
	}
	if customerID != 0 {
		q.where("(customer_id = $%[1]d OR customer_ids @> ARRAY[$%[1]d::bigint])", customerID)
	}
	if req.GetActor() != "" {
		q.where("actor = $%d", req.GetActor())
	}
	if req.GetFromTime() != nil {
		q.where("at >= $%d", req.GetFromTime().AsTime())
	}
	if req.GetToTime() != nil {
		q.where("at < $%d", req.GetToTime().AsTime())
	}
}

var actionProtos = map[string]crmv1.AuditAction{
	string(Create): crmv1.AuditAction_AUDIT_ACTION_CREATE,
	string(Update): crmv1.AuditAction_AUDIT_ACTION_UPDATE,
	string(Delete): crmv1.AuditAction_AUDIT_ACTION_DELETE,
	string(Read):   crmv1.AuditAction_AUDIT_ACTION_READ,
	string(Denied): crmv1.AuditAction_AUDIT_ACTION_DENIED,
}

func entryToProto(e *sealed) *crmv1.AuditEntry {
	out := &crmv1.AuditEntry{
		EntryId: e.entryID, Time: timestamppb.New(e.at), Actor: e.actor, Peer: e.peer, Method: e.method, RequestId: e.requestID,
		TraceId: e.traceID, Action: actionProtos[e.action], Entity: e.entity, EntityId: e.entityID, Version: e.version,
		CustomerIds: e.customerIDs,
	}
	if e.customerID != nil {
		out.CustomerId = *e.customerID
	}
	if e.before != nil {
		out.Before = *e.before
	}
	if e.after != nil {
		out.After = *e.after
	}
	return out
}
