package behaviour_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"tandem.bank/pkg/testkit"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/behaviour"
)

const (
	bundles   = 30
	perBundle = 40
)

// door is a server of the site that can be killed, with a caller.
type door struct {
	server *grpc.Server
	conn   *grpc.ClientConn
}

func (s *site) open(t testing.TB) *door {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{server: grpc.NewServer()}
	crmv1.RegisterBehaviourServiceServer(d.server, behaviour.NewServer(s.recorder))
	go func() { _ = d.server.Serve(listener) }()
	t.Cleanup(d.server.Stop)
	if d.conn, err = grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.conn.Close() })
	return d
}

// send sends the bundles from the first on, each event as it was sent before. Behind so many bundles it calls broken, while
// some of them are still on their way; it stops at the first failure.
func (d *door) send(ctx context.Context, after int, broken func()) (*crmv1.StreamBehaviourEventsResponse, error) {
	stream, err := crmv1.NewBehaviourServiceClient(d.conn).StreamBehaviourEvents(ctx)
	if err != nil {
		return nil, err
	}
	for n := range bundles {
		if n == after {
			broken()
		}
		batch := &crmv1.BatchRecordBehaviourEventsRequest{}
		for i := range perBundle {
			batch.Events = append(batch.Events, visit(fmt.Sprintf("%d-%d", n, i)))
		}
		if err := stream.Send(&crmv1.StreamBehaviourEventsRequest{Batch: batch}); err != nil {
			break // the answer says why
		}
	}
	return stream.CloseAndRecv()
}

// A caller who dies, a connection that breaks, a server that is killed and a database that ends the session in the middle of
// a stream lose nothing: whoever sends everything again has each event once.
func TestStreamBrokenAndSentAgain(t *testing.T) {
	t.Parallel()
	s := setup(t, 0)
	for round, kill := range []func(*door, context.CancelFunc){
		func(_ *door, cancel context.CancelFunc) { cancel() },
		func(d *door, _ context.CancelFunc) { _ = d.conn.Close() },
		func(d *door, _ context.CancelFunc) { d.server.Stop() },
		func(*door, context.CancelFunc) { s.endSession(t) },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		d := s.open(t)
		// Later in each round: what was recorded comes again, and further bundles are cut off.
		after := 4 + 6*round
		sum, err := d.send(ctx, after, func() {
			s.await(t, (after-2)*perBundle) // the last bundles are on their way, in the database, or recorded
			kill(d, cancel)
		})
		cancel()
		d.server.Stop() // waits for the call: what it has recorded by now is recorded
		if err == nil {
			t.Errorf("round %d was not broken: %v", round, sum)
		}
		s.pool.Reset()
	}
	sum, err := s.open(t).send(t.Context(), -1, nil)
	if err != nil || sum.GetBatches() != bundles || sum.GetCreated()+sum.GetUnchanged() != bundles*perBundle || sum.GetUnchanged() == 0 || sum.GetCreated() == 0 {
		t.Fatalf("sent again: %v, %v", sum, err)
	}
	s.wantEachOnce(t)
}

// endSession makes the database end the session that records the next bundle, in the middle of it: it waits there for a lock.
func (s *site) endSession(t *testing.T) {
	t.Helper()
	tx, err := s.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "LOCK TABLE behaviour_event_key IN EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, err := tx.Exec(t.Context(), `DO $$ BEGIN LOOP
    PERFORM pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted AND relation = 'behaviour_event_key'::regclass;
    EXIT WHEN FOUND;
    PERFORM pg_sleep(0.01);
END LOOP; END $$`)
		if err := errors.Join(err, tx.Rollback(t.Context())); err != nil {
			t.Error(err)
		}
	}()
}

// await waits until so many events are recorded.
func (s *site) await(t *testing.T, least int) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, func() error {
		var n int
		err := s.pool.QueryRow(t.Context(), "SELECT count(*) FROM behaviour_event").Scan(&n)
		if err == nil && n < least {
			err = fmt.Errorf("%d events, want %d", n, least)
		}
		return err
	})
}

// wantEachOnce checks that the table has every event once, and that each is published once.
func (s *site) wantEachOnce(t *testing.T) {
	t.Helper()
	var rows, distinct int
	err := s.pool.QueryRow(t.Context(), "SELECT count(*), count(DISTINCT (source, external_id)) FROM behaviour_event").Scan(&rows, &distinct)
	if err != nil || rows != bundles*perBundle || distinct != rows {
		t.Errorf("%d events, %d of them different (%v), want %d", rows, distinct, err, bundles*perBundle)
	}
	var ids []int64
	for _, state := range s.published(t) {
		ids = append(ids, state.GetBehaviourEventId())
	}
	slices.Sort(ids)
	if len(ids) != bundles*perBundle || len(slices.Compact(ids)) != bundles*perBundle {
		t.Errorf("%d events are published, want %d, each once", len(ids), bundles*perBundle)
	}
}
