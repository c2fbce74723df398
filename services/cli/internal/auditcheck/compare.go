// Package auditcheck holds the audit of crm against what analytics received: the hashes of the chain, and the changes.
//
// The chain proves itself, but not that its end is there, nor that all of it was not computed anew by somebody who can
// write to Postgres; nor does it miss an entry that was deleted before it was sealed, together with the event of its change.
// The copies lie in another database, where that somebody can't change them.
package auditcheck

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// reader hands out what a stream brings in portions, one at a time.
type reader[M, T any] struct {
	receive func() (M, error)
	items   func(M) []T
	waiting []T
}

// peek returns the next item without taking it; false at the end.
func (r *reader[M, T]) peek() (item T, ok bool, err error) {
	for len(r.waiting) == 0 {
		message, err := r.receive()
		if errors.Is(err, io.EOF) {
			return item, false, nil
		}
		if err != nil {
			return item, false, err
		}
		r.waiting = r.items(message)
	}
	return r.waiting[0], true, nil
}

func (r *reader[M, T]) take() { r.waiting = r.waiting[1:] }

// Copies are the copies of a range, fixed when they were opened.
type Copies struct {
	reader reader[*analyticsv1.StreamAuditBlockCopiesResponse, *analyticsv1.AuditBlockCopy]
}

// OpenCopies returns when analytics has fixed its answer.
func OpenCopies(ctx context.Context, client analyticsv1.AuditCopyServiceClient, from, to int64) (*Copies, error) {
	stream, err := client.StreamAuditBlockCopies(ctx, &analyticsv1.StreamAuditBlockCopiesRequest{FromBlock: from, ToBlock: to})
	if err != nil {
		return nil, err
	}
	first, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	c := &Copies{}
	c.reader.receive, c.reader.items = stream.Recv, (*analyticsv1.StreamAuditBlockCopiesResponse).GetCopies
	c.reader.waiting = first.GetCopies()
	return c, nil
}

// lagMax is how long a hash may travel before its absence is a fault: the way takes a second or two when all runs.
const lagMax = 10 * time.Minute

// Result counts what was compared.
type Result struct {
	// Equal blocks are the same on both sides.
	Equal int64
	// Waiting blocks are newer than the newest copy: their events are on the way.
	Waiting int64
}

// Compare reads the chain beside the copies, one block of each in memory, and reports what does not fit.
func Compare(ctx context.Context, client crmv1.AuditServiceClient, copies *Copies, from, to int64, report func(string)) (Result, error) {
	stream, err := client.StreamAuditBlocks(ctx, &crmv1.StreamAuditBlocksRequest{FromBlock: from, ToBlock: to})
	if err != nil {
		return Result{}, err
	}
	m := &merge{copies: &copies.reader, report: report}
	m.blocks.receive, m.blocks.items = stream.Recv, (*crmv1.StreamAuditBlocksResponse).GetBlocks
	err = m.run()
	return m.result, err
}

// merge walks along both sides by number.
type merge struct {
	blocks reader[*crmv1.StreamAuditBlocksResponse, *crmv1.AuditBlock]
	copies *reader[*analyticsv1.StreamAuditBlockCopiesResponse, *analyticsv1.AuditBlockCopy]
	report func(string)
	result Result
	// late is the first block without a copy that should have one by now.
	late *crmv1.AuditBlock
}

func (m *merge) run() error {
	newest := int64(0) // of the chain, so far
	for {
		block, hasBlock, err := m.blocks.peek()
		if err != nil {
			return fmt.Errorf("read the chain: %w", err)
		}
		copied, hasCopy, err := m.copies.peek()
		if err != nil {
			return fmt.Errorf("read the copy of the chain: %w", err)
		}
		switch {
		case !hasBlock && !hasCopy:
			if m.late != nil {
				m.report(fmt.Sprintf("block %d was sealed %s and has no copy, nor has any after it", m.late.GetNumber(),
					m.late.GetSealedTime().AsTime().Format(time.RFC3339)))
			}
			return nil
		case !hasCopy:
			if m.late == nil && time.Since(block.GetSealedTime().AsTime()) > lagMax {
				m.late = block
			}
			m.result.Waiting++
			m.blocks.take()
		case !hasBlock:
			m.report(fmt.Sprintf("block %d was published and is gone: the chain was cut behind block %d", copied.GetNumber(), newest))
			m.takeCopies(copied.GetNumber())
		case copied.GetNumber() < block.GetNumber():
			m.report(fmt.Sprintf("block %d was published and is gone", copied.GetNumber()))
			m.takeCopies(copied.GetNumber())
		case copied.GetNumber() > block.GetNumber():
			m.report(fmt.Sprintf("block %d was never copied, though later ones were", block.GetNumber()))
			newest = block.GetNumber()
			m.blocks.take()
		default:
			if err := m.hold(block); err != nil {
				return err
			}
			newest = block.GetNumber()
			m.blocks.take()
		}
	}
}

// hold compares a block with every copy of its number: there is one, unless the chain was sealed anew.
func (m *merge) hold(block *crmv1.AuditBlock) error {
	matching, others := 0, 0
	for {
		copied, ok, err := m.copies.peek()
		if err != nil {
			return fmt.Errorf("read the copy of the chain: %w", err)
		}
		if !ok || copied.GetNumber() != block.GetNumber() {
			break
		}
		if bytes.Equal(copied.GetHash(), block.GetHash()) && bytes.Equal(copied.GetPreviousHash(), block.GetPreviousHash()) {
			matching++
		} else {
			others++
		}
		m.copies.take()
	}
	switch {
	case matching == 0:
		m.report(fmt.Sprintf("block %d has another hash than was published: the chain was rewritten", block.GetNumber()))
	case others > 0:
		m.report(fmt.Sprintf("block %d was published with %d different hashes: the chain was rewritten and sealed anew", block.GetNumber(), 1+others))
	default:
		m.result.Equal++
	}
	return nil
}

// takeCopies passes over the copies of one number that are at hand; further ones come round again.
func (m *merge) takeCopies(number int64) {
	for len(m.copies.waiting) > 0 && m.copies.waiting[0].GetNumber() == number {
		m.copies.take()
	}
}
