package record

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"tandem.bank/services/crm/internal/audit"
)

// customerColumn is the column by which a record is about a customer.
const customerColumn = "customer_id"

// auditEntry tells what a change made of a record; old is nil when it created it.
func (t *Table[R]) auditEntry(old *R, r *Record[R]) (audit.Entry, error) {
	entry := audit.Entry{
		Action: audit.Update, Entity: t.entity, EntityID: r.ID, Version: r.Version, CustomerID: t.customerOf(r), CustomerIDs: t.othersOf(r),
	}
	var before, after document
	var stored reflect.Value
	if old == nil {
		entry.Action = audit.Create
		if key := r.Key(); key != nil {
			after.add("source", key.GetSource())
			after.add("external_id", key.GetExternalId())
		}
	} else {
		stored = reflect.ValueOf(old).Elem()
	}
	written := reflect.ValueOf(&r.Row).Elem()
	for i, column := range t.columns {
		if slices.Contains(t.readOnly, i) {
			continue
		}
		value := written.Field(i)
		switch {
		case old == nil:
			if !value.IsZero() {
				after.add(column, value.Interface())
			}
		case !equal(stored.Field(i), value):
			before.add(column, stored.Field(i).Interface())
			after.add(column, value.Interface())
		}
	}
	var err error
	if entry.Before, err = before.bytes(); err != nil {
		return entry, err
	}
	entry.After, err = after.bytes()
	return entry, err
}

// customerOf is the customer whom a record is about: itself, or the one it names; 0 when there is none.
func (t *Table[R]) customerOf(r *Record[R]) int64 {
	if t.idColumn() == customerColumn {
		return r.ID
	}
	if i := slices.Index(t.columns, customerColumn); i >= 0 {
		return numberIn(r, i)
	}
	return 0
}

// othersOf are the further customers whom a record names, such as the other side of a relation.
func (t *Table[R]) othersOf(r *Record[R]) (others []int64) {
	for _, i := range t.others {
		if id := numberIn(r, i); id != 0 {
			others = append(others, id)
		}
	}
	return others
}

// numberIn is the id in a field of a row; 0 when it is null or no number.
func numberIn[R any](r *Record[R], field int) int64 {
	switch id := reflect.ValueOf(&r.Row).Elem().Field(field).Interface().(type) {
	case int64:
		return id
	case *int64:
		return Value(id)
	}
	return 0
}

// equal compares two fields of a row. Most are as they were, and told so without a copy of them.
func equal(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.String:
		return a.String() == b.String()
	case reflect.Int32, reflect.Int64:
		return a.Int() == b.Int()
	case reflect.Pointer, reflect.Slice, reflect.Map:
		if a.IsNil() && b.IsNil() {
			return true
		}
	default:
	}
	return same(a.Interface(), b.Interface())
}

// same compares values as they are, not as they are written: 1.5 is 1.5000, and a moment is the same in every zone.
func same(a, b any) bool {
	switch a := a.(type) {
	case decimal.NullDecimal:
		b, ok := b.(decimal.NullDecimal)
		return ok && a.Valid == b.Valid && a.Decimal.Equal(b.Decimal)
	case *time.Time:
		b, ok := b.(*time.Time)
		return ok && (a == nil) == (b == nil) && (a == nil || a.Equal(*b))
	case pgtype.Date:
		b, ok := b.(pgtype.Date)
		return ok && a.Valid == b.Valid && a.InfinityModifier == b.InfinityModifier && a.Time.Equal(b.Time)
	}
	if reflect.DeepEqual(a, b) {
		return true
	}
	// No list and an empty one are written alike, or not: that decides.
	left, errLeft := json.Marshal(a)
	right, errRight := json.Marshal(b)
	return errLeft == nil && errRight == nil && bytes.Equal(left, right)
}

// document is a JSON object with its members in the order in which they are added: the columns' order.
type document struct {
	buffer bytes.Buffer
	err    error
}

func (d *document) add(column string, value any) {
	if t, ok := value.(*time.Time); ok && t != nil {
		value = t.UTC()
	}
	raw, err := json.Marshal(value)
	if err != nil && d.err == nil {
		d.err = err
	}
	separator := byte(',')
	if d.buffer.Len() == 0 {
		separator = '{'
	}
	d.buffer.WriteByte(separator)
	d.buffer.WriteString(`"` + column + `":`)
	d.buffer.Write(raw)
}

// bytes is nil for a document without members.
func (d *document) bytes() ([]byte, error) {
	if d.err != nil || d.buffer.Len() == 0 {
		return nil, d.err
	}
	d.buffer.WriteByte('}')
	return d.buffer.Bytes(), nil
}
