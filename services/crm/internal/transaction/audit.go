package transaction

import (
	"encoding/json"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/audit"
)

// bundleSummary is what the audit keeps of a bundle.
type bundleSummary struct {
	Created   int     `json:"created"`
	Corrected int     `json:"corrected"`
	FirstID   int64   `json:"first_transaction_id"`
	LastID    int64   `json:"last_transaction_id"`
	Replaced  []int64 `json:"corrected_transaction_ids,omitempty"`
}

// auditEntry is the one entry of a bundle. Movements are facts of the core system, kept by its own key and version; an
// entry for each would double the largest table of the bank and say nothing that the ids and versions do not. Those that
// were corrected are named one by one, because a correction takes the place of what was there.
func auditEntry(entries []*entry) (audit.Entry, error) {
	first := entries[0].row.TransactionID
	summary := bundleSummary{FirstID: first, LastID: first}
	action := audit.Update
	for _, e := range entries {
		id := e.row.TransactionID
		summary.FirstID, summary.LastID = min(summary.FirstID, id), max(summary.LastID, id)
		if e.outcome == crmv1.UpsertOutcome_UPSERT_OUTCOME_CREATED {
			summary.Created++
			action = audit.Create
			continue
		}
		summary.Corrected++
		summary.Replaced = append(summary.Replaced, id)
	}
	after, err := json.Marshal(summary)
	return audit.Entry{Action: action, Entity: "transaction_bundle", EntityID: first, Version: 1, After: after}, err
}
