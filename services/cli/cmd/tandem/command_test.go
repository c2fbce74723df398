package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	moneypb "google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/grpc"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/auth"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// tandem runs a command line and returns its exit code and what it printed.
func tandem(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), args, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func TestVersion(t *testing.T) {
	t.Parallel()
	if code, out, _ := tandem(t, "version"); code != 0 || !strings.HasPrefix(out, "tandem dev, commit ") {
		t.Errorf("%d %q", code, out)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		code int
		errs string
	}{
		{[]string{"--help"}, 0, ""},
		{[]string{"nonsense"}, exitUsage, "unexpected argument nonsense"},
		{[]string{"import", "x.csv"}, exitUsage, "missing flags: --mapping"},
		{[]string{"run", "rfm", "--as-of", "31.12.1998"}, exitUsage, `"31.12.1998" is not a date such as 1997-12-31`},
		{[]string{"customer", "360", "x"}, exitUsage, `"x" is neither a customer number nor source/external-id`},
		{[]string{"dlq", "replay"}, exitFailure, "name the sequences to replay, or use --all"},
		{[]string{"check", "mapping", "nobody.yaml"}, exitFailure, `mapping "nobody.yaml" is neither a file nor one of the built-in berka`},
		{[]string{"import", "-m", "berka", "--offline", "--dry-run", "x"}, exitFailure, "--dry-run and --offline exclude each other"},
		{[]string{"import", "-m", "berka", "--offline", "nobody.asc"}, exitFailure, "nobody.asc: there is no such file or folder"},
		{[]string{"--analytics-addr", "127.0.0.1:1", "rfm", "show"}, exitFailure, "tandem: the service does not answer: dial tcp 127.0.0.1:1"},
	} {
		code, _, errs := tandem(t, test.args...)
		if code != test.code || !strings.Contains(errs, test.errs) {
			t.Errorf("%v: %d %q", test.args, code, errs)
		}
	}
}

func TestCheckMapping(t *testing.T) {
	t.Parallel()
	code, out, _ := tandem(t, "check", "mapping", "berka")
	if code != 0 || !strings.HasPrefix(out, "berka is in order.") || !strings.Contains(out, "  client.asc → customer\n") {
		t.Errorf("%d %q", code, out)
	}
	file := filepath.Join(t.TempDir(), "m.yaml")
	if err := os.WriteFile(file, []byte("mapping: x\nfile: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errs := tandem(t, "check", "mapping", file)
	if code != exitFailure || !strings.Contains(errs, `m.yaml:2:1: the mapping has no key "file"; did you mean "files"?`) {
		t.Errorf("%d %q", code, errs)
	}
}

func TestImportOffline(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(content string) {
		if err := os.WriteFile(filepath.Join(dir, "client.asc"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"import", "-m", "berka", "--offline", "--errors-dir", filepath.Join(dir, "errors"), filepath.Join(dir, "client.asc")}
	write("\"client_id\";\"birth_number\";\"district_id\"\r\n1;\"706213\";18\r\n")
	code, out, errs := tandem(t, args...)
	if code != 0 || !strings.Contains(errs, "client.asc, customer: 1 rows") ||
		!strings.Contains(out, "  customer     1      1         0  client.asc\n") || !strings.Contains(out, "1 references lead to records outside these files") {
		t.Errorf("%d\n%s\n%s", code, out, errs)
	}
	write("\"client_id\";\"birth_number\";\"district_id\"\r\n1;\"706213\";18\r\n2;\"709913\";18\r\n")
	code, out, errs = tandem(t, args...)
	if code != exitRejected || !strings.Contains(out, "client.asc.errors.csv") || !strings.Contains(errs, "tandem: 1 rows were rejected") {
		t.Errorf("%d\n%s\n%s", code, out, errs)
	}
	code, out, _ = tandem(t, append([]string{"--json"}, args...)...)
	if code != exitRejected || !strings.Contains(out, `"rejected": 1`) {
		t.Errorf("%d\n%s", code, out)
	}
}

// halves is a server of both halves that answers with what a test expects to see printed.
type halves struct {
	analyticsv1.UnimplementedRfmServiceServer
	analyticsv1.UnimplementedIngestServiceServer
	crmv1.UnimplementedChangeStreamServiceServer
	crmv1.UnimplementedCustomerServiceServer
	crmv1.UnimplementedCustomer360ServiceServer
	crmv1.UnimplementedSearchServiceServer
	crmv1.UnimplementedTimelineServiceServer
	crmv1.UnimplementedDocumentServiceServer
	crmv1.UnimplementedAuditServiceServer
	crmv1.UnimplementedAccessServiceServer
	analyticsv1.UnimplementedAuditCopyServiceServer
	customers int
	// ingested says that somebody waited for ClickHouse.
	ingested atomic.Bool
}

func (h *halves) GetRfmRun(context.Context, *analyticsv1.GetRfmRunRequest) (*analyticsv1.GetRfmRunResponse, error) {
	return &analyticsv1.GetRfmRunResponse{Run: &analyticsv1.RfmRun{RunId: "newest"}}, nil
}

// RunRfm repeats what was asked for.
func (h *halves) RunRfm(_ context.Context, r *analyticsv1.RunRfmRequest) (*analyticsv1.RunRfmResponse, error) {
	return &analyticsv1.RunRfmResponse{Run: &analyticsv1.RfmRun{
		RunId: "new", AsOf: r.GetAsOf(), WindowDays: r.GetWindowDays(), TransactionKinds: r.GetTransactionKinds(),
	}}, nil
}

// ListRfmScores gives pages of two, and only of the run that was newest at the beginning.
func (h *halves) ListRfmScores(_ context.Context, r *analyticsv1.ListRfmScoresRequest) (*analyticsv1.ListRfmScoresResponse, error) {
	if r.GetRunId() != "newest" {
		return nil, apperr.NotFound("no run %q", r.GetRunId())
	}
	from := 0
	if r.GetPageToken() != "" {
		from, _ = strconv.Atoi(r.GetPageToken())
	}
	page := &analyticsv1.ListRfmScoresResponse{RunId: r.GetRunId()}
	for i := from; i < min(from+2, h.customers); i++ {
		page.Scores = append(page.Scores, &analyticsv1.RfmScore{
			CustomerId: int64(i + 1), RecencyDays: 3, Frequency: 4, Monetary: &moneypb.Money{CurrencyCode: "CZK", Units: 10, Nanos: 500000000}, Cell: 545,
		})
	}
	if from+2 < h.customers {
		page.NextPageToken = strconv.Itoa(from + 2)
	}
	return page, nil
}

func (h *halves) ListCustomers(_ context.Context, r *crmv1.ListCustomersRequest) (*crmv1.ListCustomersResponse, error) {
	from := 0
	if r.GetPageToken() != "" {
		from, _ = strconv.Atoi(r.GetPageToken())
	}
	page := &crmv1.ListCustomersResponse{Customers: []*crmv1.Customer{
		{CustomerId: int64(from + 1), Key: &crmv1.ExternalKey{Source: "bank", ExternalId: fmt.Sprintf("c%d", from+1)}},
	}}
	if from+1 < h.customers {
		page.NextPageToken = strconv.Itoa(from + 1)
	}
	if r.GetCount() == crmv1.CountMode_COUNT_MODE_ESTIMATED && r.GetOrderBy() == "customer_id" {
		page.Count = &crmv1.Count{Value: int64(h.customers), Estimated: true}
	}
	return page, nil
}

func (h *halves) GetCustomer360(_ context.Context, r *crmv1.GetCustomer360Request) (*crmv1.GetCustomer360Response, error) {
	if r.GetKey().GetExternalId() == "nobody" {
		return nil, apperr.NotFound("customer bank/nobody does not exist")
	}
	if r.GetKey().GetSource() == "BANK" {
		return nil, apperr.Invalid(apperr.Violation{Field: "key.source", Description: "must be lower case"}, apperr.Violation{Field: "x", Description: "y"})
	}
	answer := &crmv1.GetCustomer360Response{Customer: &crmv1.Customer{CustomerId: r.GetCustomerId(), Key: r.GetKey()}}
	if r.GetAsOf() != nil { // what was asked for comes back
		answer.AsOf, answer.HistoryStartTime, answer.NotInHistory = r.GetAsOf(), r.GetAsOf(), []string{"accounts.held_amount"}
		answer.Customer.Phone = strings.Join(r.GetReadMask().GetPaths(), " ")
	}
	return answer, nil
}

// SearchCustomers repeats the query, after a first page that ended early.
func (h *halves) SearchCustomers(_ context.Context, r *crmv1.SearchCustomersRequest) (*crmv1.SearchCustomersResponse, error) {
	if r.GetQuery() == "nobody" {
		return &crmv1.SearchCustomersResponse{}, nil
	}
	if r.GetPageToken() == "" {
		return &crmv1.SearchCustomersResponse{NextPageToken: "on"}, nil
	}
	return &crmv1.SearchCustomersResponse{Hits: []*crmv1.SearchHit{{
		Customer: &crmv1.Customer{CustomerId: 7, Party: &crmv1.Customer_Individual{Individual: &crmv1.Individual{GivenName: "Eva", FamilyName: r.GetQuery()}}},
		Level:    crmv1.MatchLevel_MATCH_LEVEL_EXACT, Matches: []*crmv1.FieldMatch{{Field: "individual.family_name", Snippet: r.GetQuery()}},
	}}}, nil
}

func (h *halves) AwaitPublished(context.Context, *crmv1.AwaitPublishedRequest) (*crmv1.AwaitPublishedResponse, error) {
	return &crmv1.AwaitPublishedResponse{StreamSequence: 77}, nil
}

func (h *halves) AwaitIngested(ctx context.Context, r *analyticsv1.AwaitIngestedRequest) (*analyticsv1.AwaitIngestedResponse, error) {
	ingested := h.ingested.Swap(true)
	if r.GetStreamSequence() != 77 || r.GetFollowed() != ingested { // first that it is there, then that all has followed
		<-ctx.Done()
	}
	return &analyticsv1.AwaitIngestedResponse{StreamSequence: r.GetStreamSequence()}, nil
}

func (h *halves) GetRelayStatus(context.Context, *crmv1.GetRelayStatusRequest) (*crmv1.GetRelayStatusResponse, error) {
	return &crmv1.GetRelayStatusResponse{Active: true, LagBytes: 1024, PublishedEvents: 5}, nil
}

func (h *halves) GetIngestStatus(context.Context, *analyticsv1.GetIngestStatusRequest) (*analyticsv1.GetIngestStatusResponse, error) {
	return &analyticsv1.GetIngestStatusResponse{
		StreamSequence: 77, DeadLetters: 1, Tables: []*analyticsv1.TableVolume{{Table: "customer", Rows: 5369}, {Table: "transaction", Rows: 83016}},
	}, nil
}

func (h *halves) ListDeadLetters(_ context.Context, r *analyticsv1.ListDeadLettersRequest) (*analyticsv1.ListDeadLettersResponse, error) {
	if r.GetAfterSequence() >= 3 {
		return &analyticsv1.ListDeadLettersResponse{}, nil
	}
	return &analyticsv1.ListDeadLettersResponse{DeadLetters: []*analyticsv1.StoredDeadLetter{
		{Sequence: 3, Subject: "crm.v1.card.upserted", StreamSequence: 70, Reason: strings.Repeat("too long ", 20), ChangeJson: "{}", SizeBytes: 12},
	}}, nil
}

func (h *halves) ReplayDeadLetters(_ context.Context, r *analyticsv1.ReplayDeadLettersRequest) (*analyticsv1.ReplayDeadLettersResponse, error) {
	return &analyticsv1.ReplayDeadLettersResponse{Applied: int32(len(r.GetSequences())), Failed: 1}, nil
}

// ListTimeline gives an entry a page, and repeats the filter.
func (h *halves) ListTimeline(_ context.Context, r *crmv1.ListTimelineRequest) (*crmv1.ListTimelineResponse, error) {
	page := &crmv1.ListTimelineResponse{CustomerId: 42, NextPageToken: r.GetPageToken() + "x", Entries: []*crmv1.TimelineEntry{
		{Kind: crmv1.TimelineKind_TIMELINE_KIND_DOCUMENT, Title: r.GetFilter(), Entity: "document", EntityId: int64(3 - len(r.GetPageToken())), Source: "crm"},
	}}
	if len(page.GetNextPageToken()) == h.customers {
		page.NextPageToken = ""
	}
	return page, nil
}

func (h *halves) ListDocuments(_ context.Context, r *crmv1.ListDocumentsRequest) (*crmv1.ListDocumentsResponse, error) {
	return &crmv1.ListDocumentsResponse{
		Documents: []*crmv1.Document{{DocumentId: 5, CustomerId: r.GetCustomerId(), Title: r.GetOrderBy(), Language: r.GetFilter()}},
		Count:     &crmv1.Count{Value: 1},
	}, nil
}

func (h *halves) GetDocument(_ context.Context, r *crmv1.GetDocumentRequest) (*crmv1.GetDocumentResponse, error) {
	if r.GetDocumentId() == 0 && r.GetKey().GetExternalId() != "17" {
		return nil, apperr.NotFound("document does not exist")
	}
	return &crmv1.GetDocumentResponse{Document: &crmv1.Document{DocumentId: 5, Title: "Letter", Text: "Dear bank"}}, nil
}

// GetCustomer gives every key the number 7.
func (h *halves) GetCustomer(context.Context, *crmv1.GetCustomerRequest) (*crmv1.GetCustomerResponse, error) {
	return &crmv1.GetCustomerResponse{Customer: &crmv1.Customer{CustomerId: 7}}, nil
}

// serve starts the server on a free port and returns the flags that lead to it.
func (h *halves) serve(t *testing.T) []string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	private, public, err := auth.EnsureKeyPair(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	settings := auth.Settings{KeysFile: public, KeysIssuer: auth.LocalIssuer, Audience: auth.DefaultAudience, RolesClaim: "roles"}
	callers, err := settings.Verifier(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(callers.Unary), grpc.StreamInterceptor(callers.Stream))
	analyticsv1.RegisterRfmServiceServer(server, h)
	analyticsv1.RegisterIngestServiceServer(server, h)
	crmv1.RegisterChangeStreamServiceServer(server, h)
	crmv1.RegisterCustomerServiceServer(server, h)
	crmv1.RegisterCustomer360ServiceServer(server, h)
	crmv1.RegisterSearchServiceServer(server, h)
	crmv1.RegisterTimelineServiceServer(server, h)
	crmv1.RegisterDocumentServiceServer(server, h)
	crmv1.RegisterAuditServiceServer(server, h)
	crmv1.RegisterAccessServiceServer(server, h)
	analyticsv1.RegisterAuditCopyServiceServer(server, h)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	address := listener.Addr().String()
	return []string{"--crm-addr", address, "--analytics-addr", address, "--key-file", private}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	flags := (&halves{customers: 3}).serve(t)
	for _, test := range []struct {
		args string
		code int
		want string
	}{
		{"rfm list --csv --with-keys", 0, "source,external_id,customer_id,recency_days,frequency,monetary,currency,cell,segment\n" +
			"bank,c1,1,3,4,10.5,CZK,545,\nbank,c2,2,3,4,10.5,CZK,545,\nbank,c3,3,3,4,10.5,CZK,545,\n"},
		{"rfm list --csv --limit 1 --order best", 0, "customer_id,recency_days,frequency,monetary,currency,cell,segment\n1,3,4,10.5,CZK,545,\n"},
		{"rfm list --limit 1", 0, "  customer_id  recency_days  frequency  monetary  currency  cell  segment\n            1             3          4      10.5       CZK   545         \n"},
		{"rfm list --run other", exitFailure, "tandem: no run \"other\"\n"},
		{
			"--json run rfm --as-of 1998-12-31 --window-days 90 --kinds card_payment,transfer_in", 0,
			`{"run":{"run_id":"new","as_of":{"year":1998,"month":12,"day":31},"window_days":90,"transaction_kinds":["card_payment","transfer_in"]}}`,
		},
		{"customer 360 bank/nobody", exitFailure, "tandem: customer bank/nobody does not exist\n"},
		{"customer 360 BANK/1", exitFailure, "tandem: the request was refused:\n  key.source: must be lower case\n  x: y\n"},
		{"customer 360 42", 0, "Customer 42  -  (age unknown)\nRFM  none yet\nCLV  none yet\nAccounts: none\nCards: none\nContracts: none\nConsents: none\nRelations: none\nLast interactions: none\n"},
		{
			"customer 360 42 --as-of 1998-12-31T15:04:05Z --part customer.phone --part accounts", 0,
			`{"customer":{"customer_id":"42","phone":"customer.phoneaccounts"},"as_of":"1998-12-31T15:04:05Z",` +
				`"history_start_time":"1998-12-31T15:04:05Z","not_in_history":["accounts.held_amount"]}`,
		},
		{"customer timeline bank/7 --filter subject:x --limit 2", 0, "  time  kind      what       channel  record      source  by\n" +
			"  -     document  subject:x  -        document 3  crm     -\n  -     document  subject:x  -        document 2  crm     -\n"},
		{"--actor eva customer history bank/c7 --limit 1", 0, "entry  time  actor  from        action  record      request  change\n" +
			"9      -     eva    10.0.0.1:5  update  customer 7  r1       {\"phone\":\"\"} → {\"phone\":\"1\"}\n"},
		{
			"document list --customer 42 --filter kind=contract --order-by title --count exact", 0,
			"  document  customer  kind  title  language       bytes  of\n  5         42        -     title  kind=contract  0      -\n1 documents\n",
		},
		{"document show archive/17", 0, "Document 5\n  title Letter\n\nDear bank\n"},
		{"document show archive/18", exitFailure, "tandem: document does not exist\n"},
		{"document show x", exitUsage, "tandem: <document>: \"x\" is neither the id of a document nor source/external-id\n"},
		{"customer list --limit 2 --order-by customer_id --count estimated", 0, "  customer  name  state  branch  manager\n  1         -     -      -       -\n" +
			"  2         -     -      -       -\nabout 3 customers, estimated\n"},
		{"customer search Malá Veselá", 0, "  customer  name             match  found in\n  7         Eva Malá Veselá  exact  individual.family_name: Malá Veselá\n"},
		{"customer search nobody", 0, "nobody found\n"},
		{"status", 0, "relay: active, 1 024 bytes behind, 5 changes published since start, newest change never\n" +
			"ingest: message 77 of the stream, 0 waiting, 1 dead letters, newest change never\n" +
			"    rows  table\n   5 369  customer\n  83 016  transaction\n"},
		{"dlq show 3", 0, "dead letter 3: message 70 of the stream on crm.v1.card.upserted, 12 bytes, put aside -\nreason: " + strings.Repeat("too long ", 20) + "\n{}\n"},
		{"dlq show 4", exitFailure, "tandem: there is no dead letter 4\n"},
		{"--actor eva audit list --customer 7", 0, "entry  time  actor  from        action  record       request  change\n" +
			"9      -     eva    10.0.0.1:5  update  customer 7   r1       {\"phone\":\"\"} → {\"phone\":\"1\"}\n" +
			"8      -     eva    10.0.0.1:5  read    2 customers  r1       \n"},
		{"audit verify", 0, "3 blocks with 6 entries computed again, 2 compared with the copy, 1 not copied yet, " +
			"2 published changes compared with entries, 6 events compared with entries\n"},
		{"--actor cheated audit verify", exitFailure, "version 2 of customer 7 was published, made by adam, 1970-01-01T00:00:01Z, and no entry tells of it\n" +
			"3 blocks with 6 entries computed again, 2 compared with the copy, 1 not copied yet, " +
			"2 published changes compared with entries, 6 events compared with entries\ntandem: the audit is damaged: 1 faults\n"},
		{"audit verify --from 2 --to 3", exitFailure, "block 3 was published and is gone: the chain was cut behind block 2\nentry 4 is not what was sealed\n" +
			"3 blocks with 6 entries computed again, 1 compared with the copy, 0 not copied yet, 6 events compared with entries\ntandem: the audit is damaged: 2 faults\n"},
		{
			"access explain CustomerService/GetCustomer --subject eva --role manager --customer bank/7 --field Customer.phone", 0,
			"allowed: CustomerService/GetCustomer\nrule: manager may look (lines 4, 9)\ncustomers: tree; eva and 7\nmanagers: 3 → 5\n" +
				"field           view    write  class    why\nCustomer.phone  masked  yes    contact  because\n",
		},
		{"access explain CardService/CreateCard", 0, "refused: none of your roles may\ncustomers: -;  and \n"},
		{"access roles", 0, "role     customers  calls  sees             in part  not\nanalyst  all        2      income,balances  birth    -\n"},
		{"access policy", 0, "version: 1\npolicy built in, SHA-256 ab\n"},
		{"dlq list --after 3", 0, "no dead letters\n"},
		{"dlq replay 3 4", exitFailure, "2 applied, 1 failed again\ntandem: 1 dead letters still can't be applied; `tandem dlq list` has the new reasons\n"},
	} {
		t.Run(test.args, func(t *testing.T) {
			t.Parallel()
			code, out, errs := tandem(t, append(append([]string{}, flags...), strings.Fields(test.args)...)...)
			got := out + errs
			if strings.HasPrefix(got, "{") {
				got = strings.Join(strings.Fields(got), "")
			}
			if diff := cmp.Diff(test.want, got); diff != "" || code != test.code {
				t.Errorf("exit code %d: %s", code, diff)
			}
		})
	}
	code, out, _ := tandem(t, append(flags, "wait")...)
	if code != 0 || !strings.HasPrefix(out, "everything up to message 77 of the stream is in ClickHouse, and facts and segments have followed, after ") {
		t.Errorf("%d %q", code, out)
	}
}
