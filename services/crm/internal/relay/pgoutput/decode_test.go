package pgoutput_test

import (
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tandem.bank/services/crm/internal/relay/pgoutput"
)

// What Postgres 18.4 sent for an insert of two rows into the outbox, once in binary and once in text.
const (
	recordedBegin    = "770000000006af69d80000000006af69d8000303cd83c0f33b420000000006af6bc8000303cd83c015f90000034b"
	recordedRelation = "7700000000000000000000000000000000000303cd83c0f3d052000045da7075626c6963006f7574626f7800640004006576656e745f69640000000b86ffffffff00656e746974790000000019ffffffff0064656c657465640000000010ffffffff007061796c6f61640000000011ffffffff"
	recordedBinary   = "770000000006af69d80000000006af69d8000303cd83c0f44c49000045da4e000462000000100199f3a011117222833344445555666662000000046361726462000000010062000000020a0b"
	recordedText     = "770000000006af6b000000000006af6b00000303cd83dee83249000045da4e0004740000002430313939663361302d313131312d373232322d383333332d34343434353535353636363774000000076163636f756e7474000000017474000000045c783030"
	recordedCommit   = "770000000006af6bf80000000006af6bf8000303cd83c0f46f43000000000006af6bc80000000006af6bf8000303cd83c015f9"
	recordedAlive    = "6b0000000006af9f88000303cd83c0f4eb00"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestDecodeRecorded(t *testing.T) {
	t.Parallel()
	commitTime := time.Date(2026, 11, 21, 19, 55, 43, 714809_000, time.UTC)
	for name, c := range map[string]struct {
		recorded string
		want     pgoutput.Message
	}{
		"begin": {recordedBegin, &pgoutput.Begin{FinalLSN: 0x6af6bc8, CommitTime: commitTime, XID: 843}},
		"relation": {recordedRelation, &pgoutput.Relation{ID: 0x45da, Namespace: "public", Name: "outbox", Columns: []pgoutput.Column{
			{Name: "event_id", TypeOID: 2950}, {Name: "entity", TypeOID: 25}, {Name: "deleted", TypeOID: 16}, {Name: "payload", TypeOID: 17},
		}}},
		"binary row": {recordedBinary, &pgoutput.Insert{RelationID: 0x45da, Values: []pgoutput.Value{
			{Kind: 'b', Data: unhex(t, "0199f3a0111172228333444455556666")},
			{Kind: 'b', Data: []byte("card")},
			{Kind: 'b', Data: []byte{0}},
			{Kind: 'b', Data: []byte{0x0a, 0x0b}},
		}}},
		"text row": {recordedText, &pgoutput.Insert{RelationID: 0x45da, Values: []pgoutput.Value{
			{Kind: 't', Data: []byte("0199f3a0-1111-7222-8333-444455556667")},
			{Kind: 't', Data: []byte("account")},
			{Kind: 't', Data: []byte("t")},
			{Kind: 't', Data: []byte(`\x00`)},
		}}},
		"commit": {recordedCommit, &pgoutput.Commit{CommitLSN: 0x6af6bc8, EndLSN: 0x6af6bf8, CommitTime: commitTime}},
	} {
		wal, _, err := pgoutput.DecodeStream(unhex(t, c.recorded))
		if err != nil || wal == nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := pgoutput.Decode(wal.Data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		// Every part of a message that is not the whole of it is refused.
		for n := range len(wal.Data) {
			if _, err := pgoutput.Decode(wal.Data[:n]); !errors.Is(err, pgoutput.ErrMalformed) {
				t.Errorf("%s cut to %d bytes: %v", name, n, err)
			}
		}
		if _, err := pgoutput.Decode(append(wal.Data, 0)); !errors.Is(err, pgoutput.ErrMalformed) {
			t.Errorf("%s with a byte too many: %v", name, err)
		}
	}
}

func TestDecodeKeepalive(t *testing.T) {
	t.Parallel()
	data := unhex(t, recordedAlive)
	_, got, err := pgoutput.DecodeStream(data)
	if err != nil || *got != (pgoutput.Keepalive{EndLSN: 0x6af9f88}) {
		t.Errorf("keepalive %+v, %v", got, err)
	}
	data[len(data)-1] = 1
	if _, got, err = pgoutput.DecodeStream(data); err != nil || !got.ReplyRequested {
		t.Errorf("keepalive that asks for a reply: %+v, %v", got, err)
	}
}

func TestOtherMessagesAreSkipped(t *testing.T) {
	t.Parallel()
	for _, tag := range "UDTOYM" {
		got, err := pgoutput.Decode([]byte{byte(tag), 1, 2, 3})
		if diff := cmp.Diff(&pgoutput.Other{Tag: byte(tag)}, got); diff != "" || err != nil {
			t.Errorf("%c: %v %s", tag, err, diff)
		}
	}
	for _, unknown := range [][]byte{nil, {'?'}, {'S', 0}} {
		if _, err := pgoutput.Decode(unknown); !errors.Is(err, pgoutput.ErrMalformed) {
			t.Errorf("%q: %v", unknown, err)
		}
	}
}

func TestAppendStatus(t *testing.T) {
	t.Parallel()
	at := time.Date(2000, 1, 1, 0, 0, 1, 0, time.UTC)
	got := hex.EncodeToString(pgoutput.AppendStatus(nil, 0x0102030405060708, at))
	lsn := "0102030405060708"
	if want := "72" + lsn + lsn + lsn + "00000000000f4240" + "00"; got != want {
		t.Errorf("status %s, want %s", got, want)
	}
}

func TestLSNText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]pgoutput.LSN{"0/0": 0, "16/B374D848": 0x16B374D848, "FFFFFFFF/FFFFFFFF": 0xFFFFFFFFFFFFFFFF} {
		got, err := pgoutput.ParseLSN(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: %d %s %v", text, got, got, err)
		}
	}
	for _, bad := range []string{"", "1", "/", "1/", "x/1", "1/2/3", "1/100000000"} {
		if got, err := pgoutput.ParseLSN(bad); err == nil {
			t.Errorf("%q read as %s", bad, got)
		}
	}
}

func TestTime(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 3, 4, 5, 6, 7, 891011000, time.UTC)
	if got := pgoutput.Time(pgoutput.Microseconds(want)); !got.Equal(want) {
		t.Errorf("%s, want %s", got, want)
	}
}

func FuzzDecode(f *testing.F) {
	for _, recorded := range []string{recordedBegin, recordedRelation, recordedBinary, recordedText, recordedCommit, recordedAlive} {
		f.Add(unhex(f, recorded))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		wal, keepalive, err := pgoutput.DecodeStream(data)
		if err != nil {
			return
		}
		if (wal == nil) == (keepalive == nil) {
			t.Fatal("want exactly one of data and keepalive")
		}
		if wal == nil {
			return
		}
		message, err := pgoutput.Decode(wal.Data)
		switch {
		case err != nil && !errors.Is(err, pgoutput.ErrMalformed):
			t.Fatalf("error of another kind: %v", err)
		case err == nil && message == nil:
			t.Fatal("neither message nor error")
		}
		if row, ok := message.(*pgoutput.Insert); ok {
			size := 0
			for _, v := range row.Values {
				size += 1 + len(v.Data)
			}
			if size > len(data) {
				t.Fatalf("values of %d bytes out of %d", size, len(data))
			}
		}
	})
}
