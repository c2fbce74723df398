package report

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// TestCellsAreSignedByRowAndColumn and open to what they were made of, and to nothing else.
func TestCellsAreSignedByRowAndColumn(t *testing.T) {
	t.Parallel()
	s := signer{key: bytes.Repeat([]byte{7}, KeyBytes)}
	other := []byte("another report's")
	p := &plan{pivot: &Dimension{Name: "channel"}}
	report := &reportToken{mac: s.mac([]byte("report")), hash: s.hash(), signed: make([]byte, macBytes)}
	d := &decoder{plan: p, pivot: []pivotValue{{key: "web"}, {key: "branch"}}, values: make([]value, 2), report: report}
	for _, keys := range [][]string{{"1", "north"}, {"", "a key that is rather long, longer than 127 bytes, so that its length takes two bytes " +
		"and not one as those of the other keys do in this test"}} {
		d.keys = keys
		row := report.row(d)
		for i := range 6 {
			text := row.cell(i)
			at, err := s.openCell(report.mac, text, len(keys))
			if err != nil {
				t.Fatal(err)
			}
			if pivot, pivoted := d.pivotKey(i); at.value != i%2 || at.pivoted != pivoted || at.pivot != pivot || at.keys[0] != keys[0] || at.keys[1] != keys[1] {
				t.Errorf("cell %d of %q opened to %+v", i, keys, at)
			}
			if _, err := s.openCell(other, text, len(keys)); !errors.Is(err, errNoCell) {
				t.Errorf("cell %d opened as another report's: %v", i, err)
			}
			raw, _ := encoding.DecodeString(text)
			for at := range raw {
				changed := bytes.Clone(raw)
				changed[at] ^= 1
				if _, err := s.openCell(report.mac, encoding.EncodeToString(changed), len(keys)); !errors.Is(err, errNoCell) {
					t.Errorf("cell %d opened with byte %d changed: %v", i, at, err)
				}
			}
		}
	}
}

// TestHostileTokens are refused, whatever lengths they claim.
func TestHostileTokens(t *testing.T) {
	t.Parallel()
	s, zeros := signer{key: bytes.Repeat([]byte{7}, KeyBytes)}, make([]byte, macBytes)
	for _, content := range [][]byte{
		{},
		{0},
		{0, 1},
		bytes.Repeat([]byte{0xff}, 40), binary.AppendUvarint([]byte{0, 1}, 1<<63), binary.AppendUvarint([]byte{0, 1}, 1<<63-1),
		binary.AppendUvarint([]byte{0, 1}, 5),
	} {
		if _, err := s.openCell(zeros, encoding.EncodeToString(append(bytes.Clone(zeros), content...)), 2); !errors.Is(err, errNoCell) {
			t.Errorf("%v: %v", content, err)
		}
	}
}
