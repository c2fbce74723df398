package mapping

import (
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
)

// Format says how a file is written.
type Format struct {
	// Delimiter stands between values.
	Delimiter rune
	// Quote encloses values; 0 when the file has no quoting.
	Quote rune
	// Encoding of the file; nil for UTF-8.
	Encoding encoding.Encoding
	// EncodingName is its name for messages.
	EncodingName string
	// Header says whether a line with column titles comes first.
	Header bool
	// SkipLines is the number of lines before the header or the first row.
	SkipLines int
	// Trim drops blanks around values.
	Trim bool
	// NullValues mean "no value", beside blank ones.
	NullValues []string

	dateLayouts  []string
	decimalComma bool
}

// skipLinesMax bounds the preamble of a file.
const skipLinesMax = 1000

// asciiUnsafe are encodings in which the bytes of a line end or a quote may be a part of another character.
var asciiUnsafe = map[string]bool{"utf-16be": true, "utf-16le": true, "iso-2022-jp": true, "replacement": true}

func defaultFormat() Format {
	return Format{
		Delimiter: ',', Quote: '"', EncodingName: "utf-8", Header: true, Trim: true,
		dateLayouts: []string{"2006-01-02"},
	}
}

// format reads a `format` block over the values of base.
func (r *reader) format(node *yaml.Node, base Format) Format {
	f := base
	r.object(node, "format", map[string]func(*yaml.Node){
		"delimiter":     func(n *yaml.Node) { f.Delimiter = r.delimiter(n) },
		"encoding":      func(n *yaml.Node) { f.Encoding, f.EncodingName = r.encoding(n) },
		"quote":         func(n *yaml.Node) { f.Quote = r.quote(n) },
		"header":        func(n *yaml.Node) { setTo(&f.Header, r.flag(n, "header")) },
		"skip_lines":    func(n *yaml.Node) { setTo(&f.SkipLines, r.number(n, "skip_lines", skipLinesMax)) },
		"trim":          func(n *yaml.Node) { setTo(&f.Trim, r.flag(n, "trim")) },
		"null_values":   func(n *yaml.Node) { f.NullValues = values(r.texts(n, "null_values")) },
		"date_formats":  func(n *yaml.Node) { f.dateLayouts = r.layouts(n) },
		"decimal_comma": func(n *yaml.Node) { setTo(&f.decimalComma, r.flag(n, "decimal_comma")) },
	})
	if f.Delimiter == f.Quote && f.Delimiter != 0 {
		r.at(node, "delimiter and quote can't both be %q", string(f.Delimiter))
	}
	return f
}

func (r *reader) delimiter(node *yaml.Node) rune {
	t := r.text(node, "delimiter")
	if t.value == "tab" {
		return '\t'
	}
	return r.character(t, "delimiter", `one character or tab`)
}

func (r *reader) quote(node *yaml.Node) rune {
	t := r.text(node, "quote")
	if t.value == "none" {
		return 0
	}
	return r.character(t, "quote", `one character or none`)
}

func (r *reader) character(t text, what, want string) rune {
	c, size := utf8.DecodeRuneInString(t.value)
	if size != len(t.value) || c == utf8.RuneError || c == '\n' || c == '\r' || c == 0 {
		r.at(t.node, "%s must be %s, not %q", what, want, t.value)
		return 0
	}
	return c
}

func (r *reader) encoding(node *yaml.Node) (encoding.Encoding, string) {
	t := r.text(node, "encoding")
	enc, err := htmlindex.Get(t.value)
	if err != nil {
		r.at(node, "encoding %q is not known; examples are utf-8, windows-1250, windows-1251, iso-8859-2", t.value)
		return nil, ""
	}
	name, err := htmlindex.Name(enc)
	if err != nil {
		r.at(node, "encoding %q has no name: %v", t.value, err)
		return nil, ""
	}
	if asciiUnsafe[name] {
		r.at(node, "encoding %q is not based on ASCII; convert the file to utf-8 first", t.value)
	}
	if name == "utf-8" {
		return nil, name
	}
	return enc, name
}

func (r *reader) layouts(node *yaml.Node) []string {
	var out []string
	for _, t := range r.texts(node, "date_formats") {
		layout, err := goLayout(t.value)
		if err != nil {
			r.at(t.node, "%v", err)
			continue
		}
		out = append(out, layout)
	}
	return out
}

func setTo[T any](target, value *T) {
	if value != nil {
		*target = *value
	}
}

func values(texts []text) []string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = t.value
	}
	return out
}
