package warehouse

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// errColumn marks a value that the driver could not put into its column.
var errColumn = errors.New("value does not fit its column")

// Table writes rows of type R into one ClickHouse table, column by column.
type Table[R any] struct {
	name    string
	insert  string
	columns []Column[R]
}

// Column is one column of a table and where its values come from.
type Column[R any] struct {
	name   string
	append func(to driver.BatchColumn, rows []R) error
}

// NewTable describes a table by its columns; columns left out get their default.
func NewTable[R any](name string, columns ...Column[R]) *Table[R] {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return &Table[R]{
		name:    name,
		insert:  "INSERT INTO " + name + " (" + strings.Join(names, ", ") + ")",
		columns: columns,
	}
}

// Col fills a column with a value of each row. V is a type that clickhouse-go knows for the column, so that a whole
// slice goes to the driver at once instead of a value at a time.
func Col[R, V any](name string, value func(*R) V) Column[R] {
	return Column[R]{name: name, append: func(to driver.BatchColumn, rows []R) error {
		values := make([]V, len(rows))
		for i := range rows {
			values[i] = value(&rows[i])
		}
		return to.Append(values)
	}}
}

// Name is the table's name in ClickHouse.
func (t *Table[R]) Name() string { return t.name }

// Insert writes the rows as one native block. When it returns nil the rows are stored; after an error some partitions
// may hold theirs already, which a repeated insert replaces.
func (t *Table[R]) Insert(ctx context.Context, conn driver.Conn, rows []R) error {
	if len(rows) == 0 {
		return nil
	}
	batch, err := conn.PrepareBatch(ctx, t.insert)
	if err != nil {
		return fmt.Errorf("insert into %s: %w", t.name, err)
	}
	defer func() { _ = batch.Close() }() // gives the connection back when the batch was not sent
	for i, column := range t.columns {
		if err := column.append(batch.Column(i), rows); err != nil {
			return fmt.Errorf("insert into %s: column %s: %w: %w", t.name, column.name, errColumn, err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("insert into %s: %w", t.name, err)
	}
	return nil
}
