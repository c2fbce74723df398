package natsx

const (
	// MessageBytesMax is the largest message that travels, headers included: a NATS server's default max_payload. A
	// server may allow more; bundles stay below this all the same, so that any server will do.
	MessageBytesMax = 1 << 20
	// PayloadBytesMax is the largest payload a publisher may build. The rest of MessageBytesMax is room for headers
	// (message id, trace context).
	PayloadBytesMax = MessageBytesMax - 16<<10
	// BundleBytesTarget is the size at which a bundle is closed: far below PayloadBytesMax, so that one more element
	// never breaks the limit, and large enough that the cost per message does not show.
	BundleBytesTarget = 256 << 10
)

const (
	// SubjectChanges matches every change.
	SubjectChanges = "crm.v1.>"
	// SubjectInsights matches every insight.
	SubjectInsights = "insight.v1.>"
	// SubjectDeadLetters matches every dead letter.
	SubjectDeadLetters = "crm_dlq.>"
	// SubjectDeadLetter is where dead letters go.
	SubjectDeadLetter = "crm_dlq.v1"
)

// ChangeSubject returns the subject of a change: "crm.v1.card.upserted" or "crm.v1.card.deleted". Entities are
// lower-case words joined by underscores.
func ChangeSubject(entity string, deleted bool) string {
	if deleted {
		return "crm.v1." + entity + ".deleted"
	}
	return "crm.v1." + entity + ".upserted"
}

// InsightSubject returns the subject of one kind of result: "insight.v1.rfm".
func InsightSubject(kind string) string { return "insight.v1." + kind }
