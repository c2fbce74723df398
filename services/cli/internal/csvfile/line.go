package csvfile

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
)

// rawMost is how much of an overlong line is kept for messages, in bytes.
const rawMost = 200

// line is one physical line of the file.
type line struct {
	text   string
	number int
	// end is the offset behind the line end.
	end int64
	// fault says why the line can't be used; the text is then only good for messages.
	fault string
}

// lineReader gives physical lines, with those ahead kept for a second look.
type lineReader struct {
	source *bufio.Reader
	decode *encoding.Decoder
	ahead  []line
	number int
	offset int64
	// first is true until the first line has been read: a byte order mark may stand there.
	first bool
	err   error
}

func newLineReader(r io.Reader, o Options) lineReader {
	l := lineReader{source: bufio.NewReaderSize(r, 64<<10), number: max(o.Line, 1), offset: o.Offset, first: o.Offset == 0}
	if o.Encoding != nil {
		l.decode = o.Encoding.NewDecoder()
	}
	return l
}

// peek returns the line that stands `at` lines ahead.
func (l *lineReader) peek(at int) (line, error) {
	for len(l.ahead) <= at {
		if l.err != nil {
			return line{}, l.err
		}
		next, err := l.read()
		if err != nil {
			l.err = err
			continue
		}
		l.ahead = append(l.ahead, next)
	}
	return l.ahead[at], nil
}

// text joins the next lines.
func (l *lineReader) text(count int) string {
	if count == 1 {
		return l.ahead[0].text
	}
	texts := make([]string, count)
	for i := range texts {
		texts[i] = l.ahead[i].text
	}
	return strings.Join(texts, "\n")
}

// drop forgets the next lines.
func (l *lineReader) drop(count int) {
	if count == len(l.ahead) {
		l.ahead = l.ahead[:0]
		return
	}
	l.ahead = append(l.ahead[:0], l.ahead[count:]...)
}

// read reads a physical line. It keeps at most BytesMax bytes of it.
func (l *lineReader) read() (line, error) {
	var kept []byte
	size := int64(0)
	for {
		part, err := l.source.ReadSlice('\n')
		size += int64(len(part))
		if room := BytesMax + 2 - len(kept); room > 0 {
			kept = append(kept, part[:min(room, len(part))]...)
		}
		if err == nil {
			break
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if errors.Is(err, io.EOF) && size > 0 {
			break
		}
		return line{}, err
	}
	l.offset += size
	out := line{number: l.number, end: l.offset}
	l.number++
	kept = bytes.TrimSuffix(bytes.TrimSuffix(kept, []byte("\n")), []byte("\r"))
	if l.first {
		l.first = false
		kept = bytes.TrimPrefix(kept, []byte("\xef\xbb\xbf"))
	}
	out.text, out.fault = l.decoded(kept)
	if size > BytesMax+2 {
		out.text, out.fault = strings.ToValidUTF8(string(kept[:rawMost]), "?"), "the line is longer than 1 MiB"
	}
	return out, nil
}

// decoded turns the bytes into UTF-8.
func (l *lineReader) decoded(raw []byte) (text, fault string) {
	if l.decode == nil || ascii(raw) {
		text = string(raw)
		if !utf8.ValidString(text) {
			return strings.ToValidUTF8(text, "\ufffd"), "the line is not valid utf-8; is the file in another encoding?"
		}
	} else {
		decoded, err := l.decode.Bytes(raw)
		text = string(decoded)
		if err != nil || strings.ContainsRune(text, utf8.RuneError) {
			return strings.ToValidUTF8(text, "\ufffd"), "the line has bytes that mean nothing in the encoding of the mapping"
		}
	}
	if strings.ContainsRune(text, 0) {
		return text, "the line holds the character U+0000"
	}
	return text, ""
}

func ascii(raw []byte) bool {
	for _, b := range raw {
		if b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
