package app_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/auth"
	"tandem.bank/pkg/natsx"
	"tandem.bank/pkg/testkit"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/app"
)

// freeAddress is one that nobody listens on at the moment.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// get returns status and body of a page, 0 when nobody answers.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func await(t *testing.T, url string, code int, text string) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, func() error {
		if got, body := get(t, url); got != code || !strings.Contains(body, text) {
			return &net.AddrError{Err: body, Addr: url}
		}
		return nil
	})
}

// The whole service: not ready without tables, ready with them, a run over gRPC, its metrics, and a clean end.
func TestServe(t *testing.T) {
	t.Parallel()
	js := testkit.NATSConn(t)
	callers := testkit.NewIdentity(t)
	config := &app.Config{
		Auth:     trusting(callers.KeysFile),
		GRPCAddr: freeAddress(t), HTTPAddr: freeAddress(t), ClickHouseURL: testkit.ClickHouse(t),
		NATSURL: js.ConnectedUrl(), TimeZone: "Europe/Prague", LogLevel: "error",
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- app.Serve(ctx, config, false) }()
	health := "http://" + config.HTTPAddr + "/healthz"
	await(t, health, http.StatusServiceUnavailable, "migrations: migrations are not applied")
	if err := app.Migrate(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	await(t, health, http.StatusOK, "nats: ok")

	conn, err := grpc.NewClient(config.GRPCAddr, append(callers.Dial(t), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	ingested, values := analyticsv1.NewIngestServiceClient(conn), analyticsv1.NewRfmServiceClient(conn)
	callCtx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	if _, err := ingested.AwaitIngested(callCtx, &analyticsv1.AwaitIngestedRequest{}, grpc.WaitForReady(true)); err != nil {
		t.Fatal(err)
	}
	for _, c := range changes() {
		data, err := proto.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		// Streams are declared by ingestion when it begins to follow.
		testkit.Eventually(t, testkit.Patience, func() error {
			_, err := js.RequestWithContext(callCtx, natsx.ChangeSubject(c.GetEntity(), false), data)
			return err
		})
	}
	if _, err := ingested.AwaitIngested(callCtx, &analyticsv1.AwaitIngestedRequest{StreamSequence: 2, Followed: true}); err != nil {
		t.Fatal(err)
	}
	run, err := values.RunRfm(callCtx, &analyticsv1.RunRfmRequest{AsOf: &date.Date{Year: 2024, Month: 6, Day: 30}})
	if err != nil || run.GetRun().GetCustomers() != 1 || run.GetRun().GetMonetary().GetCurrencyCode() != "CZK" || run.GetRun().GetNewestEventTime() == nil {
		t.Fatalf("run %v, %v", run, err)
	}
	state, err := ingested.GetIngestStatus(callCtx, &analyticsv1.GetIngestStatusRequest{})
	if err != nil || state.GetStreamSequence() != 2 || rowsOf(state, "transaction") != 1 {
		t.Fatalf("status %v, %v", state, err)
	}
	if _, err := values.RunRfm(callCtx, &analyticsv1.RunRfmRequest{}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("a request against the proto's rules gave %v", err)
	}
	if _, err := values.ListRfmScores(callers.As(t, callCtx, "jana", auth.RoleFrontOffice), &analyticsv1.ListRfmScoresRequest{}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("the front office got %v", err)
	}
	if _, err := values.ListRfmScores(testkit.WithToken(callCtx, "x"), &analyticsv1.ListRfmScoresRequest{}); status.Code(err) != codes.Unauthenticated {
		t.Errorf("a call without a good token gave %v", err)
	}
	_, metrics := get(t, "http://"+config.HTTPAddr+"/metrics")
	for _, want := range []string{
		`tandem_ingest_rows_total{table="transaction"} 1`, "tandem_ingest_pending_messages 0", "tandem_ingest_following 1",
		"tandem_ingest_newest_change_age_seconds",
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
	// A run that ends while the service looks for those left behind may be sent twice; NATS keeps one.
	if !regexp.MustCompile(`tandem_insight_bundles_total\{kind="rfm"\} [12]\n`).MatchString(metrics) {
		t.Error("metrics lack the bundle of RFM")
	}
	stop()
	if err := <-done; err != nil {
		t.Fatalf("Serve: %v", err)
	}
}

// changes are an account's owner and one payment.
func changes() []*eventsv1.Change {
	now := timestamppb.Now()
	return []*eventsv1.Change{
		{Entity: "account_holder", EntityId: 1, Version: 1, ChangeTime: now, Payload: &eventsv1.Change_AccountHolder{
			AccountHolder: &eventsv1.AccountHolderState{AccountId: 1, CustomerId: 1, Role: "owner"},
		}},
		{Entity: "transaction_bundle", EntityId: 1, Version: 1, ChangeTime: now, Payload: &eventsv1.Change_TransactionBundle{
			TransactionBundle: &eventsv1.TransactionBundle{BaseCurrency: "CZK", Transactions: []*eventsv1.TransactionState{{
				TransactionId: 1, Version: 1, AccountId: 1, BusinessDate: "2024-06-30", Direction: "debit", Kind: "card_payment",
				Amount: &eventsv1.Amount{Currency: "CZK", Value: "12.30"}, BaseValue: "12.30", State: "posted",
			}}},
		}},
	}
}

// trusting believes the keys of a file.
func trusting(keysFile string) auth.Settings {
	return auth.Settings{
		KeysFile: keysFile, KeysIssuer: auth.LocalIssuer, Audience: auth.DefaultAudience, RolesClaim: "roles",
		TLS: auth.TLSSettings{ClientAuth: auth.ClientAuthRequire},
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(secret, []byte("p@ss/word\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config := app.Config{ClickHouseURL: "clickhouse://tandem@db:9000/tandem", ClickHousePasswordFile: secret, NATSURL: "nats://n", TimeZone: "Europe/Prague", Auth: trusting(testkit.NewIdentity(t).KeysFile)}
	if err := config.Check(); err != nil {
		t.Fatal(err)
	}
	if got, err := config.WarehouseURL(); err != nil || got != "clickhouse://tandem:p%40ss%2Fword@db:9000/tandem" {
		t.Fatalf("%s, %v", got, err)
	}
	for name, broken := range map[string]app.Config{
		"ANALYTICS_CLICKHOUSE_URL":           {ClickHouseURL: "http://db/tandem"},
		"ANALYTICS_NATS_URL":                 {ClickHouseURL: "clickhouse://db/tandem"},
		"ANALYTICS_TIME_ZONE":                {TimeZone: "Mars/Olympus"},
		"ANALYTICS_REPORTS_KEEP":             {ReportsKeep: -1},
		"ANALYTICS_CLICKHOUSE_PASSWORD_FILE": {ClickHousePasswordFile: secret + "?"},
		"ANALYTICS_AUTH_KEYS_FILE":           {},
		"ANALYTICS_OIDC_ISSUER":              {Auth: auth.Settings{OIDCIssuer: "http://login.example.com"}},
		"ANALYTICS_AUDIENCE":                 {},
		"ANALYTICS_TLS_KEY_FILE":             {Auth: auth.Settings{TLS: auth.TLSSettings{CertFile: "cert.pem"}}},
		"must name a database":               {ClickHouseURL: "clickhouse://db:9000"},
	} {
		if err := broken.Check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
}

func rowsOf(state *analyticsv1.GetIngestStatusResponse, table string) uint64 {
	for _, t := range state.GetTables() {
		if t.GetTable() == table {
			return t.GetRows()
		}
	}
	return 0
}
