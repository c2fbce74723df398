package importer

import (
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

// keyed is any record: all have an external key.
type keyed interface {
	proto.Message
	GetKey() *crmv1.ExternalKey
}

func keyOf(record proto.Message) string {
	k, ok := record.(keyed)
	if !ok {
		return ""
	}
	return k.GetKey().GetSource() + "\x00" + k.GetKey().GetExternalId()
}
