package schedule_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/auth"
	"tandem.bank/pkg/natsx"
	"tandem.bank/pkg/testkit"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/fact"
	"tandem.bank/services/analytics/internal/schedule"
	"tandem.bank/services/analytics/internal/warehouse"
	"tandem.bank/services/analytics/internal/warehousetest"
	"tandem.bank/services/analytics/migrations"
)

const (
	lockTTL = 2 * time.Second
)

// bundle is a warehouse with a scheduler over it.
type bundle struct {
	conn      driver.Conn
	scheduler *schedule.Scheduler
	server    *schedule.Server
	zone      *time.Location
}

func setup(t *testing.T) *bundle {
	t.Helper()
	url := warehousetest.Migrated(t)
	return over(t, url, testkit.NATS(t))
}

// over is one process over a warehouse.
func over(t *testing.T, url, bus string) *bundle {
	t.Helper()
	conn, err := warehouse.Open(warehouse.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	zone, err := time.LoadLocation("Europe/Prague")
	if err != nil {
		t.Fatal(err)
	}
	nc, js, err := natsx.Connect(t.Context(), natsx.Config{URL: bus, Name: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	s, err := schedule.New(schedule.Config{
		Locks: natsx.NewLocks(js, lockTTL), Warehouse: conn, Definitions: definition.NewStore(conn), TimeZone: zone, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return &bundle{conn: conn, scheduler: s, server: schedule.NewServer(s), zone: zone}
}

// define stores a version of a definition, made some days ago.
func (b *bundle) define(t *testing.T, id, version int64, daysAgo int, edit func(*eventsv1.DefinitionState)) {
	t.Helper()
	at := timestamppb.New(time.Now().AddDate(0, 0, -daysAgo))
	s := &eventsv1.DefinitionState{
		Name: fmt.Sprint("definition_", id), Kind: "rfm", State: "active", Owner: "eva", SpecVersion: version, SpecTime: at,
		Spec: &definitionv1.Spec{Kind: &definitionv1.Spec_Rfm{Rfm: &definitionv1.RfmDefinition{WindowDays: int32(version)}}},
	}
	edit(s)
	raw, err := proto.Marshal(&eventsv1.Change{
		Entity: "definition", EntityId: id, Version: version, ChangeTime: at, Payload: &eventsv1.Change_Definition{Definition: s},
	})
	if err != nil {
		t.Fatal(err)
	}
	batch := fact.NewBatch()
	if err := errors.Join(batch.Add(raw), batch.Insert(t.Context(), b.conn)); err != nil {
		t.Fatal(err)
	}
}

func daily(s *eventsv1.DefinitionState) { s.Schedule = &definitionv1.Schedule{Cron: "0 0 * * *"} }

// asOf is the day so many days before today by the bank's clock.
func (b *bundle) asOf(daysAgo int) string {
	year, month, day := time.Now().In(b.zone).Date()
	return time.Date(year, month, day-daysAgo, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

// log notes what a runner was asked for.
type runLog struct {
	mu   sync.Mutex
	runs []string
	busy bool
}

func (l *runLog) note(t *testing.T, d *definition.Definition, asOf time.Time) func() {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy {
		t.Error("two runs of one kind at a time")
	}
	l.busy = true
	l.runs = append(l.runs, fmt.Sprintf("%s v%d %s", d.Name, d.Version, asOf.Format(time.DateOnly)))
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.busy = false
	}
}

func (l *runLog) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.runs)
}

// run lets the scheduler run until it did what is waited for.
func (b *bundle) run(t *testing.T, until func() error) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.scheduler.Run(ctx) }()
	testkit.Eventually(t, testkit.Patience, until)
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

func eva(t *testing.T, roles ...string) context.Context {
	t.Helper()
	return auth.WithPrincipal(t.Context(), auth.Principal{Subject: "eva", Roles: roles})
}

// finished waits for so many runs with an outcome.
func (b *bundle) finished(t *testing.T, outcome analyticsv1.ScheduleOutcome, count int) func() error {
	t.Helper()
	return func() error {
		page, err := b.server.ListScheduleRuns(eva(t), &analyticsv1.ListScheduleRunsRequest{PageSize: 100})
		if err != nil {
			return err
		}
		got := 0
		for _, r := range page.GetRuns() {
			if r.GetOutcome() == outcome {
				got++
			}
		}
		if got < count {
			return fmt.Errorf("%d runs are %s, want %d: %v", got, outcome, count, page.GetRuns())
		}
		return nil
	}
}

// What was missed is caught up on, oldest first, the newest dozen of it; nothing is done twice, also by another scheduler.
func TestCatchUp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.define(t, 1, 1, 3, daily)
	b.define(t, 2, 1, 40, daily)
	b.define(t, 3, 1, 5, func(s *eventsv1.DefinitionState) { s.Schedule = &definitionv1.Schedule{Cron: "@daily", Paused: true} })
	b.define(t, 4, 1, 5, func(s *eventsv1.DefinitionState) { daily(s); s.State = "archived" })
	b.define(t, 5, 1, 5, func(s *eventsv1.DefinitionState) { daily(s); s.Kind = "clv" })
	var log runLog
	b.scheduler.Register(definition.KindRFM, func(_ context.Context, d *definition.Definition, asOf time.Time) (string, error) {
		defer log.note(t, d, asOf)()
		return "made " + asOf.Format(time.DateOnly), nil
	})
	b.run(t, b.finished(t, analyticsv1.ScheduleOutcome_SCHEDULE_OUTCOME_DONE, 15))
	var want []string
	for back := 12; back >= 1; back-- {
		if back <= 3 {
			want = append(want, "definition_1 v1 "+b.asOf(back))
		}
		want = append(want, "definition_2 v1 "+b.asOf(back))
	}
	if got := log.all(); !slices.Equal(got, want) {
		t.Fatalf("ran %s\nwant %s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	// A new version is not run for days that are done; by hand it is.
	b.define(t, 1, 2, 0, daily)
	b.run(t, func() error { return nil })
	answer, err := b.server.RunNow(eva(t, auth.RoleAnalyst), &analyticsv1.RunNowRequest{Name: "definition_1"})
	if err != nil || answer.GetRun().GetResult() != "made "+b.asOf(1) || answer.GetRun().GetVersion() != 2 || answer.GetRun().GetFireTime() != nil {
		t.Fatalf("%v, %v", answer, err)
	}
	again, err := b.server.RunNow(eva(t, auth.RoleAnalyst), &analyticsv1.RunNowRequest{Name: "definition_1"})
	if err != nil || !proto.Equal(again, answer) {
		t.Errorf("%v, %v; want %v", again, err, answer)
	}
	if got := log.all(); len(got) != 16 {
		t.Errorf("ran %v", got)
	}
}

// A run that fails is tried again; one that can't succeed is given up at once; one that panics takes nobody with it.
func TestFailures(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.define(t, 1, 1, 1, daily)
	b.define(t, 2, 1, 1, daily)
	b.define(t, 3, 1, 1, daily)
	b.scheduler.Register(definition.KindRFM, func(_ context.Context, d *definition.Definition, _ time.Time) (string, error) {
		switch d.ID {
		case 1:
			return "", apperr.New(codes.Unavailable, apperr.ReasonUnavailable, "busy")
		case 2:
			return "", apperr.InvalidField("spec", "is wrong")
		default:
			panic("secret")
		}
	})
	b.run(t, func() error {
		return errors.Join(b.finished(t, analyticsv1.ScheduleOutcome_SCHEDULE_OUTCOME_FAILED, 2)(),
			b.finished(t, analyticsv1.ScheduleOutcome_SCHEDULE_OUTCOME_GIVEN_UP, 1)())
	})
	page, err := b.server.ListScheduleRuns(eva(t), &analyticsv1.ListScheduleRunsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range page.GetRuns() {
		want := map[string]string{"definition_1": "busy", "definition_2": "spec: is wrong", "definition_3": "internal error"}[r.GetName()]
		if !strings.HasPrefix(r.GetError(), want) || r.GetAttempts() != 1 || r.GetEndTime() == nil {
			t.Errorf("%v, want the error %s", r, want)
		}
	}
	// The pause is over: both are tried again.
	if err := b.conn.Exec(t.Context(), `INSERT INTO schedule_run SELECT * REPLACE (end_time - INTERVAL 2 HOUR AS end_time,
		changed_time + INTERVAL 1 SECOND AS changed_time, 4 AS attempts) FROM schedule_run FINAL WHERE outcome = 'failed'`); err != nil {
		t.Fatal(err)
	}
	b.run(t, b.finished(t, analyticsv1.ScheduleOutcome_SCHEDULE_OUTCOME_GIVEN_UP, 3))
	_, err = b.server.RunNow(eva(t, auth.RoleAnalyst), &analyticsv1.RunNowRequest{Name: "definition_1"})
	if status.Code(err) != codes.Unavailable {
		t.Errorf("by hand: %v", err)
	}
}

// crashEnv and crashBusEnv make the test program a scheduler that begins a run and waits for its end by force.
const (
	crashEnv    = "SCHEDULE_CRASH_URL"
	crashBusEnv = "SCHEDULE_CRASH_NATS_URL"
)

// A run whose end was lost with the machine is done again.
func TestKilled(t *testing.T) {
	if url := os.Getenv(crashEnv); url != "" {
		b := over(t, url, os.Getenv(crashBusEnv))
		b.scheduler.Register(definition.KindRFM, func(ctx context.Context, _ *definition.Definition, _ time.Time) (string, error) {
			fmt.Println("begun")
			<-ctx.Done()
			return "", ctx.Err()
		})
		_ = b.scheduler.Run(t.Context())
		return
	}
	t.Parallel()
	url := warehousetest.Migrated(t)
	bus := testkit.NATS(t)
	b := over(t, url, bus)
	b.define(t, 1, 1, 1, daily)
	program := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilled$", "-test.v")
	program.Env = append(os.Environ(), crashEnv+"="+url, crashBusEnv+"="+bus)
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for buffer := make([]byte, 256); !strings.Contains(said.String(), "begun"); {
		n, err := out.Read(buffer)
		said.Write(buffer[:n])
		if err != nil {
			t.Fatalf("%s: %v", said.String(), err)
		}
	}
	if err := program.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = program.Wait() // it was killed
	if err := b.finished(t, analyticsv1.ScheduleOutcome_SCHEDULE_OUTCOME_RUNNING, 1)(); err != nil {
		t.Fatal(err)
	}
	var log runLog
	b.scheduler.Register(definition.KindRFM, func(_ context.Context, d *definition.Definition, asOf time.Time) (string, error) {
		defer log.note(t, d, asOf)()
		return "made", nil
	})
	b.run(t, b.finished(t, analyticsv1.ScheduleOutcome_SCHEDULE_OUTCOME_DONE, 1))
	if got := log.all(); !slices.Equal(got, []string{"definition_1 v1 " + b.asOf(1)}) {
		t.Errorf("ran %v", got)
	}
}

// Several processes over one warehouse do each run once, and one at a time; so do those who run something by hand meanwhile.
func TestSeveralProcesses(t *testing.T) {
	t.Parallel()
	url, bus := testkit.ClickHouse(t), testkit.NATS(t)
	if err := migrations.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	var log runLog
	processes := make([]*bundle, 3)
	for i := range processes {
		processes[i] = over(t, url, bus)
		processes[i].scheduler.Register(definition.KindRFM, func(ctx context.Context, d *definition.Definition, asOf time.Time) (string, error) {
			defer log.note(t, d, asOf)()
			select {
			case <-time.After(lockTTL / 4): // time for the others to come
			case <-ctx.Done():
			}
			return "made", ctx.Err()
		})
	}
	b := processes[0]
	for id := range int64(4) {
		b.define(t, id+1, 1, 2, daily)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var others sync.WaitGroup
	for _, p := range processes[1:] {
		others.Go(func() { _ = p.scheduler.Run(ctx) })
		others.Go(func() {
			_, err := p.server.RunNow(eva(t, auth.RoleAnalyst), &analyticsv1.RunNowRequest{Name: "definition_1"})
			if err != nil {
				t.Error(err)
			}
		})
	}
	b.run(t, b.finished(t, analyticsv1.ScheduleOutcome_SCHEDULE_OUTCOME_DONE, 8))
	cancel()
	others.Wait()
	got := log.all()
	slices.Sort(got)
	var want []string
	for id := range 4 {
		for _, daysAgo := range []int{2, 1} {
			want = append(want, fmt.Sprintf("definition_%d v1 %s", id+1, b.asOf(daysAgo)))
		}
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("ran\n%v, want\n%v", got, want)
	}
}

func TestServer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.define(t, 1, 1, 0, func(s *eventsv1.DefinitionState) { s.Schedule = &definitionv1.Schedule{Cron: "0 6 1 * *", DaysBack: 3} })
	b.define(t, 2, 1, 0, daily)
	b.define(t, 3, 1, 0, func(s *eventsv1.DefinitionState) { s.Schedule = &definitionv1.Schedule{Cron: "@daily", Paused: true} })
	b.define(t, 4, 1, 0, func(s *eventsv1.DefinitionState) { daily(s); s.Owner, s.ReaderRoles = "jan", []string{"manager"} })
	b.define(t, 5, 1, 0, func(s *eventsv1.DefinitionState) { s.State = "archived" })
	b.scheduler.Register(definition.KindRFM, func(context.Context, *definition.Definition, time.Time) (string, error) { return "made", nil })
	list, err := b.server.ListSchedules(eva(t), &analyticsv1.ListSchedulesRequest{})
	if err != nil || len(list.GetSchedules()) != 3 {
		t.Fatalf("%v, %v", list, err)
	}
	first := list.GetSchedules()[0]
	if first.GetName() != "definition_2" || first.GetNextTime().AsTime().In(b.zone).Hour() != 0 || list.GetSchedules()[2].GetNextTime() != nil {
		t.Errorf("%v", list)
	}
	if month := list.GetSchedules()[1]; month.GetName() != "definition_1" || month.GetNextAsOf().GetDay() < 26 {
		t.Errorf("%v", month)
	}
	tomorrow := time.Now().In(b.zone).AddDate(0, 0, 1)
	for what, c := range map[string]struct {
		ctx  context.Context
		req  *analyticsv1.RunNowRequest
		code codes.Code
	}{
		"nobody's":      {eva(t), &analyticsv1.RunNowRequest{Name: "nothing"}, codes.NotFound},
		"not shared":    {eva(t), &analyticsv1.RunNowRequest{Name: "definition_4"}, codes.NotFound},
		"shared":        {eva(t, "manager"), &analyticsv1.RunNowRequest{Name: "definition_4"}, codes.OK},
		"archived":      {eva(t), &analyticsv1.RunNowRequest{Name: "definition_5"}, codes.FailedPrecondition},
		"the future":    {eva(t), &analyticsv1.RunNowRequest{Name: "definition_1", AsOf: dateOf(tomorrow)}, codes.InvalidArgument},
		"another day":   {eva(t), &analyticsv1.RunNowRequest{Name: "definition_1", AsOf: &date.Date{Year: 2024, Month: 2, Day: 29}}, codes.OK},
		"no day at all": {eva(t), &analyticsv1.RunNowRequest{Name: "definition_1", AsOf: &date.Date{Year: 2024, Month: 2, Day: 31}}, codes.InvalidArgument},
		"no version":    {eva(t), &analyticsv1.RunNowRequest{Name: "definition_1", Version: 9}, codes.NotFound},
	} {
		if _, err := b.server.RunNow(c.ctx, c.req); status.Code(err) != c.code {
			t.Errorf("%s: %v", what, err)
		}
	}
	// Two runs, a page each; what is not shared is not listed.
	names, token := []string{}, ""
	for {
		page, err := b.server.ListScheduleRuns(eva(t, "manager"), &analyticsv1.ListScheduleRunsRequest{PageSize: 1, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.GetRuns() {
			names = append(names, r.GetName())
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"definition_1", "definition_4"}) {
		t.Errorf("listed %v", names)
	}
	if page, err := b.server.ListScheduleRuns(eva(t), &analyticsv1.ListScheduleRunsRequest{Name: "definition_4"}); err != nil || len(page.GetRuns()) != 0 {
		t.Errorf("%v, %v", page, err)
	}
}

func dateOf(t time.Time) *date.Date {
	return &date.Date{Year: int32(t.Year()), Month: int32(t.Month()), Day: int32(t.Day())}
}
