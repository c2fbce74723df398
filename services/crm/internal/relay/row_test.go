package relay

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tandem.bank/services/crm/internal/relay/pgoutput"
)

const rowEventID = "0199f3a0-1111-7222-8333-444455556666"

// described is a decoder that knows the outbox, with its columns in an order of their own.
func described(t *testing.T) *rowDecoder {
	t.Helper()
	var d rowDecoder
	err := d.describe(&pgoutput.Relation{ID: 7, Name: "outbox", Columns: []pgoutput.Column{
		{Name: "payload"}, {Name: "deleted"}, {Name: "added_later"}, {Name: "entity"}, {Name: "event_id"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	// The partition that holds the rows is described too, and must not be taken for the table.
	if err := d.describe(&pgoutput.Relation{ID: 8, Name: "outbox_20260102"}); err != nil {
		t.Fatal(err)
	}
	return &d
}

func row(kind byte, payload, deleted, eventID string) *pgoutput.Insert {
	values := []pgoutput.Value{
		{Kind: kind, Data: []byte(payload)},
		{Kind: kind, Data: []byte(deleted)},
		{Kind: pgoutput.KindNull},
		{Kind: kind, Data: []byte("card")},
		{Kind: kind, Data: []byte(eventID)},
	}
	return &pgoutput.Insert{RelationID: 7, Values: values}
}

func TestRowInBothForms(t *testing.T) {
	t.Parallel()
	d := described(t)
	want := event{id: rowEventID, entity: "card", deleted: true, payload: []byte{0x0a, 0xff}}
	for name, r := range map[string]*pgoutput.Insert{
		"text":   row(pgoutput.KindText, `\x0aff`, "t", rowEventID),
		"binary": row(pgoutput.KindBinary, "\x0a\xff", "\x01", "\x01\x99\xf3\xa0\x11\x11\x72\x22\x83\x33\x44\x44\x55\x55\x66\x66"),
	} {
		got, ok, err := d.event(r)
		if err != nil || !ok {
			t.Fatalf("%s: %t %v", name, ok, err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(event{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got, _, err := d.event(row(pgoutput.KindText, `\x`, "f", rowEventID)); err != nil || got.deleted {
		t.Errorf("row that is not deleted: %+v %v", got, err)
	}
}

func TestRowsThatAreNoEvents(t *testing.T) {
	t.Parallel()
	foreign := row(pgoutput.KindText, `\x01`, "f", rowEventID)
	foreign.RelationID = 9
	if _, ok, err := described(t).event(foreign); ok || err != nil {
		t.Errorf("row of another table: %t %v", ok, err)
	}
	short := row(pgoutput.KindText, `\x01`, "f", rowEventID)
	short.Values = short.Values[:4]
	noPayload := row(pgoutput.KindText, "", "f", rowEventID)
	noPayload.Values[0] = pgoutput.Value{Kind: pgoutput.KindUnchanged}
	for name, bad := range map[string]*pgoutput.Insert{
		"too few columns": short,
		"no payload":      noPayload,
		"payload digits":  row(pgoutput.KindText, `\x0g`, "f", rowEventID),
		"payload prefix":  row(pgoutput.KindText, "01", "f", rowEventID),
		"text id":         row(pgoutput.KindText, `\x01`, "f", "1234"),
		"binary id":       row(pgoutput.KindBinary, "a", "\x00", "1234"),
	} {
		if _, _, err := described(t).event(bad); !errors.Is(err, pgoutput.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMissingColumnIsNamed(t *testing.T) {
	t.Parallel()
	var d rowDecoder
	if err := d.describe(&pgoutput.Relation{ID: 7, Name: "outbox", Columns: []pgoutput.Column{{Name: "event_id"}}}); err == nil {
		t.Error("a publication without the payload was accepted")
	}
}
