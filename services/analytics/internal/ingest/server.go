package ingest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/fact"
	"tandem.bank/services/analytics/internal/warehouse"
)

const (
	// awaitInterval is how often a waiting caller's position is looked up; it costs NATS two small questions.
	awaitInterval      = 20 * time.Millisecond
	letterPageDefault  = 50
	letterPageBytesMax = 3 << 20 // below gRPC's default limit for an answer
)

// Server is the IngestService: from proto to Ingest and back, nothing else.
type Server struct {
	analyticsv1.UnimplementedIngestServiceServer
	ingest   *Ingest
	followed []func(context.Context) error
}

// NewServer returns the service. What follows from messages is waited for by followed, one after the other: each waits for what was
// ingested, and told by those before it, until its call.
func NewServer(in *Ingest, followed ...func(context.Context) error) *Server {
	return &Server{ingest: in, followed: followed}
}

// AwaitIngested waits until a position of the stream is in ClickHouse or put aside, and maybe until all has followed.
func (s *Server) AwaitIngested(ctx context.Context, req *analyticsv1.AwaitIngestedRequest) (*analyticsv1.AwaitIngestedResponse, error) {
	answer, err := s.ingested(ctx, req)
	if err != nil || !req.GetFollowed() {
		return answer, err
	}
	for _, await := range s.followed {
		if err := await(ctx); err != nil {
			return nil, err
		}
	}
	return answer, nil
}

// ingested waits for a position of the stream.
func (s *Server) ingested(ctx context.Context, req *analyticsv1.AwaitIngestedRequest) (*analyticsv1.AwaitIngestedResponse, error) {
	tick := time.NewTicker(awaitInterval)
	defer tick.Stop()
	for {
		p, err := s.ingest.progress(ctx)
		// Nothing is awaited with 0. Otherwise trouble is waited out too: ingestion mends itself.
		if req.GetStreamSequence() == 0 || (err == nil && p.done >= req.GetStreamSequence()) {
			return &analyticsv1.AwaitIngestedResponse{StreamSequence: p.done}, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// GetIngestStatus returns the state of ingestion and the volume of each table.
func (s *Server) GetIngestStatus(ctx context.Context, _ *analyticsv1.GetIngestStatusRequest) (*analyticsv1.GetIngestStatusResponse, error) {
	p, err := s.ingest.progress(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	letters, err := s.ingest.letters.count(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	volumes, err := s.ingest.volumes(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	answer := &analyticsv1.GetIngestStatusResponse{
		StreamSequence: p.done, PendingMessages: p.pending, DeadLetters: letters, Tables: volumes,
	}
	if newest := s.ingest.NewestChange(); !newest.IsZero() {
		answer.NewestChangeTime = timestamppb.New(newest)
	}
	return answer, nil
}

// ListDeadLetters lists what was put aside, oldest first.
func (s *Server) ListDeadLetters(ctx context.Context, req *analyticsv1.ListDeadLettersRequest) (*analyticsv1.ListDeadLettersResponse, error) {
	limit := int(req.GetPageSize())
	if limit == 0 {
		limit = letterPageDefault
	}
	letters, err := s.ingest.letters.list(ctx, req.GetAfterSequence(), limit)
	if err != nil {
		return nil, unavailable(err)
	}
	answer := &analyticsv1.ListDeadLettersResponse{}
	size := 0
	for _, letter := range letters {
		stored := storedToProto(letter)
		// Letters can be large. A page that would not travel ends early; the caller goes on after its last.
		if size += proto.Size(stored); size > letterPageBytesMax && len(answer.DeadLetters) > 0 {
			break
		}
		answer.DeadLetters = append(answer.DeadLetters, stored)
	}
	return answer, nil
}

// ReplayDeadLetters applies dead letters again.
func (s *Server) ReplayDeadLetters(ctx context.Context, req *analyticsv1.ReplayDeadLettersRequest) (*analyticsv1.ReplayDeadLettersResponse, error) {
	got, err := s.ingest.replay(ctx, req.GetSequences())
	if errors.Is(err, errNoLetter) {
		return nil, apperr.NotFound("%s", err.Error())
	}
	if err != nil {
		return nil, unavailable(err)
	}
	return &analyticsv1.ReplayDeadLettersResponse{Applied: int32(got.applied), Failed: int32(got.failed)}, nil //nolint:gosec // far below
}

// NewestChange is the change time of the newest change in the warehouse; zero before the first.
func (in *Ingest) NewestChange() time.Time {
	if micros := in.newest.Load(); micros != 0 {
		return time.UnixMicro(micros).UTC()
	}
	return time.Time{}
}

// volumes counts the rows of each table with duplicates and deletions resolved, in one question.
func (in *Ingest) volumes(ctx context.Context) ([]*analyticsv1.TableVolume, error) {
	rows, err := in.warehouse.Query(ctx, volumesSQL(fact.Tables()))
	if err != nil {
		return nil, fmt.Errorf("count rows: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var volumes []*analyticsv1.TableVolume
	for rows.Next() {
		v := &analyticsv1.TableVolume{}
		var place uint8
		if err := rows.Scan(&place, &v.Table, &v.Rows); err != nil {
			return nil, fmt.Errorf("count rows: %w", err)
		}
		volumes = append(volumes, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("count rows: %w", err)
	}
	return volumes, nil
}

// volumesSQL counts each table, in the order given. Records lie in one partition and transactions by a function of
// their key, so that partitions may be resolved alone.
func volumesSQL(tables []string) string {
	parts := make([]string, len(tables))
	for i, table := range tables {
		parts[i] = fmt.Sprintf("SELECT toUInt8(%d) AS place, '%s' AS table, count() AS rows FROM %s FINAL", i, table, table)
	}
	return "SELECT place, table, rows FROM (\n" + strings.Join(parts, "\nUNION ALL\n") + "\n) ORDER BY place " + warehouse.FinalByPartition
}

func storedToProto(letter storedLetter) *analyticsv1.StoredDeadLetter {
	return &analyticsv1.StoredDeadLetter{
		Sequence:       letter.sequence,
		Subject:        letter.GetSubject(),
		StreamSequence: letter.GetStreamSequence(),
		Reason:         letter.GetReason(),
		FailedTime:     letter.GetFailedTime(),
		ChangeJson:     changeJSON(letter),
		SizeBytes:      int32(len(letter.GetData())), //nolint:gosec // at most the limit of a message
	}
}

// changeJSON shows the content as a person can read it; empty when it can't be read.
func changeJSON(letter storedLetter) string {
	var content proto.Message = &eventsv1.Change{}
	if foreign(letter) {
		content = &eventsv1.InsightBundle{}
	}
	if err := proto.Unmarshal(letter.GetData(), content); err != nil {
		return ""
	}
	text, err := protojson.Marshal(content)
	if err != nil {
		return ""
	}
	return string(text)
}

// unavailable hides which engine is away; the log has it.
func unavailable(err error) error {
	return apperr.Wrap(err, codes.Unavailable, apperr.ReasonUnavailable, "ClickHouse or NATS does not answer; try again")
}
