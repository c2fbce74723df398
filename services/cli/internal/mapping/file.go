package mapping

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Column is a column of a file that expressions can use.
type Column struct {
	// Name in expressions.
	Name string
	// Title in the file's header.
	Title string
}

// File says how one kind of file is read and what its rows become.
type File struct {
	// Match holds globs on the base name.
	Match []string
	// Format of the file.
	Format Format
	// Columns that expressions use; without a header, all columns of the file.
	Columns []Column
	// Feeds in the order of the mapping.
	Feeds []*Feed

	scope *scope
}

// Matches says whether a file with this base name is meant.
func (f *File) Matches(base string) bool { return matches(f.Match, base) }

// FeedsOf returns the feeds of one entity.
func (f *File) FeedsOf(entity Entity) []*Feed {
	var out []*Feed
	for _, feed := range f.Feeds {
		if feed.Entity == entity {
			out = append(out, feed)
		}
	}
	return out
}

// Row makes a row of the raw values of the file's columns, in the order of Columns: it trims them and blanks those that
// mean "no value".
func (f *File) Row(values []string, line int, fileName string) *Row {
	for i, value := range values {
		trimmed := strings.TrimSpace(value)
		if trimmed == "" || slices.Contains(f.Format.NullValues, trimmed) {
			values[i] = ""
		} else if f.Format.Trim {
			values[i] = trimmed
		}
	}
	return &Row{Values: values, Line: line, FileName: fileName, scope: f.scope}
}

// readFile reads an item of `files`.
func (m *Mapping) readFile(r *reader, node *yaml.Node) *File {
	f := &File{Format: m.format}
	var feeds, columns *yaml.Node
	r.object(node, "a file", map[string]func(*yaml.Node){
		"match":   func(n *yaml.Node) { f.Match = r.globs(n) },
		"format":  func(n *yaml.Node) { f.Format = r.format(n, f.Format) },
		"columns": func(n *yaml.Node) { columns = n },
		"feeds":   func(n *yaml.Node) { feeds = n },
	})
	if len(f.Match) == 0 {
		r.at(node, "a file needs `match`")
	}
	if columns == nil || feeds == nil {
		r.at(node, "a file needs `columns` and `feeds`")
		return f
	}
	f.Columns = r.columns(columns)
	var err error
	if f.scope, err = newScope(f.Columns, f.Format, m.codes, m.location); err != nil {
		r.at(node, "%v", err)
		return f
	}
	for _, item := range r.list(feeds, "feeds") {
		f.Feeds = append(f.Feeds, m.readFeed(r, f.scope, item))
	}
	return f
}

// columns reads a list of names, or pairs of name and title.
func (r *reader) columns(node *yaml.Node) []Column {
	var out []Column
	if len(resolve(node).Content) == 0 {
		r.at(node, "columns must name at least one column")
	}
	seen := map[string]bool{}
	add := func(name, title text) {
		switch {
		case !identifier.MatchString(name.value):
			r.at(name.node, "column %q can't stand in an expression; give it a name: `columns: {name: %q}`", name.value, title.value)
		case slices.Contains(reserved, name.value):
			r.at(name.node, "column %q has a name with a meaning of its own; give it another: `columns: {my_%[1]s: %q}`", name.value, title.value)
		case seen[name.value]:
			r.at(name.node, "column %q stands twice", name.value)
		default:
			seen[name.value] = true
			out = append(out, Column{Name: name.value, Title: title.value})
		}
	}
	if resolve(node).Kind == yaml.SequenceNode {
		for _, t := range r.texts(node, "columns") {
			add(t, t)
		}
		return out
	}
	for _, e := range r.entries(node, "columns") {
		add(e.key, r.text(e.value, "the title of column "+e.key.value))
	}
	return out
}
