package audit

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// blocksPerMessage is how many blocks travel together.
const blocksPerMessage = 500

// Server answers tandem.crm.v1.AuditService.
type Server struct {
	crmv1.UnimplementedAuditServiceServer
	pool *pgxpool.Pool
}

// NewServer binds the room to its database.
func NewServer(pool *pgxpool.Pool) *Server { return &Server{pool: pool} }

// ListAuditEntries returns a page, newest first. Entries hold what they tell of, so the look at them is on record like any
// other read.
func (s *Server) ListAuditEntries(ctx context.Context, req *crmv1.ListAuditEntriesRequest) (*crmv1.ListAuditEntriesResponse, error) {
	entries, next, count, err := list(ctx, s.pool, req)
	if err != nil {
		return nil, err
	}
	answer := &crmv1.ListAuditEntriesResponse{Entries: make([]*crmv1.AuditEntry, len(entries)), NextPageToken: next, Count: count}
	for i, e := range entries {
		answer.Entries[i] = entryToProto(e)
	}
	return answer, nil
}

// GetAuditHead returns where the chain ends.
func (s *Server) GetAuditHead(ctx context.Context, _ *crmv1.GetAuditHeadRequest) (*crmv1.GetAuditHeadResponse, error) {
	answer := &crmv1.GetAuditHeadResponse{}
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, s.pool, snapshot, func(tx pgx.Tx) error {
		head, err := lastBlock(ctx, tx)
		if err != nil {
			return err
		}
		var end place
		if head != nil {
			end, answer.Block = head.last, blockToProto(head)
		}
		var oldest *time.Time
		err = tx.QueryRow(ctx, "SELECT count(*), min(at) FROM audit_entry WHERE (xact_id, entry_id) > ($1::bigint::text::xid8, $2)",
			end.xactID, end.entryID).Scan(&answer.UnsealedEntries, &oldest)
		if oldest != nil {
			answer.OldestUnsealedTime = timestamppb.New(*oldest)
		}
		return err
	})
	return answer, err
}

// StreamAuditBlocks sends blocks by number.
func (s *Server) StreamAuditBlocks(req *crmv1.StreamAuditBlocksRequest, stream grpc.ServerStreamingServer[crmv1.StreamAuditBlocksResponse]) error {
	if err := checkRange(req.GetFromBlock(), req.GetToBlock()); err != nil {
		return err
	}
	for next := max(req.GetFromBlock(), 1); ; {
		rows, err := s.pool.Query(stream.Context(), `SELECT number, hash, previous_hash, entries, first_entry_id, last_entry_id, sealed_at
FROM audit_block WHERE number >= $1 AND ($2::bigint = 0 OR number <= $2) ORDER BY number LIMIT $3`, next, req.GetToBlock(), blocksPerMessage)
		if err != nil {
			return err
		}
		blocks, err := pgx.CollectRows(rows, scanBlockProto)
		if err != nil {
			return err
		}
		if err := stream.Send(&crmv1.StreamAuditBlocksResponse{Blocks: blocks}); err != nil {
			return err
		}
		if len(blocks) < blocksPerMessage {
			return nil
		}
		next = blocks[len(blocks)-1].GetNumber() + 1
	}
}

// VerifyAudit computes the chain again.
func (s *Server) VerifyAudit(req *crmv1.VerifyAuditRequest, stream grpc.ServerStreamingServer[crmv1.VerifyAuditResponse]) error {
	if err := checkRange(req.GetFromBlock(), req.GetToBlock()); err != nil {
		return err
	}
	v := &verification{pool: s.pool, send: stream.Send, sentTime: time.Now()}
	return v.run(stream.Context(), req.GetFromBlock(), req.GetToBlock())
}

func checkRange(from, to int64) error {
	if to != 0 && to < from {
		return apperr.InvalidField("to_block", "must not be before from_block")
	}
	return nil
}

func scanBlockProto(row pgx.CollectableRow) (*crmv1.AuditBlock, error) {
	b := &crmv1.AuditBlock{}
	var sealedAt time.Time
	err := row.Scan(&b.Number, &b.Hash, &b.PreviousHash, &b.Entries, &b.FirstEntryId, &b.LastEntryId, &sealedAt)
	b.SealedTime = timestamppb.New(sealedAt)
	return b, err
}

func blockToProto(b *block) *crmv1.AuditBlock {
	return &crmv1.AuditBlock{
		Number: b.number, Hash: b.hash, PreviousHash: b.previousHash, Entries: int64(len(b.entryIDs)),
		FirstEntryId: b.first.entryID, LastEntryId: b.last.entryID, SealedTime: timestamppb.New(b.sealedAt),
	}
}
