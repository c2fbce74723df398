package csvfile

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
)

// readAll renders rows as "line: a|b" and damaged ones as "line! reason".
func readAll(t *testing.T, text string, o Options, want int) []string {
	t.Helper()
	r, err := NewReader(strings.NewReader(text), o)
	if err != nil {
		t.Fatal(err)
	}
	r.Expect(want)
	var out []string
	for {
		record, err := r.Next()
		var damaged *RowError
		switch {
		case errors.Is(err, io.EOF):
			return out
		case errors.As(err, &damaged):
			out = append(out, fmt.Sprintf("%d! %d %s", damaged.Record.Line, damaged.Value, damaged.Reason))
		case err != nil:
			t.Fatal(err)
		default:
			out = append(out, fmt.Sprintf("%d: %s", record.Line, strings.Join(record.Values, "|")))
		}
	}
}

func TestReader(t *testing.T) {
	t.Parallel()
	semicolon := Options{Delimiter: ';', Quote: '"'}
	tests := []struct {
		name, text string
		options    Options
		want       []string
	}{
		{"plain", "a;b;c\r\n1;;3", semicolon, []string{"1: a|b|c", "2: 1||3"}},
		{"quoted", `"a;1";"say ""hi""";""` + "\n", semicolon, []string{`1: a;1|say "hi"|`}},
		{"spans lines", "1;\"two\r\nlines\";3\n4;5;6\n", semicolon, []string{"1: 1|two\nlines|3", "3: 4|5|6"}},
		{"empty lines are no rows", "\n1;2;3\n\r\n\n4;5;6\n\n", semicolon, []string{"2: 1|2|3", "5: 4|5|6"}},
		{"byte order mark", "\xef\xbb\xbf\"a\";b;c\n", semicolon, []string{"1: a|b|c"}},
		{"no quoting", "5\";x;y\n", Options{Delimiter: ';'}, []string{`1: 5"|x|y`}},
		{"tab", "a\tb\tc", Options{Delimiter: '\t', Quote: '\''}, []string{"1: a|b|c"}},
		{"too few and too many", "1;2\n1;2;3\n1;2;3;4\n", semicolon, []string{
			"1! -1 the row has 2 values instead of 3", "2: 1|2|3", "3! -1 the row has 4 values instead of 3",
		}},
		{"bare quote", "1;a\"b;3\n4;5;6\n", semicolon, []string{
			"1! 1 a quote at character 4 stands inside a value that is not quoted", "2: 4|5|6",
		}},
		{"text behind quote", "1;\"a\"b;3\n4;5;6\n", semicolon, []string{
			"1! 1 text follows the closing quote at character 5", "2: 4|5|6",
		}},
		{"stray quote swallows nothing", "1;\"a;3\n4;5;6\n7;8;9\n", semicolon, []string{
			"1! 1 the quote at character 3 is never closed", "2: 4|5|6", "3: 7|8|9",
		}},
		{"stray quote before quoted rows", "1;\"a;3\n4;\"b\";6\n", semicolon, []string{
			"1! 1 the quote at character 3 is not closed on its line, and the next lines do not fit", "2: 4|b|6",
		}},
		{"stray quote that closes with too many values", "\"1;a;3\n4\";b;c;d\n7;8;9\n", semicolon, []string{
			"1! 0 the quote at character 1 is not closed on its line, and the next lines do not fit",
			"2! 0 a quote at character 2 stands inside a value that is not quoted", "3: 7|8|9",
		}},
		{"windows-1250", "P\xf8\xedbram;\x8aumperk;\x9e\n", Options{Delimiter: ';', Quote: '"', Encoding: charmap.Windows1250}, []string{"1: Příbram|Šumperk|ž"}},
		{"undefined byte", "a\x81;b;c\n1;2;3\n", Options{Delimiter: ';', Encoding: charmap.Windows1250}, []string{
			"1! -1 the line has bytes that mean nothing in the encoding of the mapping", "2: 1|2|3",
		}},
		{"not utf-8", "a\xff;b;c\n1;2;3\n", semicolon, []string{
			"1! -1 the line is not valid utf-8; is the file in another encoding?", "2: 1|2|3",
		}},
		{"zero character", "a\x00;b;c\n1;2;3\n", semicolon, []string{"1! -1 the line holds the character U+0000", "2: 1|2|3"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, readAll(t, test.text, test.options, 3)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReaderLimits(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", BytesMax+10)
	got := readAll(t, "1;2\n"+long+";2\n3;4\n", Options{Delimiter: ';', Quote: '"'}, 2)
	if diff := cmp.Diff([]string{"1: 1|2", "2! -1 the line is longer than 1 MiB", "3: 3|4"}, got); diff != "" {
		t.Error(diff)
	}
	// A value that spans more lines than allowed is given up; the lines behind it are rows again.
	text := "1;\"" + strings.Repeat("a\n", LinesMax+1) + "\"\n"
	rows := readAll(t, text+"5;6\n", Options{Delimiter: ';', Quote: '"'}, 2)
	if rows[0] != "1! 1 the quote at character 3 is never closed" || rows[len(rows)-1] != fmt.Sprintf("%d: 5|6", LinesMax+3) {
		t.Errorf("got %q … %q", rows[0], rows[len(rows)-1])
	}
}

// TestReaderGoesOn reads again from the end of each row and expects the same rest.
func TestReaderGoesOn(t *testing.T) {
	t.Parallel()
	text := "\xef\xbb\xbfa;b\n1;\"x\ny\"\n\"broken;2\n3;4\r\n\n5;6"
	all := readAll(t, text, Options{Delimiter: ';', Quote: '"'}, 2)
	r, err := NewReader(strings.NewReader(text), Options{Delimiter: ';', Quote: '"'})
	if err != nil {
		t.Fatal(err)
	}
	r.Expect(2)
	for i := range all {
		record, err := r.Next()
		if damaged, ok := errors.AsType[*RowError](err); ok {
			record = damaged.Record
		}
		rest := readAll(t, text[record.End:], Options{Delimiter: ';', Quote: '"', Offset: record.End, Line: record.EndLine}, 2)
		if diff := cmp.Diff(strings.Join(all[i+1:], "\n"), strings.Join(rest, "\n")); diff != "" {
			t.Errorf("after row %d: %s", i, diff)
		}
	}
}
