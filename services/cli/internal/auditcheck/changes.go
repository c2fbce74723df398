package auditcheck

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// Published are the changes that analytics received, fixed when they were opened.
type Published struct {
	reader reader[*analyticsv1.StreamPublishedChangesResponse, *analyticsv1.PublishedChange]
}

// OpenPublished returns when analytics has fixed its answer.
func OpenPublished(ctx context.Context, client analyticsv1.AuditCopyServiceClient) (*Published, error) {
	stream, err := client.StreamPublishedChanges(ctx, &analyticsv1.StreamPublishedChangesRequest{})
	if err != nil {
		return nil, err
	}
	first, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	p := &Published{}
	p.reader.receive, p.reader.items = stream.Recv, (*analyticsv1.StreamPublishedChangesResponse).GetChanges
	p.reader.waiting = first.GetChanges()
	return p, nil
}

// CompareChanges looks for the entry of each change that was published, and reports those without one; it returns how many
// it held together. Entries without a published change are no fault here: analytics may have been filled from a part of the
// stream, and crm compares them with its outbox itself.
func CompareChanges(ctx context.Context, client crmv1.AuditServiceClient, published *Published, report func(string)) (int64, error) {
	stream, err := client.StreamAuditedChanges(ctx, &crmv1.StreamAuditedChangesRequest{})
	if err != nil {
		return 0, err
	}
	m := &changeMerge{published: &published.reader, report: report}
	m.audited.receive, m.audited.items = stream.Recv, (*crmv1.StreamAuditedChangesResponse).GetChanges
	err = m.run()
	return m.compared, err
}

// changeMerge walks along both sides by time; it holds one portion of each.
type changeMerge struct {
	published *reader[*analyticsv1.StreamPublishedChangesResponse, *analyticsv1.PublishedChange]
	audited   reader[*crmv1.StreamAuditedChangesResponse, *crmv1.AuditedChange]
	report    func(string)
	compared  int64
}

func (m *changeMerge) run() error {
	for {
		change, more, err := m.published.peek()
		if err != nil {
			return fmt.Errorf("read the changes that were published: %w", err)
		}
		if !more {
			return nil
		}
		found, err := m.find(keyOf(change))
		if err != nil {
			return fmt.Errorf("read the changes that the audit tells of: %w", err)
		}
		if !found {
			m.report(fmt.Sprintf("version %d of %s %d was published, made by %s, %s, and no entry tells of it", change.GetVersion(),
				change.GetEntity(), change.GetEntityId(), change.GetActor(), change.GetTime().AsTime().Format(time.RFC3339)))
		}
		m.compared++
		m.published.take()
	}
}

// find passes over entries of earlier changes. The one that is found stays: it may stand for further events of a bundle.
func (m *changeMerge) find(wanted changeKey) (bool, error) {
	for {
		entry, more, err := m.audited.peek()
		if err != nil || !more {
			return false, err
		}
		switch order := keyOf(entry).compare(wanted); {
		case order < 0:
			m.audited.take()
		default:
			return order == 0, nil
		}
	}
}

// changeKey is what an entry and the event of its change have in common.
type changeKey struct {
	at          time.Time
	entity      string
	id, version int64
}

// keyOf leaves out which bundle of a transaction it is: the audit has one entry for all of them.
func keyOf(c interface {
	GetTime() *timestamppb.Timestamp
	GetEntity() string
	GetEntityId() int64
	GetVersion() int64
},
) changeKey {
	key := changeKey{at: c.GetTime().AsTime(), entity: c.GetEntity()}
	if !strings.HasSuffix(key.entity, "_bundle") {
		key.id, key.version = c.GetEntityId(), c.GetVersion()
	}
	return key
}

func (k changeKey) compare(other changeKey) int {
	return cmp.Or(k.at.Compare(other.at), cmp.Compare(k.entity, other.entity), cmp.Compare(k.id, other.id), cmp.Compare(k.version, other.version))
}
