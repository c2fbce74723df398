package mapping

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Problem is one mistake in a mapping file.
type Problem struct {
	// Line and Column count from 1; 0 when the place is not known.
	Line, Column int
	// Text says what is wrong.
	Text string
}

// InvalidError lists all mistakes of a mapping file.
type InvalidError struct {
	// File is the name of the mapping file.
	File string
	// Problems in the order of the file.
	Problems []Problem
}

// Error returns one line a problem, as "file:line:column: text".
func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		if p.Line == 0 {
			lines[i] = fmt.Sprintf("%s: %s", e.File, p.Text)
			continue
		}
		lines[i] = fmt.Sprintf("%s:%d:%d: %s", e.File, p.Line, p.Column, p.Text)
	}
	return strings.Join(lines, "\n")
}

// problems collects mistakes, so that one look at the output is enough to mend the file.
type problems struct {
	found []Problem
}

func (p *problems) at(node *yaml.Node, format string, args ...any) {
	problem := Problem{Text: fmt.Sprintf(format, args...)}
	if node != nil {
		problem.Line, problem.Column = node.Line, node.Column
	}
	p.found = append(p.found, problem)
}

// count is used to see whether a part of the file added mistakes.
func (p *problems) count() int { return len(p.found) }

// err returns nil when nothing was wrong.
func (p *problems) err(file string) error {
	if len(p.found) == 0 {
		return nil
	}
	slices.SortStableFunc(p.found, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return &InvalidError{File: file, Problems: p.found}
}

// nearest returns `; did you mean "x"?` for the candidate that takes the fewest edits, or nothing when none is near.
func nearest(name string, candidates []string) string {
	best, edits := "", max(2, len(name)/3)+1
	for _, candidate := range candidates {
		if d := distance(name, candidate); d < edits {
			best, edits = candidate, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance is the Levenshtein distance in bytes: insertions, deletions and substitutions from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
