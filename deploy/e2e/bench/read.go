package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// auditSQL leaves the entry about a read, which crm commits before it answers: the statement of a change, behind its event.
var auditSQL = statementsOf(keptSQL)[1]

// reading is the bare SQL of a read. It returns the customers that it showed.
type reading func(ctx context.Context, random *rand.Rand) (customers []int64, err error)

// alone reads, and nothing else.
func alone(read func(*bench) reading) func(*bench) work {
	return func(b *bench) work {
		read := read(b)
		return func(ctx context.Context, _ int, random *rand.Rand) error {
			_, err := read(ctx, random)
			return err
		}
	}
}

// audited is all SQL of a call: it reads and leaves the entry about whom it showed.
func audited(read func(*bench) reading, method string) func(*bench) work {
	return func(b *bench) work {
		read := read(b)
		return func(ctx context.Context, _ int, random *rand.Rand) error {
			customers, err := read(ctx, random)
			if err != nil {
				return err
			}
			var one int64
			var others *string
			if len(customers) == 1 {
				one = customers[0]
			} else {
				list := arrayText(customers)
				others = &list
			}
			_, err = b.pool.Exec(ctx, auditSQL, "bench", "127.0.0.1", method, uuid.NewString(), "", "read", "customer", one, 0, one, others, nil, nil)
			return err
		}
	}
}

// arrayText writes numbers as Postgres reads an array.
func arrayText(ids []int64) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = strconv.FormatInt(id, 10)
	}
	return "{" + strings.Join(texts, ",") + "}"
}

// queried reads customers by a statement that begins with their numbers; there must be some.
func (b *bench) queried(sql string, args func(*rand.Rand) []any) reading {
	return func(ctx context.Context, random *rand.Rand) (customers []int64, err error) {
		rows, err := b.pool.Query(ctx, sql, args(random)...)
		if err != nil {
			return nil, err
		}
		err = readAll(rows, func(values []any) {
			id, _ := values[0].(int64)
			customers = append(customers, id)
		})
		if err == nil && len(customers) == 0 {
			return nil, errors.New("no customers")
		}
		return customers, err
	}
}

// readAll takes every value of every row, as whoever asks for them does.
func readAll(rows pgx.Rows, each func(values []any)) error {
	defer rows.Close()
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return fmt.Errorf("read a row: %w", err)
		}
		if each != nil {
			each(values)
		}
	}
	return rows.Err()
}
