package csvfile

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// state is where the parser stands at the end of a line.
type state int

const (
	// whole: the row ended with the line.
	whole state = iota
	// open: a quoted value goes on in the next line.
	open
	// broken: the row can't be read.
	broken
)

// parseFault says what broke a row.
type parseFault struct {
	value  int
	reason string
}

// parser cuts one row into values. It is fed a line at a time.
type parser struct {
	delimiter, quote string

	values []string
	// partial is the quoted value that is being read.
	partial strings.Builder
	// position counts the characters of the current line that have been read.
	position int
	// spanning is true from the second line of a row on.
	spanning bool
	// openedValue and openedAt tell which value was open at the end of the first line, and where its quote stands.
	openedValue, openedAt int
}

// begin starts a row with its first line.
func (p *parser) begin(text string) (state, parseFault) {
	p.values = make([]string, 0, max(cap(p.values), 8))
	p.position = 0
	p.spanning = false
	return p.read(text, false)
}

// resume goes on with the next line inside a quoted value.
func (p *parser) resume(text string) (state, parseFault) {
	p.partial.WriteByte('\n')
	p.position = 0
	p.spanning = true
	return p.read(text, true)
}

// read reads values to the end of the line; quoted says that it begins inside a quoted one.
func (p *parser) read(text string, quoted bool) (state, parseFault) {
	for {
		var more bool
		var reason string
		switch {
		case quoted:
			closed, rest := p.readQuoted(text)
			if !closed {
				return open, parseFault{}
			}
			quoted = false
			text, more, reason = p.endQuoted(rest)
		case p.quote != "" && strings.HasPrefix(text, p.quote):
			p.position++
			if !p.spanning {
				p.openedValue, p.openedAt = len(p.values), p.position
			}
			p.partial.Reset()
			text, quoted = text[len(p.quote):], true
			continue
		default:
			text, more, reason = p.readPlain(text)
		}
		switch {
		case reason != "":
			return broken, parseFault{value: len(p.values), reason: reason}
		case !more:
			return whole, parseFault{}
		}
	}
}

// readQuoted reads to the closing quote and returns what stands behind it.
func (p *parser) readQuoted(text string) (closed bool, rest string) {
	for {
		part, rest, found := strings.Cut(text, p.quote)
		p.partial.WriteString(part)
		p.position += utf8.RuneCountInString(part)
		if !found {
			return false, ""
		}
		p.position++
		if !strings.HasPrefix(rest, p.quote) {
			return true, rest
		}
		p.partial.WriteString(p.quote)
		p.position++
		text = rest[len(p.quote):]
	}
}

// endQuoted stands behind a closing quote: the row ends there, or a delimiter follows.
func (p *parser) endQuoted(rest string) (text string, more bool, reason string) {
	text, more = strings.CutPrefix(rest, p.delimiter)
	if rest != "" && !more {
		return "", false, fmt.Sprintf("text follows the closing quote at character %d", p.position)
	}
	p.values = append(p.values, p.partial.String())
	p.position++
	return text, more, ""
}

// readPlain reads an unquoted value.
func (p *parser) readPlain(text string) (rest string, more bool, reason string) {
	value, rest, more := strings.Cut(text, p.delimiter)
	if p.quote != "" {
		if before, _, found := strings.Cut(value, p.quote); found {
			at := p.position + utf8.RuneCountInString(before) + 1
			return "", false, fmt.Sprintf("a quote at character %d stands inside a value that is not quoted", at)
		}
	}
	p.values = append(p.values, value)
	p.position += utf8.RuneCountInString(value) + 1
	return rest, more, ""
}

// neverClosed and badlyClosed describe the quote that was open at the end of the first line.
func (p *parser) neverClosed() parseFault {
	return parseFault{p.openedValue, fmt.Sprintf("the quote at character %d is never closed", p.openedAt)}
}

func (p *parser) badlyClosed() parseFault {
	return parseFault{
		p.openedValue,
		fmt.Sprintf("the quote at character %d is not closed on its line, and the next lines do not fit", p.openedAt),
	}
}
