package audit

import (
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// changesPerMessage is how many changes travel together: some 60 bytes each.
const changesPerMessage = 2000

// publishedSQL reads in the order of the key, so that nothing is sorted; DISTINCT because a message may come twice.
const publishedSQL = `SELECT DISTINCT change_time, entity, entity_id, version, actor FROM published_change
WHERE change_time >= fromUnixTimestamp64Micro(?) AND change_time < fromUnixTimestamp64Micro(?)
ORDER BY change_time, entity, entity_id, version SETTINGS optimize_read_in_order = 1, optimize_distinct_in_order = 1`

// farAhead is later than any change.
var farAhead = time.Date(2299, time.January, 1, 0, 0, 0, 0, time.UTC)

// StreamPublishedChanges sends the changes by time. The query fixes what it reads when it begins, and the first message is
// sent after that.
func (s *Server) StreamPublishedChanges(
	req *analyticsv1.StreamPublishedChangesRequest, stream grpc.ServerStreamingServer[analyticsv1.StreamPublishedChangesResponse],
) error {
	from, to := time.Unix(0, 0), farAhead
	if req.GetFromTime() != nil {
		from = req.GetFromTime().AsTime()
	}
	if req.GetToTime() != nil {
		to = req.GetToTime().AsTime()
	}
	if !to.After(from) {
		return apperr.InvalidField("to_time", "must be after from_time")
	}
	rows, err := s.warehouse.Query(stream.Context(), publishedSQL, from.UnixMicro(), to.UnixMicro())
	if err != nil {
		return unavailable(err)
	}
	defer func() { _ = rows.Close() }()
	if err := stream.Send(&analyticsv1.StreamPublishedChangesResponse{}); err != nil {
		return err
	}
	answer := &analyticsv1.StreamPublishedChangesResponse{}
	for rows.Next() {
		change, err := scanChange(rows)
		if err != nil {
			return err
		}
		answer.Changes = append(answer.Changes, change)
		if len(answer.GetChanges()) == changesPerMessage {
			if err := stream.Send(answer); err != nil {
				return err
			}
			answer = &analyticsv1.StreamPublishedChangesResponse{}
		}
	}
	if err := rows.Err(); err != nil {
		return unavailable(err)
	}
	return stream.Send(answer)
}

func scanChange(rows driver.Rows) (*analyticsv1.PublishedChange, error) {
	var at time.Time
	var id, version uint64
	out := &analyticsv1.PublishedChange{}
	if err := rows.Scan(&at, &out.Entity, &id, &version, &out.Actor); err != nil {
		return nil, unavailable(err)
	}
	out.Time, out.EntityId, out.Version = timestamppb.New(at), int64(id), int64(version)
	return out, nil
}
