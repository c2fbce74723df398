package pgoutput

import (
	"encoding/binary"
	"fmt"
	"time"
)

// What travels inside CopyData while a replication stream is open.
// See https://www.postgresql.org/docs/18/protocol-replication.html.
const (
	tagWALData   = 'w'
	tagKeepalive = 'k'
	tagStatus    = 'r'
)

// WALData carries one message of the plugin.
type WALData struct {
	// Data is the message, for Decode; it points into the bytes received.
	Data []byte
}

// Keepalive tells how far the server has come.
type Keepalive struct {
	// EndLSN is how far the server has decoded: whatever was committed before it has been sent.
	EndLSN LSN
	// ReplyRequested asks for a status at once.
	ReplyRequested bool
}

// DecodeStream decodes the content of a CopyData message: exactly one of the results is set unless there is an error.
func DecodeStream(data []byte) (*WALData, *Keepalive, error) {
	if len(data) == 0 {
		return nil, nil, fmt.Errorf("%w: empty", ErrMalformed)
	}
	r := &reader{rest: data[1:]}
	switch data[0] {
	case tagWALData:
		r.take(24) // start and end of the log position, time of sending: the messages inside say what we need
		if r.short {
			return nil, nil, fmt.Errorf("%w: data ends early, after %d bytes", ErrMalformed, len(data))
		}
		return &WALData{Data: r.rest}, nil, nil
	case tagKeepalive:
		k := &Keepalive{EndLSN: LSN(r.uint64())}
		r.uint64() // time of sending
		k.ReplyRequested = r.uint8() == 1
		if r.short || len(r.rest) > 0 {
			return nil, nil, fmt.Errorf("%w: keepalive of %d bytes", ErrMalformed, len(data))
		}
		return nil, k, nil
	default:
		return nil, nil, fmt.Errorf("%w: unknown stream tag %q", ErrMalformed, data[0])
	}
}

// AppendStatus appends a standby status update that confirms everything before lsn as received, stored and applied.
func AppendStatus(buf []byte, lsn LSN, now time.Time) []byte {
	buf = append(buf, tagStatus)
	for range 3 { // written, flushed, applied
		buf = binary.BigEndian.AppendUint64(buf, uint64(lsn))
	}
	buf = binary.BigEndian.AppendUint64(buf, uint64(Microseconds(now))) //nolint:gosec // two's complement on the wire
	return append(buf, 0)                                               // no reply wanted
}
