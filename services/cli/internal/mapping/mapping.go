// Package mapping reads mapping files: how the columns of a bank's files become Tandem's records.
// README.md beside it describes the format.
package mapping

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"time"
	_ "time/tzdata" // time zones also where the system has none

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
)

// sizeMost bounds a mapping file, in bytes.
const sizeMost = 1 << 20

// namePattern is that of tandem.crm.v1.ExternalKey.source; a mapping's name follows it too.
var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// Mapping is a compiled mapping file. It is safe for concurrent use.
type Mapping struct {
	// Name of the mapping, and what it is for.
	Name, Description string
	// Hash is of the file's bytes: another text is another mapping.
	Hash [sha256.Size]byte
	// Constants are the records that no file holds, in the order of the mapping.
	Constants []Constant
	// Ignored names the files that are left out on purpose.
	Ignored []Ignored
	// Files in the order of the mapping.
	Files []*File

	source   string
	location *time.Location
	format   Format
	codes    map[string]map[string]string
}

// Constant is a record written in the mapping itself.
type Constant struct {
	Entity Entity
	Record proto.Message
	// Line in the mapping.
	Line int
}

// Ignored names files that are left out on purpose.
type Ignored struct {
	Match  []string
	Reason string
}

// Load reads and compiles a mapping. The name of the file is used in messages. All mistakes are returned at once, as
// an *InvalidError.
func Load(file string, content []byte) (*Mapping, error) {
	r := &reader{}
	m := &Mapping{Hash: sha256.Sum256(content), location: time.UTC, format: defaultFormat()}
	if root := r.document(content); root != nil {
		m.read(r, root)
	}
	if err := r.err(file); err != nil {
		return nil, err
	}
	return m, nil
}

// yamlLine finds the line in the messages of the YAML library, which has no other way to tell it.
var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// document parses the YAML text: one document that is not empty.
func (r *reader) document(content []byte) *yaml.Node {
	if len(content) > sizeMost {
		r.at(nil, "a mapping may have at most %d bytes, this has %d", sizeMost, len(content))
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		r.at(nil, "the mapping is empty")
		return nil
	case err != nil:
		r.yamlError(err)
		return nil
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		r.at(&second, "a mapping file holds one document; `---` begins a second")
		return nil
	}
	return document.Content[0]
}

func (r *reader) yamlError(err error) {
	parts := yamlLine.FindStringSubmatch(err.Error())
	if parts == nil {
		r.at(nil, "not YAML: %v", err)
		return
	}
	var line int
	if _, scanErr := fmt.Sscan(parts[1], &line); scanErr != nil {
		line = 0
	}
	r.at(&yaml.Node{Line: line, Column: 1}, "not YAML: %s", parts[2])
}

// read reads the keys in the order in which they depend on one another, not in the order of the file.
func (m *Mapping) read(r *reader, root *yaml.Node) {
	var records, files *yaml.Node
	named := false
	r.object(root, "the mapping", map[string]func(*yaml.Node){
		"mapping":     func(n *yaml.Node) { named, m.Name = true, r.name(n, "mapping") },
		"description": func(n *yaml.Node) { m.Description = r.text(n, "description").value },
		"source":      func(n *yaml.Node) { m.source = r.name(n, "source") },
		"time_zone":   func(n *yaml.Node) { m.location = r.location(n) },
		"format":      func(n *yaml.Node) { m.format = r.format(n, m.format) },
		"codes":       func(n *yaml.Node) { m.codes = r.codes(n) },
		"records":     func(n *yaml.Node) { records = n },
		"ignore":      func(n *yaml.Node) { m.Ignored = r.ignored(n) },
		"files":       func(n *yaml.Node) { files = n },
	})
	if !named {
		r.at(root, "the mapping needs a name: `mapping: mybank`")
	}
	if records != nil {
		m.readRecords(r, records)
	}
	if files == nil {
		r.at(root, "the mapping needs `files`")
		return
	}
	for _, item := range r.list(files, "files") {
		m.Files = append(m.Files, m.readFile(r, item))
	}
}

func (r *reader) name(node *yaml.Node, what string) string {
	t := r.text(node, what)
	if !namePattern.MatchString(t.value) {
		r.at(node, "%s %q must be lower case letters, digits, '.', '_' or '-', at most 64", what, t.value)
	}
	return t.value
}

func (r *reader) location(node *yaml.Node) *time.Location {
	t := r.text(node, "time_zone")
	location, err := time.LoadLocation(t.value)
	if err != nil || t.value == "" || t.value == "Local" {
		r.at(node, "time_zone %q is not known; an example is Europe/Prague", t.value)
		return time.UTC
	}
	return location
}

// codes reads the code tables.
func (r *reader) codes(node *yaml.Node) map[string]map[string]string {
	tables := map[string]map[string]string{}
	for _, table := range r.entries(node, "codes") {
		codes := map[string]string{}
		for _, code := range r.entries(table.value, "the code table "+table.key.value) {
			codes[code.key.value] = r.text(code.value, "the meaning of "+code.key.value).value
		}
		tables[table.key.value] = codes
	}
	return tables
}

func (r *reader) ignored(node *yaml.Node) []Ignored {
	items := r.list(node, "ignore")
	out := make([]Ignored, len(items))
	for i, item := range items {
		r.object(item, "an item of ignore", map[string]func(*yaml.Node){
			"match":  func(n *yaml.Node) { out[i].Match = r.globs(n) },
			"reason": func(n *yaml.Node) { out[i].Reason = r.text(n, "reason").value },
		})
		if len(out[i].Match) == 0 || out[i].Reason == "" {
			r.at(item, "an item of ignore needs `match` and `reason`")
		}
	}
	return out
}

func (r *reader) globs(node *yaml.Node) []string {
	globs := values(r.texts(node, "match"))
	for _, glob := range globs {
		if _, err := path.Match(glob, "x"); err != nil || glob == "" {
			r.at(node, "match: %q is not a pattern such as clients*.csv", glob)
		}
	}
	return globs
}

// matches says whether one of the globs fits the file's base name.
func matches(globs []string, base string) bool {
	for _, glob := range globs {
		if ok, err := path.Match(glob, base); ok && err == nil {
			return true
		}
	}
	return false
}

// Matches says whether these files are meant.
func (i Ignored) Matches(base string) bool { return matches(i.Match, base) }
