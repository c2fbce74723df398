package logit

import (
	"fmt"
	"math"
)

// chunkRows is how many rows are worked on at a time: with 50 columns they fit into a processor's cache.
const chunkRows = 1024

// ColumnsMax bounds the columns of a table, because the curvature of the likelihood has a cell for each two of them.
const ColumnsMax = 500

// Table holds rows of numbers with what came of them. A number takes 32 bits, of which 24 are digits, more than the facts
// of a customer have: 1 000 000 rows of 50 columns are 200 MB, and a fit needs next to nothing beside them.
type Table struct {
	columns []string
	chunks  []chunk
	rows    int
	events  int
}

// chunk is a number of rows, one after the other.
type chunk struct {
	values []float32
	events []bool
}

// NewTable returns an empty table.
func NewTable(columns []string) (*Table, error) {
	if len(columns) > ColumnsMax {
		return nil, fmt.Errorf("%d columns are more than %d", len(columns), ColumnsMax)
	}
	return &Table{columns: columns}, nil
}

// Append adds a row. A number that is not finite, or beyond 32 bits, is an error that names its column.
func (t *Table) Append(row []float64, event bool) error {
	if len(row) != len(t.columns) {
		return fmt.Errorf("a row has %d numbers, the table %d columns", len(row), len(t.columns))
	}
	for i, v := range row {
		if math.IsNaN(v) || math.Abs(v) > math.MaxFloat32 {
			return fmt.Errorf("row %d: %g is no value for %s", t.rows, v, t.columns[i])
		}
	}
	if t.rows%chunkRows == 0 {
		t.chunks = append(t.chunks, chunk{})
	}
	last := &t.chunks[len(t.chunks)-1]
	for _, v := range row {
		last.values = append(last.values, float32(v))
	}
	last.events = append(last.events, event)
	t.rows++
	if event {
		t.events++
	}
	return nil
}

// Columns are the names of the columns.
func (t *Table) Columns() []string { return t.columns }

// Rows is how many there are, and Events how many of them had the event.
func (t *Table) Rows() int { return t.rows }

// Events is how many rows had the event.
func (t *Table) Events() int { return t.events }

// row is one of a chunk.
func (c chunk) row(i, columns int) []float32 { return c.values[i*columns : (i+1)*columns] }

// thinned keeps every n-th chunk: good enough to find where the maximum lies.
func (t *Table) thinned(n int) *Table {
	thin := &Table{columns: t.columns}
	for i := 0; i < len(t.chunks); i += n {
		c := t.chunks[i]
		thin.chunks = append(thin.chunks, c)
		thin.rows += len(c.events)
		for _, event := range c.events {
			if event {
				thin.events++
			}
		}
	}
	return thin
}
