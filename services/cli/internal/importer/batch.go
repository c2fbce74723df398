package importer

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/mapping"
)

// batch is a group of records that travel together.
type batch struct {
	// number counts from 0 within a job; answers are settled in its order.
	number int
	items  []item
	// keys of the items, for the gate.
	keys []string
	// bytes of the records on the wire.
	bytes int
	// rejections are rows that were found wrong before anything was sent.
	rejections []rejection
	// passed counts rows that no feed wanted.
	passed int
	// next is where reading goes on once the batch is settled.
	next place
	// results are the service's answers, one for each item.
	results []*crmv1.UpsertResult
}

// item is a record with the row it came from.
type item struct {
	record proto.Message
	feed   *mapping.Feed
	line   int
	raw    string
}

func (b *batch) records() []proto.Message {
	out := make([]proto.Message, len(b.items))
	for i, it := range b.items {
		out[i] = it.record
	}
	return out
}

func (b *batch) empty() bool { return len(b.items) == 0 && len(b.rejections) == 0 && b.passed == 0 }

// keyed is a record with an external key.
type keyed interface {
	proto.Message
	GetKey() *crmv1.ExternalKey
}

// keyOf is what tells a record from others of its entity: its external key or, of a balance, account, moment and day.
func keyOf(record proto.Message) string {
	switch r := record.(type) {
	case keyed:
		return textOf(r.GetKey())
	case *crmv1.AccountBalance:
		at, day := r.GetAsOfTime(), r.GetBusinessDate()
		return fmt.Sprintf("%s\x00%d\x00%d.%09d\x00%d-%d-%d", textOf(r.GetAccountKey()), r.GetAccountId(), at.GetSeconds(), at.GetNanos(),
			day.GetYear(), day.GetMonth(), day.GetDay())
	default:
		return ""
	}
}

func textOf(key *crmv1.ExternalKey) string { return key.GetSource() + "\x00" + key.GetExternalId() }
