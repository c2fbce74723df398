// Package csvfile reads delimited files row by row, exactly, and goes on after a damaged row.
//
// It follows RFC 4180: a quoted value may hold delimiters, line ends and doubled quotes. It guesses nothing: a quote
// inside an unquoted value, text behind a closing quote, or a wrong number of values reject the row. What a damaged
// row may cost is bounded: a row that spans lines and turns out damaged is given up at its first line only, and
// reading goes on at the second, so that a stray quote never swallows the good rows behind it.
package csvfile

import (
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
)

const (
	// LinesMax is the most lines that one row may span.
	LinesMax = 500
	// BytesMax is the most bytes that one row may have.
	BytesMax = 1 << 20
)

// Options say how the file is written and where reading begins.
type Options struct {
	// Delimiter stands between values; required.
	Delimiter rune
	// Quote encloses values; 0 when the file has no quoting.
	Quote rune
	// Encoding of the file, based on ASCII; nil for UTF-8.
	Encoding encoding.Encoding
	// Offset and Line are the place in the file of the first byte that the reader gets; Line counts from 1, 0 means 1.
	Offset int64
	Line   int
}

// Record is one row.
type Record struct {
	// Values of the row.
	Values []string
	// Raw is the row as it stands in the file, decoded, without the line end.
	Raw string
	// Line is the number of its first line.
	Line int
	// End is the offset of the first byte behind the row, and EndLine the number of the line there.
	End     int64
	EndLine int
}

// RowError says why a row can't be read. The reader is then at the next row.
type RowError struct {
	// Record has the place of the row and as much of its text as could be read.
	Record Record
	// Value is the index of the broken value, -1 when the row as a whole is broken.
	Value int
	// Reason is a short sentence.
	Reason string
}

// Error gives the line and the reason.
func (e *RowError) Error() string { return fmt.Sprintf("line %d: %s", e.Record.Line, e.Reason) }

// Reader reads rows.
type Reader struct {
	lines  lineReader
	parser parser
	want   int
}

// NewReader reads from r, which stands at the place that the options name.
func NewReader(r io.Reader, o Options) (*Reader, error) {
	if o.Delimiter == 0 || o.Delimiter == o.Quote || o.Delimiter == utf8.RuneError {
		return nil, fmt.Errorf("delimiter %q: must be set and differ from the quote %q", o.Delimiter, o.Quote)
	}
	reader := &Reader{
		lines:  newLineReader(r, o),
		parser: parser{delimiter: string(o.Delimiter)},
	}
	if o.Quote != 0 {
		reader.parser.quote = string(o.Quote)
	}
	return reader, nil
}

// Expect sets how many values each row has from here on; 0 takes any number.
func (r *Reader) Expect(values int) { r.want = values }

// SkipLines passes over lines, whatever they hold.
func (r *Reader) SkipLines(count int) error {
	for range count {
		if _, err := r.lines.peek(0); err != nil {
			return err
		}
		r.lines.drop(1)
	}
	return nil
}

// Next returns the next row; empty lines are no rows. It returns io.EOF at the end and *RowError for a damaged row, after
// which it can be called again. Any other error is one of reading the file, and final.
func (r *Reader) Next() (Record, error) {
	if err := r.skipEmpty(); err != nil {
		return Record{}, err
	}
	head, err := r.lines.peek(0)
	if err != nil {
		return Record{}, err
	}
	if head.fault != "" {
		return r.giveUp(head, parseFault{value: -1, reason: head.fault})
	}
	last, spanned, fault, err := r.parse(head)
	if err != nil {
		return Record{}, err
	}
	if fault.reason == "" && r.want > 0 && len(r.parser.values) != r.want {
		fault = parseFault{value: -1, reason: fmt.Sprintf("the row has %d values instead of %d", len(r.parser.values), r.want)}
		if spanned > 1 {
			fault = r.parser.badlyClosed()
		}
	}
	if fault.reason != "" {
		return r.giveUp(head, fault)
	}
	record := Record{
		Values: r.parser.values, Raw: r.lines.text(spanned), Line: head.number, End: last.end, EndLine: last.number + 1,
	}
	r.lines.drop(spanned)
	return record, nil
}

// parse reads a row that begins with a line, over as many lines as it takes. It returns the last of them, their number,
// and what is wrong with the row.
func (r *Reader) parse(head line) (last line, spanned int, fault parseFault, err error) {
	state, fault := r.parser.begin(head.text)
	last, spanned = head, 1
	for size := len(head.text); state == open; spanned++ {
		next, err := r.lines.peek(spanned)
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			return last, spanned, fault, err
		case err != nil || next.fault != "" || spanned == LinesMax || size+len(next.text) > BytesMax:
			return last, spanned, r.parser.neverClosed(), nil
		}
		size += len(next.text) + 1
		last = next
		state, fault = r.parser.resume(next.text)
	}
	if state == broken && spanned > 1 {
		fault = r.parser.badlyClosed()
	}
	return last, spanned, fault, nil
}

// giveUp rejects the first line of what was read; the lines behind it are read again on their own.
func (r *Reader) giveUp(first line, fault parseFault) (Record, error) {
	r.lines.drop(1)
	record := Record{Raw: first.text, Line: first.number, End: first.end, EndLine: first.number + 1}
	return Record{}, &RowError{Record: record, Value: fault.value, Reason: fault.reason}
}

func (r *Reader) skipEmpty() error {
	for {
		next, err := r.lines.peek(0)
		if err != nil {
			return err
		}
		if next.text != "" || next.fault != "" {
			return nil
		}
		r.lines.drop(1)
	}
}
