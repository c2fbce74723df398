package plan_test

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/testkit"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/plan"
	"tandem.bank/services/crm/internal/sight"
	"tandem.bank/services/crm/migrations"
)

var template = testkit.Template{Name: "plan", Migrate: migrations.Migrate}

// bundle is the room behind its API, with branch 1 as "demo/b", and the customers 1 and 2.
type bundle struct {
	pool   *pgxpool.Pool
	server *plan.Server
	client crmv1.PlanServiceClient
}

func setup(t *testing.T) *bundle {
	t.Helper()
	pool := testkit.Postgres(t, template)
	for _, sql := range []string{
		"INSERT INTO branch (source, external_id, name) VALUES ('demo', 'b', 'Praha')",
		"INSERT INTO customer (branch_id, kind, state, phone, email, given_name, family_name, sex, occupation, monthly_income_currency, legal_name, " +
			"registration_number, industry_nace, annual_turnover_currency) SELECT nullif(n, 2), 'individual', 'active', '', '', '', '', '', '', '', '', " +
			"'', '', '' FROM generate_series(1, 2) n",
	} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	b := &bundle{pool: pool, server: plan.NewServer(pool)}
	server := grpc.NewServer()
	crmv1.RegisterPlanServiceServer(server, b.server)
	listener := bufconn.Listen(1 << 16)
	go func() { _ = server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///plan", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		server.Stop()
	})
	b.client = crmv1.NewPlanServiceClient(conn)
	return b
}

// turnover of the branch in a month of 2026.
func turnover(month int32, amount string, edit ...func(*crmv1.PlanValue)) *crmv1.PlanValue {
	v := &crmv1.PlanValue{
		Unit:      &crmv1.PlanUnit{Unit: &crmv1.PlanUnit_BranchKey{BranchKey: &crmv1.ExternalKey{Source: "demo", ExternalId: "b"}}},
		Indicator: "turnover", Period: crmv1.PlanPeriod_PLAN_PERIOD_MONTH, PeriodStart: &date.Date{Year: 2026, Month: month, Day: 1},
		Amount: amount, Currency: "CZK",
	}
	for _, e := range edit {
		e(v)
	}
	return v
}

func withdrawn(v *crmv1.PlanValue) { v.Withdrawn = true }

func to(unit *crmv1.PlanUnit) func(*crmv1.PlanValue) {
	return func(v *crmv1.PlanValue) { v.Unit = unit }
}

// load imports figures, two in a message; their lines begin with 2.
func (b *bundle) load(t *testing.T, header *crmv1.PlanImportHeader, values ...*crmv1.PlanValue) (*crmv1.ImportPlanResponse, error) {
	t.Helper()
	header.Name = "sales"
	stream, err := b.client.ImportPlan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	send := func(req *crmv1.ImportPlanRequest) {
		if err := stream.Send(req); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	}
	send(&crmv1.ImportPlanRequest{Header: header})
	line := int64(1)
	for chunk := range slices.Chunk(values, 2) {
		req := &crmv1.ImportPlanRequest{}
		for _, v := range chunk {
			line++
			req.Rows = append(req.Rows, &crmv1.PlanImportRow{Line: line, Value: v})
		}
		send(req)
	}
	return stream.CloseAndRecv()
}

// figures lists a plan page by page, as "month amount version".
func (b *bundle) figures(ctx context.Context, t *testing.T, req *crmv1.ListPlanValuesRequest) (out []string) {
	t.Helper()
	req.Name, req.PageSize = "sales", 2
	for {
		page, err := b.server.ListPlanValues(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.GetValues() {
			out = append(out, time.Month(v.GetPeriodStart().GetMonth()).String()[:3]+" "+v.GetAmount())
		}
		if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
			return out
		}
	}
}

func counts(r *crmv1.ImportPlanResponse) [4]int64 {
	return [4]int64{r.GetVersion(), r.GetChanged(), r.GetUnchanged(), r.GetRejected()}
}

// Every version of every figure can be read, by number and by time.
func TestVersions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := uuid.NewString()
	first, err := b.load(t, &crmv1.PlanImportHeader{Title: "Sales", Note: "first", ImportId: id}, turnover(1, "100"), turnover(2, "200.50"), turnover(3, "300"))
	if err != nil || counts(first) != [4]int64{1, 3, 0, 0} {
		t.Fatalf("%v, %v", first, err)
	}
	again, err := b.load(t, &crmv1.PlanImportHeader{ImportId: id}, turnover(1, "100"))
	if err != nil || !proto.Equal(again, first) {
		t.Errorf("the import again: %v, %v", again, err)
	}
	same, err := b.load(t, &crmv1.PlanImportHeader{ImportId: uuid.NewString()}, turnover(1, "100.00"), turnover(2, "200.5"))
	if err != nil || counts(same) != [4]int64{0, 0, 2, 0} {
		t.Errorf("the same figures: %v, %v", same, err)
	}
	trial, err := b.load(t, &crmv1.PlanImportHeader{ValidateOnly: true}, turnover(4, "1"))
	if err != nil || counts(trial) != [4]int64{0, 1, 0, 0} {
		t.Errorf("a trial: %v, %v", trial, err)
	}
	between := timestamppb.Now()
	second, err := b.load(t, &crmv1.PlanImportHeader{Note: "second"}, turnover(2, "250"), turnover(3, "", withdrawn), turnover(9, "", withdrawn), turnover(4, "400"))
	if err != nil || counts(second) != [4]int64{2, 3, 1, 0} {
		t.Fatalf("%v, %v", second, err)
	}
	for what, c := range map[string]struct {
		req  *crmv1.ListPlanValuesRequest
		want []string
	}{
		"now":        {&crmv1.ListPlanValuesRequest{}, []string{"Jan 100", "Feb 250", "Apr 400"}},
		"the first":  {&crmv1.ListPlanValuesRequest{Version: 1}, []string{"Jan 100", "Feb 200.5", "Mar 300"}},
		"then":       {&crmv1.ListPlanValuesRequest{AsOf: between}, []string{"Jan 100", "Feb 200.5", "Mar 300"}},
		"before all": {&crmv1.ListPlanValuesRequest{AsOf: timestamppb.New(time.Unix(0, 0))}, nil},
		"filtered":   {&crmv1.ListPlanValuesRequest{Filter: `unit_kind = branch AND unit_id = 1 AND amount > 200`}, []string{"Feb 250", "Apr 400"}},
	} {
		if got := b.figures(t.Context(), t, c.req); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", what, got, c.want)
		}
	}
	versions, err := b.server.ListPlanVersions(t.Context(), &crmv1.ListPlanVersionsRequest{Name: "sales", PageSize: 1})
	if err != nil || len(versions.GetVersions()) != 1 || versions.GetVersions()[0].GetNote() != "second" || versions.GetVersions()[0].GetValues() != 3 {
		t.Errorf("%v, %v", versions, err)
	}
	found, err := b.server.GetPlan(t.Context(), &crmv1.GetPlanRequest{Name: "sales"})
	if err != nil || found.GetPlan().GetVersion() != 2 || found.GetPlan().GetTitle() != "Sales" {
		t.Errorf("%v, %v", found, err)
	}
	counted, err := b.server.ListPlanVersions(t.Context(), &crmv1.ListPlanVersionsRequest{
		Name: "sales", PageSize: 1, OrderBy: "version", Filter: "version >= 1", Count: crmv1.CountMode_COUNT_MODE_EXACT,
	})
	if err != nil || len(counted.GetVersions()) != 1 || counted.GetVersions()[0].GetVersion() != 1 || counted.GetCount().GetValue() < 2 {
		t.Errorf("the first version: %v, %v", counted, err)
	}
	if none, err := b.server.ListPlans(t.Context(), &crmv1.ListPlansRequest{Filter: `name = "s*" AND version > 1000`, OrderBy: "update_time desc"}); err != nil || len(none.GetPlans()) != 0 {
		t.Errorf("plans with a thousand versions: %v, %v", none, err)
	}
	if _, err := b.server.ListPlans(t.Context(), &crmv1.ListPlansRequest{Filter: `nam = "s"`}); err == nil || !strings.Contains(err.Error(), `did you mean "name"`) {
		t.Errorf("an unknown field: %v", err)
	}
	if page, err := b.server.ListPlans(t.Context(), &crmv1.ListPlansRequest{}); err != nil || len(page.GetPlans()) != 1 {
		t.Errorf("%v, %v", page, err)
	}
	_, err = b.server.ListPlanValues(t.Context(), &crmv1.ListPlanValuesRequest{Name: "sales", Version: 3})
	_, unknown := b.server.GetPlan(t.Context(), &crmv1.GetPlanRequest{Name: "nothing"})
	if status.Code(err) != codes.NotFound || status.Code(unknown) != codes.NotFound {
		t.Errorf("%v, %v", err, unknown)
	}
	b.checkEvents(t)
}

// checkEvents replays what was sent, and audited.
func (b *bundle) checkEvents(t *testing.T) {
	t.Helper()
	rows, err := b.pool.Query(t.Context(), `SELECT payload, o.version, e.version FROM outbox o
JOIN audit_entry e ON e.entity = 'plan' AND e.entity_id = o.entity_id AND e.version = o.version WHERE o.entity = 'plan' ORDER BY o.version`)
	if err != nil {
		t.Fatal(err)
	}
	var bundles []*eventsv1.PlanBundle
	for rows.Next() {
		var raw []byte
		var version, audited int64
		var change eventsv1.Change
		if err := errors.Join(rows.Scan(&raw, &version, &audited), proto.Unmarshal(raw, &change)); err != nil {
			t.Fatal(err)
		}
		bundles = append(bundles, change.GetPlan())
	}
	if len(bundles) != 2 || len(bundles[0].GetValues()) != 3 || bundles[1].GetPlanVersion() != 2 || len(bundles[1].GetValues()) != 3 {
		t.Fatalf("%v", bundles)
	}
	want := &eventsv1.PlanValueState{
		UnitKind: "branch", UnitId: 1, Indicator: "turnover", Period: "month", PeriodStart: "2026-03-01", Amount: "0", Currency: "CZK", Withdrawn: true,
	}
	if got := bundles[1].GetValues()[1]; !proto.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// What is wrong is told by line and field; the rest goes in.
func TestRejections(t *testing.T) {
	t.Parallel()
	b := setup(t)
	unknown := &crmv1.PlanUnit{Unit: &crmv1.PlanUnit_BranchKey{BranchKey: &crmv1.ExternalKey{Source: "demo", ExternalId: "x"}}}
	answer, err := b.load(t, &crmv1.PlanImportHeader{},
		turnover(1, "100"),
		turnover(2, ""),
		turnover(3, "1e6"),
		turnover(4, "400", to(unknown)),
		turnover(5, "500", func(v *crmv1.PlanValue) { v.PeriodStart.Day = 2 }),
		turnover(6, "600", func(v *crmv1.PlanValue) { v.Currency = "XXZ" }),
		turnover(1, "101"),
		turnover(1, "100"),
		turnover(7, "700", func(v *crmv1.PlanValue) { v.Period = crmv1.PlanPeriod_PLAN_PERIOD_YEAR }),
		turnover(8, "800", to(nil)),
		turnover(10, "1000", func(v *crmv1.PlanValue) { v.Period = crmv1.PlanPeriod_PLAN_PERIOD_QUARTER }),
	)
	if err != nil || counts(answer) != [4]int64{1, 2, 1, 8} {
		t.Fatalf("%v, %v", answer, err)
	}
	want := map[int64]string{
		3: "amount", 4: "amount", 5: "unit.branch_key", 6: "period_start", 7: "currency", 8: "indicator", 10: "period_start", 11: "unit",
	}
	for _, r := range answer.GetRejections() {
		field := ""
		for _, detail := range status.FromProto(r.GetError()).Details() {
			if bad, ok := detail.(*errdetails.BadRequest); ok {
				field = bad.GetFieldViolations()[0].GetField()
			}
		}
		if field != want[r.GetLine()] {
			t.Errorf("line %d: %s, want %s: %v", r.GetLine(), field, want[r.GetLine()], r.GetError())
		}
	}
	if got := b.figures(t.Context(), t, &crmv1.ListPlanValuesRequest{}); !slices.Equal(got, []string{"Jan 100", "Oct 1000"}) {
		t.Errorf("%v", got)
	}
}

// A stream that breaks leaves nothing; one without a header is refused.
func TestBrokenStreams(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := b.client.ImportPlan(ctx)
	if err != nil {
		t.Fatal(err)
	}
	row := &crmv1.PlanImportRow{Line: 2, Value: turnover(1, "1")}
	if err := stream.Send(&crmv1.ImportPlanRequest{Header: &crmv1.PlanImportHeader{Name: "sales"}, Rows: []*crmv1.PlanImportRow{row}}); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := stream.CloseAndRecv(); status.Code(err) != codes.Canceled {
		t.Errorf("%v", err)
	}
	for _, first := range []*crmv1.ImportPlanRequest{nil, {Rows: []*crmv1.PlanImportRow{row}}} {
		stream, err := b.client.ImportPlan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if first != nil {
			if err := stream.Send(first); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := stream.CloseAndRecv(); err == nil || status.Code(err) == codes.Internal {
			t.Errorf("no header: %v", err)
		}
	}
	testkit.Eventually(t, testkit.Patience, func() error {
		var rows int
		if err := b.pool.QueryRow(t.Context(), "SELECT count(*) FROM plan_value").Scan(&rows); err != nil {
			return err
		}
		if rows != 0 {
			return errors.New("something is left")
		}
		return nil
	})
}

// Figures of customers are for those who see the customers.
func TestSight(t *testing.T) {
	t.Parallel()
	b := setup(t)
	of := func(id int64) func(*crmv1.PlanValue) {
		return to(&crmv1.PlanUnit{Unit: &crmv1.PlanUnit_CustomerId{CustomerId: id}})
	}
	if answer, err := b.load(t, &crmv1.PlanImportHeader{}, turnover(1, "1"), turnover(2, "2", of(1)), turnover(3, "3", of(2)), turnover(4, "4", of(3))); err != nil ||
		counts(answer) != [4]int64{1, 3, 0, 1} {
		t.Fatalf("%v, %v", answer, err)
	}
	ctx := sight.With(t.Context(), &sight.Sight{Rows: sight.Rows{BranchIDs: []int64{1}}})
	if got := b.figures(ctx, t, &crmv1.ListPlanValuesRequest{}); !slices.Equal(got, []string{"Jan 1", "Feb 2"}) {
		t.Errorf("%v", got)
	}
}
