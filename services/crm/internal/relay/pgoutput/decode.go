package pgoutput

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// ErrMalformed is wrapped by every decoding error.
var ErrMalformed = errors.New("malformed replication message")

// postgresEpoch is where Postgres counts microseconds from.
var postgresEpoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Time converts Postgres's microseconds since 2000. Seconds and the rest are added apart, for the whole range does not
// fit into a duration.
func Time(microseconds int64) time.Time {
	return time.Unix(postgresEpoch.Unix()+microseconds/1e6, microseconds%1e6*1e3).UTC()
}

// Microseconds is the inverse of Time.
func Microseconds(t time.Time) int64 { return t.UnixMicro() - postgresEpoch.UnixMicro() }

// Decode decodes one message of pgoutput. An *Insert points into data.
func Decode(data []byte) (Message, error) {
	if len(data) == 0 {
		return nil, fmt.Errorf("%w: empty", ErrMalformed)
	}
	r := &reader{rest: data[1:]}
	message := decode(data[0], r)
	switch {
	case message == nil:
		return nil, fmt.Errorf("%w: unknown tag %q", ErrMalformed, data[0])
	case r.short:
		return nil, fmt.Errorf("%w: %q ends early, after %d bytes", ErrMalformed, data[0], len(data))
	case r.bad != "":
		return nil, fmt.Errorf("%w: %q: %s", ErrMalformed, data[0], r.bad)
	case len(r.rest) > 0:
		return nil, fmt.Errorf("%w: %q has %d bytes too many", ErrMalformed, data[0], len(r.rest))
	}
	return message, nil
}

func decode(tag byte, r *reader) Message {
	switch tag {
	case 'B':
		return &Begin{FinalLSN: LSN(r.uint64()), CommitTime: Time(r.int64()), XID: r.uint32()}
	case 'C':
		r.uint8() // flags, none defined
		return &Commit{CommitLSN: LSN(r.uint64()), EndLSN: LSN(r.uint64()), CommitTime: Time(r.int64())}
	case 'R':
		return relation(r)
	case 'I':
		return insert(r)
	case 'U', 'D', 'T', 'O', 'Y', 'M':
		r.rest = nil
		return &Other{Tag: tag}
	default:
		return nil
	}
}

func relation(r *reader) *Relation {
	m := &Relation{ID: r.uint32(), Namespace: r.string(), Name: r.string()}
	r.uint8() // replica identity, of no use for inserts
	count := int(r.uint16())
	// A column takes at least 10 bytes, so a lying count can't make us allocate much.
	m.Columns = make([]Column, 0, min(count, len(r.rest)/10))
	for range count {
		r.uint8() // flags: part of the key
		c := Column{Name: r.string(), TypeOID: r.uint32()}
		r.uint32() // type modifier
		if r.short {
			return m
		}
		m.Columns = append(m.Columns, c)
	}
	return m
}

func insert(r *reader) *Insert {
	m := &Insert{RelationID: r.uint32()}
	if tag := r.uint8(); tag != 'N' && !r.short {
		r.bad = fmt.Sprintf("new row has tag %q", tag)
		return m
	}
	count := int(r.uint16())
	m.Values = make([]Value, 0, min(count, len(r.rest)))
	for range count {
		v := Value{Kind: r.uint8()}
		switch v.Kind {
		case KindNull, KindUnchanged:
		case KindText, KindBinary:
			v.Data = r.bytes(r.uint32())
		default:
			r.bad = fmt.Sprintf("value has kind %q", v.Kind)
		}
		if r.short || r.bad != "" {
			return m
		}
		m.Values = append(m.Values, v)
	}
	return m
}

// reader takes values off a message. After the first that is not whole it returns zeros, so that callers check once.
type reader struct {
	rest  []byte
	short bool
	bad   string
}

func (r *reader) take(n int) []byte {
	if r.short || n > len(r.rest) {
		r.short, r.rest = true, nil
		return nil
	}
	taken := r.rest[:n:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) uint8() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *reader) int64() int64 { return int64(r.uint64()) } //nolint:gosec // two's complement on the wire

func (r *reader) bytes(n uint32) []byte { return r.take(int(n)) }

// string takes a text up to its terminating zero.
func (r *reader) string() string {
	end := bytes.IndexByte(r.rest, 0)
	if r.short || end < 0 {
		r.short, r.rest = true, nil
		return ""
	}
	return string(r.take(end + 1)[:end])
}
