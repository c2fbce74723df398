package csvfile

import (
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzReader reads anything: it has to end, to move on with each row, and to agree with encoding/csv on files that both
// find in order.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		"a,b\n1,2\n", "\"a\",\"b\"\"c\"\n", "\"x\ny\",2\n3,4", "\"open,1\n2,3\n", "a\"b,c\n", "\xef\xbb\xbfa,b\r\n\r\n", "é,\xff\n", "\"\",\"\"x\n",
	} {
		f.Add(seed, 2)
	}
	f.Fuzz(func(t *testing.T, text string, want int) {
		r, err := NewReader(strings.NewReader(text), Options{Delimiter: ',', Quote: '"'})
		if err != nil {
			t.Fatal(err)
		}
		want = max(0, want%10)
		r.Expect(want)
		var rows [][]string
		inOrder, end := true, int64(0)
		for {
			record, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if damaged, ok := errors.AsType[*RowError](err); ok {
				inOrder = false
				record = damaged.Record
			} else if err != nil {
				t.Fatal(err)
			} else {
				rows = append(rows, record.Values)
			}
			if record.End <= end || record.End > int64(len(text)) {
				t.Fatalf("row ends at %d after %d of %d", record.End, end, len(text))
			}
			end = record.End
		}
		// encoding/csv keeps a carriage return here and there, and knows no byte order mark.
		if inOrder && !strings.ContainsRune(text, '\r') && !strings.HasPrefix(text, "\xef\xbb\xbf") {
			agree(t, text, rows)
		}
	})
}

func agree(t *testing.T, text string, rows [][]string) {
	t.Helper()
	standard := csv.NewReader(strings.NewReader(text))
	standard.FieldsPerRecord = -1
	theirs, err := standard.ReadAll()
	if err != nil {
		t.Fatalf("encoding/csv refuses what was read: %v", err)
	}
	if diff := cmp.Diff(theirs, rows); diff != "" {
		t.Fatal(diff)
	}
}
