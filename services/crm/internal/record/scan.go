package record

import (
	"fmt"
	"reflect"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"
)

// Scanner reads the rows of one result, one after the other. Where the columns go is found out once for all of them.
type Scanner[R any] struct {
	record   Record[R]
	importID pgtype.UUID
	targets  []any
}

// Scanner reads rows of Columns and, behind them, more columns into more.
func (t *Table[R]) Scanner(more ...any) *Scanner[R] {
	s := &Scanner[R]{targets: make([]any, 0, 8+len(t.columns)+len(more))}
	r := &s.record
	s.targets = append(s.targets, &r.ID, &r.Source, &r.ExternalID, &r.Version, &r.Hash, &s.importID, &r.CreatedAt, &r.UpdatedAt)
	fields := reflect.ValueOf(&r.Row).Elem()
	for i := range t.columns {
		target := fields.Field(i).Addr().Interface()
		if number, ok := target.(*decimal.NullDecimal); ok {
			target = (*numeric)(number)
		}
		s.targets = append(s.targets, target)
	}
	s.targets = append(s.targets, more...)
	return s
}

// Scan reads the next row into a record of its own.
func (s *Scanner[R]) Scan(row pgx.CollectableRow) (*Record[R], error) {
	s.record = Record[R]{} // nothing of the row before it
	err := row.Scan(s.targets...)
	read := s.record
	if s.importID.Valid {
		id := uuid.UUID(s.importID.Bytes)
		read.ImportID = &id
	}
	return &read, err
}

// numeric is a decimal that pgx reads from the binary form. As it is, it would be written as a text and parsed again.
type numeric decimal.NullDecimal

// ScanNumeric implements pgtype.NumericScanner.
func (n *numeric) ScanNumeric(v pgtype.Numeric) error {
	*n = numeric{}
	if !v.Valid {
		return nil
	}
	if v.NaN || v.InfinityModifier != pgtype.Finite {
		return fmt.Errorf("not a finite number: %v", v)
	}
	*n = numeric{Decimal: decimal.NewFromBigInt(v.Int, v.Exp), Valid: true}
	return nil
}
