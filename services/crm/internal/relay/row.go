package relay

import (
	"bytes"
	"encoding/hex"
	"fmt"

	"github.com/google/uuid"

	"tandem.bank/services/crm/internal/relay/pgoutput"
)

const outboxTable = "outbox"

// rowDecoder turns rows of the outbox into events.
type rowDecoder struct {
	// relation is the outbox; partitions are published under its id.
	relation                          uint32
	known                             bool
	eventID, entity, deleted, payload int
}

// describe learns where the columns stand. Postgres sends it before the first row and after each change of the table.
func (d *rowDecoder) describe(r *pgoutput.Relation) error {
	if r.Name != outboxTable {
		return nil
	}
	at := map[string]int{}
	for i, c := range r.Columns {
		at[c.Name] = i
	}
	for _, want := range []struct {
		name  string
		index *int
	}{{"event_id", &d.eventID}, {"entity", &d.entity}, {"deleted", &d.deleted}, {"payload", &d.payload}} {
		i, ok := at[want.name]
		if !ok {
			return fmt.Errorf("publication %s: column %s of the outbox is missing", Publication, want.name)
		}
		*want.index = i
	}
	d.relation, d.known = r.ID, true
	return nil
}

// event reads one row; false means a row of another table. Nothing in the result points into the row.
func (d *rowDecoder) event(row *pgoutput.Insert) (event, bool, error) {
	if !d.known || row.RelationID != d.relation {
		return event{}, false, nil
	}
	if n := max(d.eventID, d.entity, d.deleted, d.payload); n >= len(row.Values) {
		return event{}, false, fmt.Errorf("%w: outbox row has only %d columns", pgoutput.ErrMalformed, len(row.Values))
	}
	id, err := uuidOf(row.Values[d.eventID])
	if err != nil {
		return event{}, false, err
	}
	payload, err := bytesOf(row.Values[d.payload])
	if err != nil {
		return event{}, false, err
	}
	return event{
		id:      id,
		entity:  string(row.Values[d.entity].Data),
		deleted: isTrue(row.Values[d.deleted]),
		payload: payload,
	}, true, nil
}

// uuidOf reads 16 bytes or the usual text.
func uuidOf(v pgoutput.Value) (string, error) {
	if v.Kind == pgoutput.KindBinary {
		id, err := uuid.FromBytes(v.Data)
		if err != nil {
			return "", fmt.Errorf("%w: event_id: %w", pgoutput.ErrMalformed, err)
		}
		return id.String(), nil
	}
	id, err := uuid.ParseBytes(v.Data)
	if err != nil {
		return "", fmt.Errorf("%w: event_id: %w", pgoutput.ErrMalformed, err)
	}
	return id.String(), nil
}

// bytesOf copies raw bytes, or decodes the text form "\x0102".
func bytesOf(v pgoutput.Value) ([]byte, error) {
	switch v.Kind {
	case pgoutput.KindBinary:
		return bytes.Clone(v.Data), nil
	case pgoutput.KindText:
		digits, found := bytes.CutPrefix(v.Data, []byte(`\x`))
		decoded := make([]byte, hex.DecodedLen(len(digits)))
		if _, err := hex.Decode(decoded, digits); err != nil || !found {
			return nil, fmt.Errorf("%w: payload is no hexadecimal text", pgoutput.ErrMalformed)
		}
		return decoded, nil
	default:
		return nil, fmt.Errorf("%w: payload has kind %q", pgoutput.ErrMalformed, v.Kind)
	}
}

// isTrue reads the byte 1 or the text "t".
func isTrue(v pgoutput.Value) bool {
	return len(v.Data) == 1 && (v.Data[0] == 1 || v.Data[0] == 't')
}
