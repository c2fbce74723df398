package fact

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

type auditBlock struct {
	record
	hash, previousHash        string
	entries                   uint64
	firstEntryID, lastEntryID uint64
	sealedTime                time.Time
}

var auditBlockTable = warehouse.NewTable("audit_block", with("audit_block_id", func(r *auditBlock) *record { return &r.record },
	warehouse.Col("hash", func(r *auditBlock) string { return r.hash }),
	warehouse.Col("previous_hash", func(r *auditBlock) string { return r.previousHash }),
	warehouse.Col("entries", func(r *auditBlock) uint64 { return r.entries }),
	warehouse.Col("first_entry_id", func(r *auditBlock) uint64 { return r.firstEntryID }),
	warehouse.Col("last_entry_id", func(r *auditBlock) uint64 { return r.lastEntryID }),
	warehouse.Col("sealed_time", func(r *auditBlock) time.Time { return r.sealedTime }),
)...)

func auditBlockOf(rec record, s *eventsv1.AuditBlockState) (auditBlock, error) {
	f := fields{prefix: "audit_block"}
	row := auditBlock{
		record:       rec,
		hash:         f.sha256("hash", s.GetHash()),
		previousHash: f.sha256("previous_hash", s.GetPreviousHash()),
		entries:      f.need("entries", s.GetEntries()),
		firstEntryID: f.ref("first_entry_id", s.GetFirstEntryId()),
		lastEntryID:  f.ref("last_entry_id", s.GetLastEntryId()),
	}
	// A copy is never withdrawn, whatever a message says: it would take the proof with it.
	if row.deleted != 0 {
		f.fail("deleted", "must not be set")
	}
	if sealed := f.time("sealed_time", s.GetSealedTime()); sealed != nil {
		row.sealedTime = *sealed
	} else {
		f.fail("sealed_time", "must be set")
	}
	return row, f.fault()
}

// sha256 reads a hash as hexadecimal digits.
func (f *fields) sha256(name string, hash []byte) string {
	if len(hash) != sha256.Size {
		f.fail(name, "must be %d bytes, is %d", sha256.Size, len(hash))
	}
	return hex.EncodeToString(hash)
}

// publishedChange is a change without its content: what the audit is held against.
type publishedChange struct {
	record
	entity, actor string
}

var publishedChangeTable = warehouse.NewTable("published_change",
	warehouse.Col("change_time", func(r *publishedChange) time.Time { return r.changeTime }),
	warehouse.Col("entity", func(r *publishedChange) string { return r.entity }),
	warehouse.Col("entity_id", func(r *publishedChange) uint64 { return r.id }),
	warehouse.Col("version", func(r *publishedChange) uint64 { return r.version }),
	warehouse.Col("actor", func(r *publishedChange) string { return r.actor }),
)
