package audit

import (
	"context"
	_ "embed"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

//go:embed audited.sql
var auditedSQL string

// changesPerMessage is how many changes travel together: some 40 bytes each.
const changesPerMessage = 2000

// StreamAuditedChanges sends the changes that entries tell of by time, an hour in each statement.
func (s *Server) StreamAuditedChanges(
	req *crmv1.StreamAuditedChangesRequest, stream grpc.ServerStreamingServer[crmv1.StreamAuditedChangesResponse],
) error {
	if req.GetFromTime() != nil && req.GetToTime() != nil && !req.GetToTime().AsTime().After(req.GetFromTime().AsTime()) {
		return apperr.InvalidField("to_time", "must be after from_time")
	}
	ctx := stream.Context()
	from, to, err := s.stretch(ctx, req)
	if err != nil || from == nil {
		return err
	}
	for start := *from; start.Before(to); start = start.Add(eventsWindow) {
		end := start.Add(eventsWindow)
		if end.After(to) {
			end = to
		}
		if err := s.sendChanges(ctx, start, end, stream.Send); err != nil {
			return err
		}
	}
	return nil
}

// stretch is from the first entry to now, as far as the request does not say otherwise; from is nil when there is no entry.
func (s *Server) stretch(ctx context.Context, req *crmv1.StreamAuditedChangesRequest) (from *time.Time, to time.Time, err error) {
	if err := s.pool.QueryRow(ctx, "SELECT min(at), now() + interval '1 microsecond' FROM audit_entry").Scan(&from, &to); err != nil || from == nil {
		return nil, to, err
	}
	if asked := req.GetFromTime(); asked != nil && asked.AsTime().After(*from) {
		*from = asked.AsTime()
	}
	if asked := req.GetToTime(); asked != nil && asked.AsTime().Before(to) {
		to = asked.AsTime()
	}
	return from, to, nil
}

func (s *Server) sendChanges(ctx context.Context, from, to time.Time, send func(*crmv1.StreamAuditedChangesResponse) error) error {
	rows, err := s.pool.Query(ctx, auditedSQL, from, to)
	if err != nil {
		return err
	}
	answer := &crmv1.StreamAuditedChangesResponse{}
	var at time.Time
	var entity string
	var id, version int64
	_, err = pgx.ForEachRow(rows, []any{&at, &entity, &id, &version}, func() error {
		answer.Changes = append(answer.Changes, &crmv1.AuditedChange{Time: timestamppb.New(at), Entity: entity, EntityId: id, Version: version})
		if len(answer.GetChanges()) < changesPerMessage {
			return nil
		}
		full := answer
		answer = &crmv1.StreamAuditedChangesResponse{}
		return send(full)
	})
	if err != nil || len(answer.GetChanges()) == 0 {
		return err
	}
	return send(answer)
}
