package auditcheck

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// change is a version of a record at a second.
type change struct {
	second  int64
	entity  string
	id      int64
	version int64
}

func (c change) time() *timestamppb.Timestamp { return timestamppb.New(time.Unix(c.second, 0)) }

func compareChanges(t *testing.T, published, audited []change) (compared int64, found []string) {
	t.Helper()
	var events []*analyticsv1.PublishedChange
	for _, c := range published {
		events = append(events, &analyticsv1.PublishedChange{Time: c.time(), Entity: c.entity, EntityId: c.id, Version: c.version})
	}
	var entries []*crmv1.AuditedChange
	for _, c := range audited {
		entries = append(entries, &crmv1.AuditedChange{Time: c.time(), Entity: c.entity, EntityId: c.id, Version: c.version})
	}
	nextEvents, nextEntries := portions(events), portions(entries)
	m := &changeMerge{
		published: &reader[*analyticsv1.StreamPublishedChangesResponse, *analyticsv1.PublishedChange]{
			items: (*analyticsv1.StreamPublishedChangesResponse).GetChanges,
			receive: func() (*analyticsv1.StreamPublishedChangesResponse, error) {
				items, err := nextEvents()
				return &analyticsv1.StreamPublishedChangesResponse{Changes: items}, err
			},
		},
		report: func(text string) { found = append(found, text) },
	}
	m.audited.items = (*crmv1.StreamAuditedChangesResponse).GetChanges
	m.audited.receive = func() (*crmv1.StreamAuditedChangesResponse, error) {
		items, err := nextEntries()
		return &crmv1.StreamAuditedChangesResponse{Changes: items}, err
	}
	if err := m.run(); err != nil {
		t.Fatal(err)
	}
	return m.compared, found
}

func TestCompareChanges(t *testing.T) {
	t.Parallel()
	all := []change{{1, "card", 5, 1}, {1, "customer", 4, 1}, {1, "customer", 4, 2}, {2, "card", 1, 7}, {3, "card", 5, 2}}
	bundles := []change{{4, "balance_bundle", 9, 1}, {4, "transaction_bundle", 7, 1}, {4, "transaction_bundle", 8, 1}, {5, "card", 1, 8}}
	missed := func(c change) string {
		return fmt.Sprintf("version %d of %s %d was published, made by , %s, and no entry tells of it", c.version, c.entity, c.id,
			c.time().AsTime().Format(time.RFC3339))
	}
	for name, test := range map[string]struct {
		published, audited []change
		found              []string
	}{
		"both empty":           {},
		"equal":                {published: all, audited: all},
		"analytics knows less": {published: all[2:3], audited: all},
		"first deleted":        {published: all, audited: all[1:], found: []string{missed(all[0])}},
		"one deleted":          {published: all, audited: []change{all[0], all[1], all[3], all[4]}, found: []string{missed(all[2])}},
		"last deleted":         {published: all, audited: all[:4], found: []string{missed(all[4])}},
		"all deleted":          {published: all[:2], found: []string{missed(all[0]), missed(all[1])}},
		"moved in time":        {published: all[:1], audited: []change{{2, "card", 5, 1}}, found: []string{missed(all[0])}},
		"bundles":              {published: bundles, audited: []change{bundles[0], bundles[1], bundles[3]}},
		"bundle deleted":       {published: bundles, audited: []change{bundles[0], bundles[3]}, found: []string{missed(bundles[1]), missed(bundles[2])}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			compared, found := compareChanges(t, test.published, test.audited)
			if diff := cmp.Diff(test.found, found); diff != "" || compared != int64(len(test.published)) {
				t.Errorf("%d compared; found (-want +got):\n%s", compared, diff)
			}
		})
	}
}

func TestBrokenStreamOfChangesIsNoVerdict(t *testing.T) {
	t.Parallel()
	broken := errors.New("away")
	m := &changeMerge{
		published: &reader[*analyticsv1.StreamPublishedChangesResponse, *analyticsv1.PublishedChange]{waiting: []*analyticsv1.PublishedChange{{}}},
		report:    func(text string) { t.Error(text) },
	}
	m.audited.receive = func() (*crmv1.StreamAuditedChangesResponse, error) { return nil, broken }
	if err := m.run(); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
