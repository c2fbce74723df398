package migrations_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// questionMark begins each question in the comment of a view.
const questionMark = "\n\nQuestion: "

// question is an example of what a view answers.
type question struct {
	// text as a person asks it.
	text string
	// sql that answers it, for the user bi.
	sql string
}

// readComment takes the comment of a view or a dictionary apart: what it shows, and its questions.
func readComment(comment string) (text string, questions []question) {
	parts := strings.Split(comment, questionMark)
	parts[0], _, _ = strings.Cut(parts[0], "\n")
	for _, part := range parts[1:] {
		title, sql, _ := strings.Cut(part, "\n")
		questions = append(questions, question{text: title, sql: sql})
	}
	return parts[0], questions
}

// Files that are made of the comments, below the project. UPDATE_GOLDEN=1 writes them anew.
const (
	pageFile    = "deploy/clickhouse/bi.md"
	sourcesFile = "deploy/clickhouse/dbt/sources.yml"
)

// relation is a view with what its comment and those of its columns say.
type relation struct {
	name, text string
	questions  []question
	columns    []column
}

type column struct{ name, kind, text string }

// attributes are what the comment of a dictionary says of each of them, one a line.
func attributes(comment string) map[string]string {
	comment, _, _ = strings.Cut(comment, questionMark)
	out := map[string]string{}
	for _, line := range strings.Split(comment, "\n")[1:] {
		name, text, _ := strings.Cut(line, ": ")
		out[name] = text
	}
	return out
}

// described reads the comments of all views, with the name that the database has in production.
func described(t *testing.T, conn driver.Conn, bi string) []relation {
	t.Helper()
	const views = "SELECT name, comment FROM system.tables WHERE database = ? ORDER BY name"
	const columns = "SELECT name || '\n' || type, comment FROM system.columns WHERE database = ? AND table = ? ORDER BY position"
	var out []relation
	for _, view := range pairs(t, conn, views, bi) {
		one := relation{name: view[0]}
		one.text, one.questions = readComment(strings.ReplaceAll(view[1], bi+".", "bi."))
		for _, pair := range pairs(t, conn, columns, bi, view[0]) {
			name, kind, _ := strings.Cut(pair[0], "\n")
			if pair[1] == "" {
				pair[1] = attributes(view[1])[name]
			}
			one.columns = append(one.columns, column{name: name, kind: kind, text: pair[1]})
		}
		out = append(out, one)
	}
	return out
}

// pages keeps the page for analysts and the sources for dbt as the comments say.
func pages(t *testing.T, conn driver.Conn, bi string) {
	tables := described(t, conn, bi)
	fresh(t, pageFile, append(page(tables), cataloguePage(t)...))
	fresh(t, sourcesFile, sources(tables))
}

func fresh(t *testing.T, file string, want []byte) {
	t.Helper()
	path := filepath.Join("..", "..", "..", filepath.FromSlash(file))
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what the comments say (%v): run `make docs`", file, err)
	}
}

const pageHead = `# The database bi

Made by ` + "`make docs`" + ` from the comments in services/analytics/migrations, which tools show as well, and from the catalogue of
[reports](#reports-measures-and-dimensions); don't edit it here.

A star schema: facts with the numbers of what they are about, and dimensions that say what these are. Duplicates and
deletions are resolved. Days are days of the calendar of the bank, amounts are exact decimals, and those called base_… are in
the base currency of the bank. There is nothing in it that names a person. Who may read it, and within which limits:
[README.md](README.md).

`

// page is Markdown with all views, their columns and questions.
func page(tables []relation) []byte {
	var b bytes.Buffer
	b.WriteString(pageHead)
	for _, one := range tables {
		first, _, _ := strings.Cut(one.text, ". ")
		fmt.Fprintf(&b, "- [%s](#%[1]s): %s\n", one.name, strings.TrimSuffix(first, "."))
	}
	for _, one := range tables {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| column | type | meaning |\n|---|---|---|\n", one.name, one.text)
		for _, c := range one.columns {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", c.name, c.kind, strings.ReplaceAll(c.text, "|", "\\|"))
		}
		for _, q := range one.questions {
			fmt.Fprintf(&b, "\n%s\n\n```sql\n%s\n```\n", q.text, q.sql)
		}
	}
	return b.Bytes()
}

// sources is the list of views as dbt reads it: models select from source('bi', 'fact_transaction').
func sources(tables []relation) []byte {
	var b bytes.Buffer
	b.WriteString("# Made by `make docs` from the comments in services/analytics/migrations; don't edit it here.\n")
	b.WriteString("version: 2\nsources:\n  - name: bi\n    schema: bi\n    description: The star schema of the bank\n    tables:\n")
	for _, one := range tables {
		fmt.Fprintf(&b, "      - name: %s\n        description: %q\n        columns:\n", one.name, one.text)
		for _, c := range one.columns {
			fmt.Fprintf(&b, "          - {name: %s, data_type: %q, description: %q}\n", c.name, c.kind, c.text)
		}
	}
	return b.Bytes()
}
