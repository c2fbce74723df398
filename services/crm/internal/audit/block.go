package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"time"

	"github.com/jackc/pgx/v5"
)

// What is hashed begins with its kind and version, so that no entry can pass for a block, and a later form for this one.
const (
	entryTag = "tandem.audit.entry.v1"
	blockTag = "tandem.audit.block.v1"
)

// hashBytes is the length of SHA-256.
const hashBytes = sha256.Size

// place is where an entry stands in the order of sealing.
type place struct {
	xactID  int64
	entryID int64
}

// sealed is an entry as it is stored.
type sealed struct {
	place
	at                                      time.Time
	actor, peer, method, requestID, traceID string
	action, entity                          string
	entityID, version                       int64
	customerID                              *int64
	customerIDs                             []int64
	before, after                           *string
}

// sealedColumns are read as scanSealed takes them. A statement that orders by xact_id must name the table: alone, the name is
// that of the first column here, which no index knows, and all entries there are would be sorted.
const sealedColumns = `xact_id::text::bigint, entry_id, at, actor, peer, method, request_id, trace_id, action, entity, entity_id, version,
customer_id, customer_ids, before::text, after::text`

func scanSealed(row pgx.CollectableRow) (*sealed, error) {
	var e sealed
	err := row.Scan(&e.xactID, &e.entryID, &e.at, &e.actor, &e.peer, &e.method, &e.requestID, &e.traceID, &e.action, &e.entity,
		&e.entityID, &e.version, &e.customerID, &e.customerIDs, &e.before, &e.after)
	return &e, err
}

// digest hashes everything that is stored of an entry except its place: the block keeps the places in their order, so
// that two entries that were exchanged are told from two that were edited.
func (e *sealed) digest() [hashBytes]byte {
	w := newWriter(entryTag)
	w.number(e.at.UnixMicro())
	for _, text := range []string{e.actor, e.peer, e.method, e.requestID, e.traceID, e.action, e.entity} {
		w.text(text)
	}
	w.number(e.entityID)
	w.number(e.version)
	w.optionalNumber(e.customerID)
	if e.customerIDs == nil {
		w.number(-1) // null is not empty
	} else {
		w.number(int64(len(e.customerIDs)))
	}
	for _, id := range e.customerIDs {
		w.number(id)
	}
	w.optionalText(e.before)
	w.optionalText(e.after)
	return w.sum()
}

// block is a link of the chain.
type block struct {
	number       int64
	first, last  place
	xactIDs      []int64
	entryIDs     []int64
	entryHashes  []byte
	previousHash []byte
	hash         []byte
	sealedAt     time.Time
}

// newBlock seals entries, which are in order and at least one, behind a block; nil makes the first.
func newBlock(previous *block, entries []*sealed, sealedAt time.Time) *block {
	b := &block{
		number: 1, first: entries[0].place, last: entries[len(entries)-1].place,
		previousHash: make([]byte, hashBytes), sealedAt: sealedAt,
	}
	if previous != nil {
		b.number, b.previousHash = previous.number+1, previous.hash
	}
	for _, e := range entries {
		digest := e.digest()
		b.xactIDs = append(b.xactIDs, e.xactID)
		b.entryIDs, b.entryHashes = append(b.entryIDs, e.entryID), append(b.entryHashes, digest[:]...)
	}
	sum := b.digest()
	b.hash = sum[:]
	return b
}

// digest hashes all of a block except its hash.
func (b *block) digest() [hashBytes]byte {
	w := newWriter(blockTag)
	w.number(b.number)
	w.bytes(b.previousHash)
	w.number(b.sealedAt.UnixMicro())
	for _, p := range []place{b.first, b.last} {
		w.number(p.xactID)
		w.number(p.entryID)
	}
	for _, ids := range [][]int64{b.xactIDs, b.entryIDs} {
		w.number(int64(len(ids)))
		for _, id := range ids {
			w.number(id)
		}
	}
	w.bytes(b.entryHashes)
	return w.sum()
}

// intact reports whether a stored block is what its hash says.
func (b *block) intact() bool {
	sum := b.digest()
	return bytes.Equal(sum[:], b.hash)
}

// whole reports whether place and hash of every entry are there.
func (b *block) whole() bool {
	return len(b.xactIDs) == len(b.entryIDs) && len(b.entryHashes) == hashBytes*len(b.entryIDs)
}

// entryHash is the hash that was sealed at a position.
func (b *block) entryHash(i int) [hashBytes]byte {
	return [hashBytes]byte(b.entryHashes[i*hashBytes : (i+1)*hashBytes])
}

const blockColumns = `number, first_xact_id::text::bigint, first_entry_id, last_xact_id::text::bigint, last_entry_id,
xact_ids, entry_ids, entry_hashes, previous_hash, hash, sealed_at`

func scanBlock(row pgx.CollectableRow) (*block, error) {
	var b block
	err := row.Scan(&b.number, &b.first.xactID, &b.first.entryID, &b.last.xactID, &b.last.entryID, &b.xactIDs,
		&b.entryIDs, &b.entryHashes, &b.previousHash, &b.hash, &b.sealedAt)
	return &b, err
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// selectBlock returns the block that the rest of a statement selects; nil when there is none.
func selectBlock(ctx context.Context, q querier, rest string, args ...any) (*block, error) {
	rows, err := q.Query(ctx, "SELECT "+blockColumns+" FROM audit_block "+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read audit block: %w", err)
	}
	b, err := pgx.CollectExactlyOneRow(rows, scanBlock)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil //nolint:nilnil // the chain may be empty
	}
	if err != nil {
		return nil, fmt.Errorf("read audit block: %w", err)
	}
	return b, nil
}

func lastBlock(ctx context.Context, q querier) (*block, error) {
	return selectBlock(ctx, q, "ORDER BY number DESC LIMIT 1")
}

// writer hashes fields, each with its length or of a fixed one, so that no two lists of fields give the same bytes.
type writer struct{ hash hash.Hash }

func newWriter(tag string) *writer {
	w := &writer{sha256.New()}
	w.text(tag)
	return w
}

func (w *writer) number(n int64) {
	var raw [8]byte
	binary.BigEndian.PutUint64(raw[:], uint64(n)) //nolint:gosec // the bits are what counts
	_, _ = w.hash.Write(raw[:])                   // a hash takes everything
}

func (w *writer) bytes(b []byte) {
	w.number(int64(len(b)))
	_, _ = w.hash.Write(b)
}

func (w *writer) text(s string) { w.bytes([]byte(s)) }

func (w *writer) optionalNumber(n *int64) {
	if n == nil {
		w.number(0)
		return
	}
	w.number(1)
	w.number(*n)
}

func (w *writer) optionalText(s *string) {
	if s == nil {
		w.number(0)
		return
	}
	w.number(1)
	w.text(*s)
}

func (w *writer) sum() (out [hashBytes]byte) {
	w.hash.Sum(out[:0])
	return out
}
