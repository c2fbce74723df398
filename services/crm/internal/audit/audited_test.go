package audit_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
)

// audited writes the changes of a stretch as "time entity id version".
func (b *bank) audited(t *testing.T, req *crmv1.StreamAuditedChangesRequest) (out []string, err error) {
	t.Helper()
	stream, err := b.audit.StreamAuditedChanges(t.Context(), req)
	if err != nil {
		return nil, err
	}
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		for _, c := range answer.GetChanges() {
			out = append(out, fmt.Sprint(c.GetTime().AsTime().UnixMicro(), " ", c.GetEntity(), " ", c.GetEntityId(), " ", c.GetVersion()))
		}
	}
}

// Entries tell of the same changes as events do, at the same moments; reads are no changes.
func TestAuditedChangesAreThoseOfEvents(t *testing.T) {
	t.Parallel()
	b := newBank(t, 100)
	created := b.create(t, "Eva")
	row := proto.CloneOf(created)
	row.Phone = "+420123456789"
	if _, err := b.customers.UpdateCustomer(b.as(t, "jan"), &crmv1.UpdateCustomerRequest{Customer: row}); err != nil {
		t.Fatal(err)
	}
	many := &crmv1.BatchUpsertCustomersRequest{}
	for i := range 5 {
		c := person("Jan")
		c.Key = &crmv1.ExternalKey{Source: "test", ExternalId: fmt.Sprint(i)}
		many.Customers = append(many.Customers, c)
	}
	if _, err := b.customers.BatchUpsertCustomers(b.as(t, "import"), many); err != nil {
		t.Fatal(err)
	}
	if _, err := b.customers.GetCustomer(b.as(t, "petr"), &crmv1.GetCustomerRequest{CustomerId: created.GetCustomerId()}); err != nil {
		t.Fatal(err)
	}
	b.seal(t) // leaves an event of its own, of which no entry tells
	var want []string
	rows, err := b.pool.Query(t.Context(), "SELECT payload FROM outbox WHERE entity <> 'audit_block' ORDER BY created_at, entity_id, version")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var payload []byte
		var change eventsv1.Change
		if err := errors.Join(rows.Scan(&payload), proto.Unmarshal(payload, &change)); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprint(change.GetChangeTime().AsTime().UnixMicro(), " ", change.GetEntity(), " ", change.GetEntityId(), " ", change.GetVersion()))
	}
	got, err := b.audited(t, &crmv1.StreamAuditedChangesRequest{})
	if diff := cmp.Diff(want, got); diff != "" || err != nil || len(want) != 7 {
		t.Errorf("changes (-events +entries):\n%s%v", diff, err)
	}
	at := created.GetCreateTime()
	later := timestamppb.New(at.AsTime().Add(time.Microsecond))
	for name, test := range map[string]struct {
		from, to *timestamppb.Timestamp
		want     []string
	}{"first": {to: later, want: want[:1]}, "others": {from: later, want: want[1:]}, "none": {to: at}, "future": {from: timestamppb.New(time.Now().Add(time.Hour))}} {
		got, err := b.audited(t, &crmv1.StreamAuditedChangesRequest{FromTime: test.from, ToTime: test.to})
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%s (-want +got):\n%s%v", name, diff, err)
		}
	}
	if _, err := b.audited(t, &crmv1.StreamAuditedChangesRequest{FromTime: at, ToTime: at}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("backwards: %v", err)
	}
}
