package audit

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

const (
	// findingsMax ends a verification: by then it is clear that something is badly wrong.
	findingsMax = 1000
	// stepInterval is how often a verification without findings says how far it is.
	stepInterval = 500 * time.Millisecond
)

// verification computes a range of the chain again, a block at a time; it holds one block and one entry in memory.
type verification struct {
	pool *pgxpool.Pool
	send func(*crmv1.VerifyAuditResponse) error

	step     crmv1.VerifyAuditResponse
	sentTime time.Time
	found    int
}

func (v *verification) find(fault crmv1.AuditFault, blockNumber, entryID int64, format string, args ...any) {
	v.found++
	v.step.Findings = append(v.step.Findings, &crmv1.AuditFinding{
		Fault: fault, Block: blockNumber, EntryId: entryID, Text: fmt.Sprintf(format, args...),
	})
}

// run verifies the blocks from and to, both included. The newest block when it begins is the last: later ones wait for the
// next time. Without an end it also holds the changes against their events.
func (v *verification) run(ctx context.Context, from, to int64) error {
	from = max(from, 1)
	head, err := lastBlock(ctx, v.pool)
	if err != nil {
		return err
	}
	if head != nil {
		v.step.LastBlock = head.number
		if to > 0 {
			v.step.LastBlock = min(to, head.number)
		}
	}
	previous, err := v.start(ctx, from)
	if err != nil {
		return err
	}
	for number := from - 1; number < v.step.GetLastBlock() && v.found < findingsMax; {
		b, err := selectBlock(ctx, v.pool, "WHERE number > $1 AND number <= $2 ORDER BY number LIMIT 1", number, v.step.GetLastBlock())
		if err != nil {
			return err
		}
		if b == nil {
			v.missing(number+1, v.step.GetLastBlock())
			break
		}
		v.missing(number+1, b.number-1)
		if err := v.block(ctx, previous, b); err != nil {
			return err
		}
		previous, number = b, b.number
		if err := v.sendStep(false); err != nil {
			return err
		}
	}
	if to == 0 {
		if err := v.events(ctx); err != nil {
			return fmt.Errorf("compare changes with events: %w", err)
		}
	}
	return v.sendStep(true)
}

// start returns the block before the range, against which its first is held.
func (v *verification) start(ctx context.Context, from int64) (*block, error) {
	if from == 1 {
		return &block{previousHash: make([]byte, hashBytes), hash: make([]byte, hashBytes)}, nil
	}
	return selectBlock(ctx, v.pool, "WHERE number = $1", from-1)
}

func (v *verification) missing(first, last int64) {
	for number := first; number <= last && v.found < findingsMax; number++ {
		v.find(crmv1.AuditFault_AUDIT_FAULT_BLOCK_MISSING, number, 0, "block %d is gone", number)
	}
}

// block verifies one block: 1. its own hash, 2. its place behind the block before, 3. its entries.
func (v *verification) block(ctx context.Context, previous, b *block) error {
	if !b.whole() || !b.intact() {
		v.find(crmv1.AuditFault_AUDIT_FAULT_BLOCK_EDITED, b.number, 0, "block %d is not what its hash says", b.number)
	}
	// Entries between two blocks belong to the later one, so that nothing can hide between them. When the block before is
	// gone they would be its entries, and are not held against this one.
	after := place{b.first.xactID, b.first.entryID - 1}
	if previous != nil && previous.number == b.number-1 {
		after = previous.last
		if !bytes.Equal(previous.hash, b.previousHash) {
			v.find(crmv1.AuditFault_AUDIT_FAULT_CHAIN_BROKEN, b.number, 0,
				"block %d does not follow block %d: it names another hash", b.number, previous.number)
		}
	}
	v.step.Block = b.number
	v.step.BlocksVerified++
	if !b.whole() {
		return nil
	}
	return v.entries(ctx, b, after)
}

// betweenSQL reads what is behind one place, up to another.
const betweenSQL = "SELECT " + sealedColumns + ` FROM audit_entry
WHERE (xact_id, entry_id) > ($1::bigint::text::xid8, $2) AND (xact_id, entry_id) <= ($3::bigint::text::xid8, $4)
ORDER BY audit_entry.xact_id, entry_id`

func (v *verification) entries(ctx context.Context, b *block, after place) error {
	c := newComparison(v, b)
	rows, err := v.pool.Query(ctx, betweenSQL, after.xactID, after.entryID, b.last.xactID, b.last.entryID)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() && v.found < findingsMax {
		e, err := scanSealed(rows)
		if err != nil {
			return err
		}
		c.entry(e)
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read entries of audit block %d: %w", b.number, err)
	}
	c.gone()
	return nil
}

// comparison holds the entries that are there against those that a block sealed.
type comparison struct {
	v *verification
	b *block
	// positions in the block by entry_id, and by hash for what changed places.
	byID   map[int64]int
	seen   []bool
	newest int
}

func newComparison(v *verification, b *block) *comparison {
	c := &comparison{v: v, b: b, byID: make(map[int64]int, len(b.entryIDs)), seen: make([]bool, len(b.entryIDs)), newest: -1}
	for i, id := range b.entryIDs {
		c.byID[id] = i
	}
	return c
}

func (c *comparison) entry(e *sealed) {
	c.v.step.EntriesVerified++
	number := c.b.number
	i, known := c.byID[e.entryID]
	if !known {
		c.v.find(crmv1.AuditFault_AUDIT_FAULT_ENTRY_INSERTED, number, e.entryID, "%s stands in block %d and was not sealed there", e.describe(), number)
		return
	}
	c.seen[i] = true
	digest := e.digest()
	unchanged := digest == c.b.entryHash(i)
	switch other, moved := c.sealedAs(digest, i); {
	case unchanged && e.xactID == c.b.xactIDs[i] && i > c.newest:
	case moved:
		c.v.find(crmv1.AuditFault_AUDIT_FAULT_ENTRY_REORDERED, number, e.entryID, "%s was sealed in block %d as entry %d", e.describe(), number, other)
	case unchanged:
		c.v.find(crmv1.AuditFault_AUDIT_FAULT_ENTRY_REORDERED, number, e.entryID, "%s stands in another place than block %d sealed it in",
			e.describe(), number)
	default:
		c.v.find(crmv1.AuditFault_AUDIT_FAULT_ENTRY_EDITED, number, e.entryID, "%s is not what was sealed in block %d", e.describe(), number)
	}
	c.newest = max(c.newest, i)
}

// sealedAs looks for another place of the block that sealed the same content. It is asked only about entries that are
// wrong, so it may be slow.
func (c *comparison) sealedAs(digest [hashBytes]byte, at int) (entryID int64, found bool) {
	if digest == c.b.entryHash(at) {
		return 0, false
	}
	for i := range c.b.entryIDs {
		if i != at && digest == c.b.entryHash(i) {
			return c.b.entryIDs[i], true
		}
	}
	return 0, false
}

// gone names what was sealed and did not come.
func (c *comparison) gone() {
	for i, id := range c.b.entryIDs {
		if !c.seen[i] && c.v.found < findingsMax {
			c.v.find(crmv1.AuditFault_AUDIT_FAULT_ENTRY_DELETED, c.b.number, id, "entry %d was sealed in block %d and is gone", id, c.b.number)
		}
	}
}

// describe names an entry as it is now.
func (e *sealed) describe() string {
	return fmt.Sprintf("entry %d (%s %s %d by %s, %s)", e.entryID, e.action, e.entity, e.entityID, e.actor, e.at.UTC().Format(time.RFC3339))
}

// sendStep sends findings at once, and without any now and then how far it is.
func (v *verification) sendStep(done bool) error {
	if !done && len(v.step.GetFindings()) == 0 && time.Since(v.sentTime) < stepInterval {
		return nil
	}
	v.step.Done, v.step.Truncated = done, done && v.found >= findingsMax
	answer := &crmv1.VerifyAuditResponse{
		Findings: slices.Clone(v.step.GetFindings()), Block: v.step.GetBlock(), LastBlock: v.step.GetLastBlock(),
		BlocksVerified: v.step.GetBlocksVerified(), EntriesVerified: v.step.GetEntriesVerified(), EventsCompared: v.step.GetEventsCompared(),
		Done: done, Truncated: v.step.GetTruncated(),
	}
	v.step.Findings, v.sentTime = nil, time.Now()
	return v.send(answer)
}
