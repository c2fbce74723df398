package timeline

import (
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/behaviour"
	"tandem.bank/services/crm/internal/interaction"
)

// owned are the accounts whose movements a customer's timeline tells.
const owned = "SELECT DISTINCT account_id FROM account_holder WHERE customer_id = $1 AND role = 'owner'"

// sources are all there is, by kind.
var sources = []source{
	{
		kind: crmv1.TimelineKind_TIMELINE_KIND_INTERACTION, time: "i.opened_at", id: "i.interaction_id",
		channel: "i.channel", accountID: "i.account_id", contractID: "i.contract_id", cardID: "i.card_id", subject: "i.subject", source: "i.source",
		scan: scanInteraction,
		sql: "SELECT " + interaction.Table.Columns() + ` FROM (
    (SELECT i.* FROM interaction i WHERE i.customer_id = $1 AND %[1]s ORDER BY i.opened_at DESC, i.interaction_id DESC LIMIT $4)
    UNION ALL
    (SELECT i.* FROM interaction_participant p JOIN interaction i USING (interaction_id)
     WHERE p.party = 'customer' AND p.party_id = $1 AND (p.opened_at, p.interaction_id) < ($2, $3) AND %[1]s
     ORDER BY p.opened_at DESC, p.interaction_id DESC LIMIT $4)
) interaction ORDER BY opened_at DESC, interaction_id DESC LIMIT $4`,
	},
	{
		kind: crmv1.TimelineKind_TIMELINE_KIND_BEHAVIOUR_EVENT, time: "occurred_at", id: "behaviour_event_id",
		channel: "channel", subject: "page", source: "source", scan: scanBehaviour,
		sql: "SELECT " + behaviour.Columns + ` FROM behaviour_event WHERE customer_id = $1 AND %[1]s
ORDER BY occurred_at DESC, behaviour_event_id DESC LIMIT $4`,
	},
	{
		kind: crmv1.TimelineKind_TIMELINE_KIND_TRANSACTION, time: "t.business_date", id: "t.transaction_id", day: true,
		accountID: "t.account_id", subject: "t.description", source: "t.source", scan: scanTransaction,
		sql: `SELECT t.transaction_id, t.source, t.external_id, t.account_id, t.business_date, t.direction, t.kind, t.amount, t.currency, t.purpose,
    t.description, t.state
FROM (%[2]s) a CROSS JOIN LATERAL (
    SELECT * FROM transaction t WHERE t.account_id = a.account_id AND %[1]s ORDER BY t.business_date DESC, t.transaction_id DESC LIMIT $4
) t ORDER BY t.business_date DESC, t.transaction_id DESC LIMIT $4`,
	},
	{
		kind: crmv1.TimelineKind_TIMELINE_KIND_STATE_CHANGE, time: "e.at", id: "e.entry_id",
		accountID: "r.account_id", contractID: "r.contract_id", cardID: "r.card_id", scan: scanStateChange,
		// A customer's own entries have an index of their own, without the reads.
		sql: `SELECT e.* FROM (
    (SELECT e.at, e.entry_id, e.entity, e.entity_id, e.actor, e.before ->> 'state', e.after ->> 'state', r.account_id, r.contract_id, r.card_id
     FROM audit_entry e CROSS JOIN (SELECT NULL::bigint AS account_id, NULL::bigint AS contract_id, NULL::bigint AS card_id) r
     WHERE e.entity = 'customer' AND e.action <> 'read' AND e.customer_id = $1 AND e.after ->> 'state' IS NOT NULL AND %[1]s
     ORDER BY e.at DESC, e.entry_id DESC LIMIT $4)
    UNION ALL
    (SELECT s.* FROM (
        SELECT 'account' AS entity, account_id AS id, account_id, NULL::bigint AS contract_id, NULL::bigint AS card_id
        FROM (%[2]s) a
        UNION ALL
        SELECT 'card', card_id, account_id, NULL, card_id FROM card WHERE customer_id = $1
        UNION ALL
        SELECT 'contract', contract_id, account_id, contract_id, NULL FROM contract WHERE account_id IN (%[2]s)
    ) r CROSS JOIN LATERAL (
        SELECT e.at, e.entry_id, e.entity, e.entity_id, e.actor, e.before ->> 'state', e.after ->> 'state', r.account_id, r.contract_id, r.card_id
        FROM audit_entry e
        WHERE e.entity = r.entity AND e.entity_id = r.id AND e.entity <> 'customer' AND e.action IN ('create', 'update')
          AND e.after ->> 'state' IS NOT NULL AND %[1]s
        ORDER BY e.at DESC, e.entry_id DESC LIMIT $4
    ) s ORDER BY s.at DESC, s.entry_id DESC LIMIT $4)
) e ORDER BY e.at DESC, e.entry_id DESC LIMIT $4`,
	},
	{
		kind: crmv1.TimelineKind_TIMELINE_KIND_CONSENT_GRANTED, time: "granted_at", id: "consent_id", channel: "channel", subject: "purpose",
		source: "source", scan: scanConsent(false),
		sql: "SELECT " + consentColumns + ` FROM consent WHERE customer_id = $1 AND granted_at IS NOT NULL AND %[1]s
ORDER BY granted_at DESC, consent_id DESC LIMIT $4`,
	},
	{
		kind: crmv1.TimelineKind_TIMELINE_KIND_CONSENT_WITHDRAWN, time: "withdrawn_at", id: "consent_id", channel: "channel", subject: "purpose",
		source: "source", scan: scanConsent(true),
		sql: "SELECT " + consentColumns + ` FROM consent WHERE customer_id = $1 AND withdrawn_at IS NOT NULL AND %[1]s
ORDER BY withdrawn_at DESC, consent_id DESC LIMIT $4`,
	},
	{
		kind: crmv1.TimelineKind_TIMELINE_KIND_RELATION_BEGUN, time: "valid_from", id: "relation_id", day: true, subject: "type", source: "source",
		scan: scanRelation(false),
		sql: "SELECT " + relationColumns + ` FROM relation WHERE (customer_id = $1 OR other_customer_id = $1) AND valid_from <= current_date AND %[1]s
ORDER BY valid_from DESC, relation_id DESC LIMIT $4`,
	},
	{
		kind: crmv1.TimelineKind_TIMELINE_KIND_RELATION_ENDED, time: "valid_to", id: "relation_id", day: true, subject: "type", source: "source",
		scan: scanRelation(true),
		sql: "SELECT " + relationColumns + ` FROM relation WHERE (customer_id = $1 OR other_customer_id = $1) AND valid_to <= current_date AND %[1]s
ORDER BY valid_to DESC, relation_id DESC LIMIT $4`,
	},
	{
		kind: crmv1.TimelineKind_TIMELINE_KIND_BALANCE_MARK, time: "m.business_date", id: "m.balance_mark_id", day: true,
		accountID: "m.account_id", scan: scanBalanceMark,
		sql: `SELECT m.balance_mark_id, m.account_id, m.business_date, m.mark, m.above, m.balance, m.currency
FROM (%[2]s) a CROSS JOIN LATERAL (
    SELECT * FROM balance_mark m WHERE m.account_id = a.account_id AND %[1]s ORDER BY m.business_date DESC, m.balance_mark_id DESC LIMIT $4
) m ORDER BY m.business_date DESC, m.balance_mark_id DESC LIMIT $4`,
	},
	{
		kind: crmv1.TimelineKind_TIMELINE_KIND_DOCUMENT, time: "coalesce(document_at, created_at)", id: "document_id",
		accountID: "account_id", contractID: "contract_id", subject: "title", source: "source", scan: scanDocument,
		sql: `SELECT document_id, source, coalesce(document_at, created_at), kind, title, language, text_bytes, media_type, original_uri, document_at,
    account_id, contract_id, interaction_id
FROM document WHERE customer_id = $1 AND %[1]s
ORDER BY coalesce(document_at, created_at) DESC, document_id DESC LIMIT $4`,
	},
	{
		// There is one result at a moment: the customer stands for its id.
		kind: crmv1.TimelineKind_TIMELINE_KIND_RFM_CHANGE, time: "applied_at", id: "customer_id",
		subject: "cell", source: "'analytics'::text", scan: scanRfmChange,
		sql: `SELECT customer_id, applied_at, before, cell, as_of FROM (
    SELECT h.*, lag(cell) OVER (ORDER BY applied_at) AS before FROM customer_rfm_history h WHERE customer_id = $1
) h WHERE cell IS DISTINCT FROM before AND %[1]s
ORDER BY applied_at DESC LIMIT $4`,
	},
}
