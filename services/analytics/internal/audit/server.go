// Package audit shows the copy of the hashes of crm's audit chain, for the comparison with the chain itself.
package audit

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// copiesPerMessage is how many copies travel together.
const copiesPerMessage = 500

// copiesSQL reads in the order of the key, so that nothing is sorted. DISTINCT and not FINAL: a message that came twice
// gives equal rows, and whatever differs must be seen.
const copiesSQL = `SELECT DISTINCT audit_block_id, hash, previous_hash, entries, sealed_time FROM audit_block
WHERE audit_block_id >= ? AND (? = 0 OR audit_block_id <= ?) ORDER BY audit_block_id, hash SETTINGS optimize_read_in_order = 1`

// Server answers tandem.analytics.v1.AuditCopyService.
type Server struct {
	analyticsv1.UnimplementedAuditCopyServiceServer
	warehouse driver.Conn
}

// NewServer reads from a warehouse.
func NewServer(warehouse driver.Conn) *Server { return &Server{warehouse: warehouse} }

// StreamAuditBlockCopies sends the copies by number. The query fixes what it reads when it begins, and the first message
// is sent after that.
func (s *Server) StreamAuditBlockCopies(
	req *analyticsv1.StreamAuditBlockCopiesRequest, stream grpc.ServerStreamingServer[analyticsv1.StreamAuditBlockCopiesResponse],
) error {
	if req.GetToBlock() != 0 && req.GetToBlock() < req.GetFromBlock() {
		return apperr.InvalidField("to_block", "must not be before from_block")
	}
	rows, err := s.warehouse.Query(stream.Context(), copiesSQL, req.GetFromBlock(), req.GetToBlock(), req.GetToBlock())
	if err != nil {
		return unavailable(err)
	}
	defer func() { _ = rows.Close() }()
	if err := stream.Send(&analyticsv1.StreamAuditBlockCopiesResponse{}); err != nil {
		return err
	}
	answer := &analyticsv1.StreamAuditBlockCopiesResponse{}
	for rows.Next() {
		copied, err := scanCopy(rows)
		if err != nil {
			return err
		}
		answer.Copies = append(answer.Copies, copied)
		if len(answer.GetCopies()) == copiesPerMessage {
			if err := stream.Send(answer); err != nil {
				return err
			}
			answer = &analyticsv1.StreamAuditBlockCopiesResponse{}
		}
	}
	if err := rows.Err(); err != nil {
		return unavailable(err)
	}
	return stream.Send(answer)
}

func scanCopy(rows driver.Rows) (*analyticsv1.AuditBlockCopy, error) {
	var number, entries uint64
	var hash, previous string
	var sealed time.Time
	if err := rows.Scan(&number, &hash, &previous, &entries, &sealed); err != nil {
		return nil, unavailable(err)
	}
	out := &analyticsv1.AuditBlockCopy{
		Number: int64(number), Entries: int64(entries), SealedTime: timestamppb.New(sealed),
	}
	var err error
	if out.Hash, err = hex.DecodeString(hash); err != nil {
		return nil, fmt.Errorf("copy of audit block %d: hash: %w", number, err)
	}
	if out.PreviousHash, err = hex.DecodeString(previous); err != nil {
		return nil, fmt.Errorf("copy of audit block %d: previous hash: %w", number, err)
	}
	return out, nil
}

// unavailable hides which engine is away; the log has it.
func unavailable(err error) error {
	return apperr.Wrap(err, codes.Unavailable, apperr.ReasonUnavailable, "ClickHouse does not answer; try again")
}
