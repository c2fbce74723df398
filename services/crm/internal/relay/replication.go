package relay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"tandem.bank/services/crm/internal/relay/pgoutput"
)

const (
	// statusInterval keeps the connection alive well within wal_sender_timeout (60 s by default).
	statusInterval = 5 * time.Second
	// statusPause joins the confirmations of many small transactions into one message: each wakes the sender of the log, on a
	// busy day at every commit. What is not confirmed when a process dies is sent again, and dropped by its id.
	statusPause = 50 * time.Millisecond
	// writeTimeout bounds the sending of a status; the server always reads.
	writeTimeout = 20 * time.Second
	closeTimeout = 2 * time.Second
)

// replication is an open replication connection. One goroutine receives, another one sends.
type replication struct {
	conn *pgconn.PgConn
	rows rowDecoder
	// begin is the transaction that is being received; nil between transactions.
	begin *pgoutput.Begin
}

// startReplication connects and takes the slot. errSlotTaken means that another process was faster.
func startReplication(ctx context.Context, c Config) (*replication, error) {
	config := c.Pool.Config().ConnConfig.Config.Copy()
	// Nothing of the pool's settings may cut a stream that lasts for days, such as a statement timeout.
	config.RuntimeParams = map[string]string{"application_name": c.SlotName, "replication": "database"}
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect for replication: %w", err)
	}
	s := &replication{conn: conn}
	stop := s.interruptible(ctx)
	defer stop()
	// The slot's own position is where it starts. Binary, because text would double the size of the payloads.
	sql := fmt.Sprintf(`START_REPLICATION SLOT %s LOGICAL 0/0 (proto_version '1', publication_names '%s', binary 'true')`,
		c.SlotName, Publication)
	if err := s.start(sql); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *replication) start(sql string) error {
	s.conn.Frontend().SendQuery(&pgproto3.Query{String: sql})
	if err := s.conn.Frontend().Flush(); err != nil {
		return fmt.Errorf("start replication: %w", err)
	}
	for {
		message, err := s.conn.ReceiveMessage(context.Background())
		if err != nil {
			return fmt.Errorf("start replication: %w", err)
		}
		switch m := message.(type) {
		case *pgproto3.CopyBothResponse:
			return nil
		case *pgproto3.ErrorResponse:
			if m.Code == pgerrcode.ObjectInUse {
				return errSlotTaken
			}
			return fmt.Errorf("start replication: %w", pgconn.ErrorResponseToPgError(m))
		}
	}
}

// interruptible makes reads fail when the context ends. The connection's own way, a watcher per received message, costs
// more than decoding the message.
func (s *replication) interruptible(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = s.conn.Conn().SetReadDeadline(time.Unix(1, 0)) })
}

// receive hands every insert to the publisher, and every end of a transaction as a mark.
func (s *replication) receive(ctx context.Context, out *publisher, at *position) error {
	stop := s.interruptible(ctx)
	defer stop()
	for {
		message, err := s.conn.ReceiveMessage(context.Background())
		if err != nil {
			return errors.Join(ctx.Err(), fmt.Errorf("receive: %w", err))
		}
		switch m := message.(type) {
		case *pgproto3.CopyData:
			if err := s.handle(ctx, m.Data, out, at); err != nil {
				return err
			}
		case *pgproto3.CopyDone:
			return errors.New("receive: the server ended the stream")
		case *pgproto3.ErrorResponse:
			return fmt.Errorf("receive: %w", pgconn.ErrorResponseToPgError(m))
		}
	}
}

func (s *replication) handle(ctx context.Context, data []byte, out *publisher, at *position) error {
	wal, keepalive, err := pgoutput.DecodeStream(data)
	if err != nil {
		return err
	}
	if keepalive != nil {
		return s.handleKeepalive(ctx, keepalive, out, at)
	}
	message, err := pgoutput.Decode(wal.Data)
	if err != nil {
		return err
	}
	switch m := message.(type) {
	case *pgoutput.Begin:
		s.begin = m
	case *pgoutput.Commit:
		s.begin = nil
		return out.mark(ctx, m.EndLSN)
	case *pgoutput.Relation:
		return s.rows.describe(m)
	case *pgoutput.Insert:
		if s.begin == nil {
			return fmt.Errorf("%w: row outside of a transaction", pgoutput.ErrMalformed)
		}
		e, ok, err := s.rows.event(m)
		if err != nil || !ok {
			return err
		}
		return out.publish(ctx, e, s.begin.CommitTime)
	}
	return nil
}

// handleKeepalive moves the position over log without outbox rows, or the slot would hold that log for ever.
func (s *replication) handleKeepalive(ctx context.Context, k *pgoutput.Keepalive, out *publisher, at *position) error {
	if k.ReplyRequested {
		at.report()
	}
	if s.begin != nil {
		return nil // only the end of a transaction may be confirmed
	}
	return out.mark(ctx, k.EndLSN)
}

// reportStatus confirms the position when it has moved, and now and then to keep the connection alive.
func (s *replication) reportStatus(ctx context.Context, at *position) error {
	ticker := time.NewTicker(statusInterval)
	defer ticker.Stop()
	for {
		if err := s.sendStatus(at); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			// What was acknowledged last need not be sent again by the next holder of the slot.
			_ = s.sendStatus(at) // the session ends anyway
			return ctx.Err()
		case <-ticker.C:
		case <-at.wake:
			wait(ctx, statusPause)
		}
	}
}

func (s *replication) sendStatus(at *position) error {
	message := &pgproto3.CopyData{Data: pgoutput.AppendStatus(nil, at.load(), time.Now())}
	encoded, err := message.Encode(nil)
	if err != nil {
		return fmt.Errorf("encode status: %w", err)
	}
	if err := s.conn.Conn().SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return fmt.Errorf("send status: %w", err)
	}
	if err := s.conn.Frontend().SendUnbufferedEncodedCopyData(encoded); err != nil {
		return fmt.Errorf("send status: %w", err)
	}
	return nil
}

// close frees the slot: the server notices the end of the connection.
func (s *replication) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_ = s.conn.Close(ctx) // nothing is left to do about it
}
