package ingest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tandem.bank/pkg/natsx"
)

// position says what the warehouse holds of which stream.
type position struct {
	// streamCreated is the identity of the stream: one made anew counts from 1 again.
	streamCreated time.Time
	// sequence is the highest that was ever stored; the floor below which nothing is missing is the consumer's.
	sequence uint64
	// newestChange is the newest change time stored; zero before the first.
	newestChange time.Time
}

func (p *position) advance(sequence uint64, newest time.Time) {
	p.sequence = max(p.sequence, sequence)
	if newest.After(p.newestChange) {
		p.newestChange = newest
	}
}

// origin names a message for ever, also after the stream was made anew.
func (p *position) origin(sequence uint64) string {
	return natsx.StreamCRM + "-" + strconv.FormatInt(p.streamCreated.UnixNano(), 36) + "-" + strconv.FormatUint(sequence, 10)
}

// positionStore keeps positions in the warehouse itself, so that they come and go with its rows.
type positionStore struct{ conn driver.Conn }

const loadPosition = `SELECT stream_created, stream_sequence, newest_change_time
FROM ingest_position FINAL WHERE stream = ?`

// load returns what is stored; ok is false when nothing is.
func (s positionStore) load(ctx context.Context) (p position, ok bool, err error) {
	err = s.conn.QueryRow(ctx, loadPosition, natsx.StreamCRM).Scan(&p.streamCreated, &p.sequence, &p.newestChange)
	if errors.Is(err, sql.ErrNoRows) {
		return position{}, false, nil
	}
	if err != nil {
		return position{}, false, fmt.Errorf("read the position of ingestion: %w", err)
	}
	if p.newestChange.UnixMicro() == 0 {
		p.newestChange = time.Time{}
	}
	return p, true, nil
}

const savePosition = `INSERT INTO ingest_position
(stream, stream_created, stream_sequence, newest_change_time, updated_time)`

func (s positionStore) save(ctx context.Context, p position) error {
	newest := p.newestChange
	if newest.IsZero() {
		newest = time.UnixMicro(0)
	}
	batch, err := s.conn.PrepareBatch(ctx, savePosition)
	if err != nil {
		return fmt.Errorf("store the position of ingestion: %w", err)
	}
	defer func() { _ = batch.Close() }()
	if err := batch.Append(natsx.StreamCRM, p.streamCreated, p.sequence, newest.UTC(), time.Now().UTC()); err != nil {
		return fmt.Errorf("store the position of ingestion: %w", err)
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("store the position of ingestion: %w", err)
	}
	return nil
}
