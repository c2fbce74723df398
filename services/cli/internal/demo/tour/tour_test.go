package tour

import (
	"bytes"
	"context"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/demo/bank"
	"tandem.bank/services/cli/internal/importer"
	"tandem.bank/services/cli/internal/show"
)

// The services here answer just enough to see how the tour waits, pages and gives up. The tour over the real services is
// tested in deploy/e2e.

type fakeRelay struct {
	crmv1.UnimplementedChangeStreamServiceServer
	calls atomic.Int32
	// busy is how many calls run into their deadline first.
	busy int32
}

func (f *fakeRelay) AwaitPublished(context.Context, *crmv1.AwaitPublishedRequest) (*crmv1.AwaitPublishedResponse, error) {
	if f.calls.Add(1) <= f.busy {
		return nil, status.Error(codes.DeadlineExceeded, "the relay is behind")
	}
	return &crmv1.AwaitPublishedResponse{StreamSequence: 77}, nil
}

func (f *fakeRelay) GetRelayStatus(context.Context, *crmv1.GetRelayStatusRequest) (*crmv1.GetRelayStatusResponse, error) {
	return &crmv1.GetRelayStatusResponse{LagBytes: 12_345}, nil
}

type fakeIngest struct {
	analyticsv1.UnimplementedIngestServiceServer
	err error
}

func (f *fakeIngest) AwaitIngested(_ context.Context, in *analyticsv1.AwaitIngestedRequest) (*analyticsv1.AwaitIngestedResponse, error) {
	if f.err != nil || in.GetStreamSequence() != 77 {
		return nil, f.err
	}
	return &analyticsv1.AwaitIngestedResponse{StreamSequence: 77}, nil
}

func (f *fakeIngest) GetIngestStatus(context.Context, *analyticsv1.GetIngestStatusRequest) (*analyticsv1.GetIngestStatusResponse, error) {
	return &analyticsv1.GetIngestStatusResponse{
		DeadLetters: 2, Tables: []*analyticsv1.TableVolume{{Table: "customer", Rows: 3}, {Table: "rfm_run", Rows: 1}},
	}, nil
}

type fakeRfm struct {
	analyticsv1.UnimplementedRfmServiceServer
}

func (fakeRfm) RunRfm(_ context.Context, in *analyticsv1.RunRfmRequest) (*analyticsv1.RunRfmResponse, error) {
	return &analyticsv1.RunRfmResponse{Run: &analyticsv1.RfmRun{RunId: "run-2", AsOf: in.GetAsOf(), WindowDays: in.GetWindowDays()}}, nil
}

// ListRfmScores has the customers 1, 2 and 3, a page each.
func (fakeRfm) ListRfmScores(_ context.Context, in *analyticsv1.ListRfmScoresRequest) (*analyticsv1.ListRfmScoresResponse, error) {
	if in.GetOrder() == analyticsv1.RfmOrder_RFM_ORDER_BEST_FIRST {
		return &analyticsv1.ListRfmScoresResponse{Scores: []*analyticsv1.RfmScore{{CustomerId: 3, Cell: 555}}}, nil
	}
	page := int64(len(in.GetPageToken())) + 1
	answer := &analyticsv1.ListRfmScoresResponse{Scores: []*analyticsv1.RfmScore{{CustomerId: page, Cell: int32(110 * page), Frequency: page}}}
	if page < 3 {
		answer.NextPageToken = strings.Repeat("x", int(page))
	}
	return answer, nil
}

type fakeScreens struct {
	crmv1.UnimplementedCustomer360ServiceServer
	calls atomic.Int32
	// late is how many looks still show the run before.
	late int32
}

func (f *fakeScreens) GetCustomer360(_ context.Context, in *crmv1.GetCustomer360Request) (*crmv1.GetCustomer360Response, error) {
	run := "run-2"
	if f.calls.Add(1) <= f.late {
		run = "run-1"
	}
	return &crmv1.GetCustomer360Response{
		Customer: &crmv1.Customer{CustomerId: in.GetCustomerId(), RegionId: 4},
		Rfm:      &crmv1.RfmInsight{RunId: run, Cell: "555"},
	}, nil
}

type fakePlaces struct {
	crmv1.UnimplementedBranchServiceServer
}

func (fakePlaces) GetRegion(_ context.Context, in *crmv1.GetRegionRequest) (*crmv1.GetRegionResponse, error) {
	return &crmv1.GetRegionResponse{Region: &crmv1.Region{RegionId: in.GetRegionId(), Name: "Kraj Vysočina"}}, nil
}

type fakes struct {
	relay   fakeRelay
	ingest  fakeIngest
	screens fakeScreens
}

// start gives a tour that has loaded its files and looks at the fakes.
func (f *fakes) start(t *testing.T) (*tour, *bytes.Buffer) {
	t.Helper()
	listener := bufconn.Listen(1 << 16)
	server := grpc.NewServer()
	crmv1.RegisterChangeStreamServiceServer(server, &f.relay)
	crmv1.RegisterCustomer360ServiceServer(server, &f.screens)
	crmv1.RegisterBranchServiceServer(server, fakePlaces{})
	analyticsv1.RegisterIngestServiceServer(server, &f.ingest)
	analyticsv1.RegisterRfmServiceServer(server, fakeRfm{})
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient("passthrough:fakes",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	var said bytes.Buffer
	return &tour{
		config:  Config{CRM: conn, Analytics: conn, WorkDir: t.TempDir(), Patience: 10 * time.Second},
		console: newConsole(&said, true),
		source:  berka("somewhere"),
		loaded:  time.Now(),
		report:  Report{Volumes: []Volume{{Entity: "customer"}, {Entity: "card"}}},
	}, &said
}

func TestFollowWaitsAndSaysHowFarThingsAre(t *testing.T) {
	t.Parallel()
	f := &fakes{relay: fakeRelay{busy: 2}}
	tour, said := f.start(t)
	if err := tour.follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	fresh := tour.report.Fresh
	if fresh.Sequence != 77 || fresh.DeadLetters != 2 || fresh.Ingested < fresh.Published {
		t.Errorf("freshness is %+v", fresh)
	}
	if v := tour.report.Volumes; v[0].Stored != 3 || v[1].Stored != 0 {
		t.Errorf("volumes are %+v", v)
	}
	if !strings.Contains(said.String(), "12 345 bytes of the write-ahead log") {
		t.Errorf("progress is %q", said)
	}
}

func TestFollowGivesUp(t *testing.T) {
	t.Parallel()
	f := &fakes{ingest: fakeIngest{err: status.Error(codes.Unavailable, "no ClickHouse")}}
	tour, _ := f.start(t)
	tour.config.Patience = time.Millisecond
	err := tour.follow(t.Context())
	if err == nil || !strings.Contains(err.Error(), "ingest: not done after 1ms") {
		t.Errorf("error is %v", err)
	}
	// What can't get better by waiting is not waited for.
	f.ingest.err = status.Error(codes.InvalidArgument, "no such sequence")
	tour.config.Patience = time.Hour
	if err := tour.follow(t.Context()); status.Code(err) != codes.InvalidArgument {
		t.Errorf("error is %v", err)
	}
}

func TestValueWaitsUntilResultsAreBack(t *testing.T) {
	t.Parallel()
	f := &fakes{screens: fakeScreens{late: 3}}
	tour, _ := f.start(t)
	for _, step := range []func(context.Context) error{tour.value, tour.await, tour.look} {
		if err := step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// The best customer and the last one of each of the three pages.
	if got := f.screens.calls.Load(); got != 3+4+1 {
		t.Errorf("%d screens were read, want 8", got)
	}
	best := tour.report.Best
	if len(best) != 1 || best[0].Screen.GetCustomer().GetCustomerId() != 3 || best[0].Region != "Kraj Vysočina" {
		t.Errorf("best are %v", best)
	}
}

func TestAwaitSaysWhichCustomerHasNoResult(t *testing.T) {
	t.Parallel()
	f := &fakes{screens: fakeScreens{late: 1 << 30}}
	tour, _ := f.start(t)
	if err := tour.value(t.Context()); err != nil {
		t.Fatal(err)
	}
	tour.config.Patience = 300 * time.Millisecond
	if err := tour.await(t.Context()); err == nil || !strings.Contains(err.Error(), "customer 3: ") {
		t.Errorf("error is %v", err)
	}
}

func TestCellsAreComparedWithTheTourBefore(t *testing.T) {
	t.Parallel()
	f := &fakes{}
	tour, _ := f.start(t)
	for range 2 {
		if err := tour.value(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := tour.rememberCells(); err != nil {
			t.Fatal(err)
		}
	}
	if cells := tour.report.Cells; cells.Now == "" || cells.Now != cells.Before {
		t.Errorf("cells are %+v", cells)
	}
	var a, b cellHash
	one, two := &analyticsv1.RfmScore{Cell: 111}, &analyticsv1.RfmScore{Cell: 112}
	a.add(one)
	a.add(two)
	b.add(two)
	b.add(one)
	if a != b {
		t.Error("the order of the scores counts")
	}
	if b.add(one); a == b {
		t.Error("one score more does not count")
	}
}

func TestPrepareGeneratesOnce(t *testing.T) {
	t.Parallel()
	f := &fakes{}
	tour, said := f.start(t)
	tour.config.Bank = bank.Config{Customers: 30, Seed: 4}
	for range 2 {
		if err := tour.prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(said.String(), "30 customers are there already") {
		t.Errorf("progress is %q", said)
	}
	s := tour.source
	if s.windowDays != 730 || show.Date(s.asOf) != "2026-06-30" || s.paths[0] != filepath.Join(tour.config.WorkDir, "bank-30-4") {
		t.Errorf("source is %+v", s)
	}
}

func TestConfigNamesEachBrokenField(t *testing.T) {
	t.Parallel()
	err := Config{}.Validate()
	for _, field := range []string{"customers: ", "work dir: ", "connections: ", "progress: ", "patience: ", "out and err: "} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%q is not in the error %v", field, err)
		}
	}
}

func TestStopwatchAddsUpFilesOfOneEntity(t *testing.T) {
	t.Parallel()
	summary := &importer.Summary{Jobs: []importer.JobResult{
		{Entity: "transaction", Counts: importer.Counts{Created: 5, Rejected: 1}},
		{Entity: "customer", Counts: importer.Counts{Unchanged: 2}},
		{Entity: "transaction", Counts: importer.Counts{Created: 3}},
	}}
	found := volumes(summary, nil)
	if len(found) != 2 || found[0].Entity != "customer" || found[1].Read != 9 || found[1].Created != 8 {
		t.Errorf("volumes are %+v", found)
	}
}
