package audit_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/audit"
	"tandem.bank/services/analytics/internal/fact"
	"tandem.bank/services/analytics/internal/warehouse"
	"tandem.bank/services/analytics/internal/warehousetest"
)

// received collects what a server streams.
type received struct {
	grpc.ServerStream
	ctx    context.Context
	copies []*analyticsv1.AuditBlockCopy
	sent   int
}

func (r *received) Context() context.Context { return r.ctx }

func (r *received) Send(m *analyticsv1.StreamAuditBlockCopiesResponse) error {
	r.sent++
	r.copies = append(r.copies, m.GetCopies()...)
	return nil
}

var sealed = timestamppb.New(time.Date(2026, 3, 1, 10, 0, 0, 5000, time.UTC))

func hash(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

func open(t *testing.T) driver.Conn {
	t.Helper()
	conn := warehousetest.Open(t)
	return conn
}

// insert stores a change as the ingest does.
func insert(t *testing.T, conn driver.Conn, change *eventsv1.Change) {
	t.Helper()
	data, err := proto.Marshal(change)
	if err != nil {
		t.Fatal(err)
	}
	batch := fact.NewBatch()
	if err := batch.Add(data); err != nil {
		t.Fatal(err)
	}
	if err := batch.Insert(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
}

// Copies come by number, a repeated message once, and a block that was sealed anew beside its first copy.
func TestCopies(t *testing.T) {
	t.Parallel()
	conn := open(t)
	for _, c := range []struct {
		number int64
		hash   byte
	}{{2, 0x22}, {1, 0x11}, {2, 0x22}, {3, 0x33}, {2, 0x99}} {
		insert(t, conn, &eventsv1.Change{
			Entity: "audit_block", EntityId: c.number, Version: 1, ChangeTime: sealed,
			Payload: &eventsv1.Change_AuditBlock{AuditBlock: &eventsv1.AuditBlockState{
				Hash: hash(c.hash), PreviousHash: hash(0), Entries: 7, FirstEntryId: 1, LastEntryId: 7, SealedTime: sealed,
			}},
		})
	}
	// Merged or not, the answer is the same.
	for range 2 {
		for _, test := range []struct {
			from, to int64
			want     []byte
		}{{0, 0, []byte{0x11, 0x22, 0x99, 0x33}}, {2, 2, []byte{0x22, 0x99}}, {3, 9, []byte{0x33}}, {4, 0, nil}} {
			got := &received{ctx: t.Context()}
			err := audit.NewServer(conn).StreamAuditBlockCopies(&analyticsv1.StreamAuditBlockCopiesRequest{FromBlock: test.from, ToBlock: test.to}, got)
			if err != nil || got.sent < 2 {
				t.Fatalf("%d messages, %v", got.sent, err)
			}
			var hashes []byte
			for _, c := range got.copies {
				hashes = append(hashes, c.GetHash()[0])
				if len(c.GetHash()) != 32 || !bytes.Equal(c.GetPreviousHash(), hash(0)) || c.GetEntries() != 7 || !c.GetSealedTime().AsTime().Equal(sealed.AsTime()) {
					t.Errorf("copy %v", c)
				}
			}
			if diff := cmp.Diff(test.want, hashes); diff != "" {
				t.Errorf("%d to %d (-want +got):\n%s", test.from, test.to, diff)
			}
		}
		if err := warehouse.OnParts(t.Context(), conn, "OPTIMIZE TABLE audit_block FINAL"); err != nil {
			t.Fatal(err)
		}
	}
}
