// Package pgoutput decodes what Postgres sends through logical replication with its pgoutput plugin, protocol version 1:
// enough of it to follow inserts, and strict about everything it decodes.
//
// See https://www.postgresql.org/docs/18/protocol-logicalrep-message-formats.html.
package pgoutput

import (
	"fmt"
	"time"
)

// LSN is a position in the write-ahead log.
type LSN uint64

// String renders a position as Postgres does: "16/B374D848".
func (l LSN) String() string { return fmt.Sprintf("%X/%X", uint32(l>>32), uint32(l)) } //nolint:gosec // the halves are wanted

// ParseLSN reads "16/B374D848".
func ParseLSN(text string) (LSN, error) {
	var high, low uint32
	var rest string
	// The extra verb catches what follows the number.
	if n, _ := fmt.Sscanf(text, "%X/%X%s", &high, &low, &rest); n != 2 {
		return 0, fmt.Errorf("log position %q: want two hexadecimal numbers such as 16/B374D848", text)
	}
	return LSN(uint64(high)<<32 | uint64(low)), nil
}

// Message is one decoded message: *Begin, *Commit, *Relation, *Insert or *Other.
type Message interface{ isMessage() }

// Begin starts a transaction. Transactions come one after the other, in the order of their commits.
type Begin struct {
	// FinalLSN is the position of the commit record.
	FinalLSN LSN
	// CommitTime is when the transaction was committed, by the server's clock.
	CommitTime time.Time
	// XID is the transaction's number.
	XID uint32
}

// Commit ends a transaction.
type Commit struct {
	// CommitLSN is the position of the commit record.
	CommitLSN LSN
	// EndLSN is the position behind it: confirm this one.
	EndLSN LSN
	// CommitTime is when the transaction was committed, by the server's clock.
	CommitTime time.Time
}

// Relation describes a table, before its first row and whenever it has changed.
type Relation struct {
	// ID by which rows refer to it.
	ID uint32
	// Namespace is its schema.
	Namespace string
	// Name of the table.
	Name string
	// Columns in the order of the tuples.
	Columns []Column
}

// Column of a Relation.
type Column struct {
	// Name of the column.
	Name string
	// TypeOID is the object id of its type.
	TypeOID uint32
}

// Insert is a new row.
type Insert struct {
	// RelationID names the table.
	RelationID uint32
	// Values by column. They point into the decoded bytes: copy what has to live longer.
	Values []Value
}

// Value kinds.
const (
	KindNull      = 'n'
	KindUnchanged = 'u' // a large value that an update left alone; inserts never have it
	KindText      = 't'
	KindBinary    = 'b'
)

// Value of one column.
type Value struct {
	// Kind is one of the constants above.
	Kind byte
	// Data is the value in its text or binary form.
	Data []byte
}

// Other is a message that following inserts does not need: an update, a delete, a type, an origin ….
type Other struct {
	// Tag is the first byte of the message.
	Tag byte
}

func (*Begin) isMessage()    {}
func (*Commit) isMessage()   {}
func (*Relation) isMessage() {}
func (*Insert) isMessage()   {}
func (*Other) isMessage()    {}
