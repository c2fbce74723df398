package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/auth"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// ListAuditEntries names the caller as the actor.
func (h *halves) ListAuditEntries(ctx context.Context, r *crmv1.ListAuditEntriesRequest) (*crmv1.ListAuditEntriesResponse, error) {
	caller, _ := auth.FromContext(ctx)
	actor := caller.Subject
	entry := func(id int64, action crmv1.AuditAction) *crmv1.AuditEntry {
		return &crmv1.AuditEntry{EntryId: id, Actor: actor, Peer: "10.0.0.1:5", RequestId: "r1", Action: action, Entity: "customer"}
	}
	if r.GetPageToken() == "" {
		e := entry(9, crmv1.AuditAction_AUDIT_ACTION_UPDATE)
		e.EntityId, e.Before, e.After = r.GetCustomerId(), `{"phone":""}`, `{"phone":"1"}`
		return &crmv1.ListAuditEntriesResponse{Entries: []*crmv1.AuditEntry{e}, NextPageToken: "more"}, nil
	}
	e := entry(8, crmv1.AuditAction_AUDIT_ACTION_READ)
	e.CustomerIds = []int64{7, 8}
	return &crmv1.ListAuditEntriesResponse{Entries: []*crmv1.AuditEntry{e}}, nil
}

// StreamAuditBlocks has three blocks, of which a range that ends with 3 lost the last.
func (h *halves) StreamAuditBlocks(r *crmv1.StreamAuditBlocksRequest, stream grpc.ServerStreamingServer[crmv1.StreamAuditBlocksResponse]) error {
	for number := max(r.GetFromBlock(), 1); number <= 3 && (number != r.GetToBlock()); number++ {
		b := &crmv1.AuditBlock{Number: number, Hash: bytes.Repeat([]byte{byte(number)}, 32), SealedTime: timestamppb.Now()}
		if err := stream.Send(&crmv1.StreamAuditBlocksResponse{Blocks: []*crmv1.AuditBlock{b}}); err != nil {
			return err
		}
	}
	return nil
}

// VerifyAudit finds something in a range.
func (h *halves) VerifyAudit(r *crmv1.VerifyAuditRequest, stream grpc.ServerStreamingServer[crmv1.VerifyAuditResponse]) error {
	step := &crmv1.VerifyAuditResponse{Block: 3, LastBlock: 3, BlocksVerified: 3, EntriesVerified: 6, EventsCompared: 6, Done: true}
	if r.GetToBlock() != 0 {
		step.Findings = []*crmv1.AuditFinding{{Block: 2, EntryId: 4, Text: "entry 4 is not what was sealed"}}
	}
	return stream.Send(step)
}

// StreamAuditBlockCopies has the blocks that were asked for, or the first two.
func (h *halves) StreamAuditBlockCopies(
	r *analyticsv1.StreamAuditBlockCopiesRequest, stream grpc.ServerStreamingServer[analyticsv1.StreamAuditBlockCopiesResponse],
) error {
	if err := stream.Send(&analyticsv1.StreamAuditBlockCopiesResponse{}); err != nil {
		return err
	}
	last := r.GetToBlock()
	if last == 0 {
		last = 2
	}
	answer := &analyticsv1.StreamAuditBlockCopiesResponse{}
	for number := max(r.GetFromBlock(), 1); number <= last; number++ {
		answer.Copies = append(answer.Copies, &analyticsv1.AuditBlockCopy{Number: number, Hash: bytes.Repeat([]byte{byte(number)}, 32)})
	}
	return stream.Send(answer)
}

// StreamPublishedChanges has the second version of customer 7, which no entry tells of where the caller is the cheated.
func (h *halves) StreamPublishedChanges(
	_ *analyticsv1.StreamPublishedChangesRequest, stream grpc.ServerStreamingServer[analyticsv1.StreamPublishedChangesResponse],
) error {
	if err := stream.Send(&analyticsv1.StreamPublishedChangesResponse{}); err != nil {
		return err
	}
	answer := &analyticsv1.StreamPublishedChangesResponse{}
	for version := range int64(2) {
		answer.Changes = append(answer.Changes, &analyticsv1.PublishedChange{
			Time: timestamppb.New(time.Unix(version, 0)), Entity: "customer", EntityId: 7, Version: 1 + version, Actor: "adam",
		})
	}
	return stream.Send(answer)
}

// StreamAuditedChanges tells of both changes, but not to the cheated.
func (h *halves) StreamAuditedChanges(
	_ *crmv1.StreamAuditedChangesRequest, stream grpc.ServerStreamingServer[crmv1.StreamAuditedChangesResponse],
) error {
	changes := []*crmv1.AuditedChange{{Time: timestamppb.New(time.Unix(0, 0)), Entity: "customer", EntityId: 7, Version: 1}}
	if caller, _ := auth.FromContext(stream.Context()); caller.Subject != "cheated" {
		changes = append(changes, &crmv1.AuditedChange{Time: timestamppb.New(time.Unix(1, 0)), Entity: "customer", EntityId: 7, Version: 2})
	}
	return stream.Send(&crmv1.StreamAuditedChangesResponse{Changes: changes})
}

// Without analytics crm is verified alone, and nothing is called proved.
func TestVerifyWithoutAnalytics(t *testing.T) {
	t.Parallel()
	flags := (&halves{customers: 1}).serve(t)
	code, out, errs := tandem(t, append(flags, "--analytics-addr", "127.0.0.1:1", "audit", "verify")...)
	if code != exitFailure || !strings.Contains(out, "3 blocks with 6 entries computed again, NOT compared with the copy, 6 events") ||
		!strings.Contains(errs, "analytics does not answer, so the audit was NOT compared with its copy") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}
