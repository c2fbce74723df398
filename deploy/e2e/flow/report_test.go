package flow

import (
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"tandem.bank/pkg/auth"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// turnovers is a report that an analyst saves, for marketers to read.
const turnovers = `name: turnovers
title: Turnover by kind
reader_roles: [marketer]
schedule: {cron: "@monthly"}
spec:
  report:
    title: Turnover by kind
    query:
      measures: [turnover, transactions]
      dimensions: [transaction_kind]
      period: {days: {from: {year: 2026, month: 1, day: 1}, to: {year: 2026, month: 5, day: 31}}}
      subtotals: SUBTOTALS_TOTAL
    format: REPORT_FORMAT_CSV
`

var exportName = regexp.MustCompile(`export ([0-9a-f-]{36})`)

// reports follows a saved report: by its name, by its schedule, to its file, for those whom it is shared with and nobody else.
func (b *bank) reports(t *testing.T) {
	t.Helper()
	wrong := b.failed(t, "definition", "apply", b.file(t, "turnovers.yaml", turnovers, "transaction_kind", "transaction_kin"))
	if !strings.Contains(wrong, "dimensions[0]") || !strings.Contains(wrong, "transaction_kind") {
		t.Errorf("a report of a dimension that is none:\n%s", wrong)
	}
	if out := b.tandem(t, 0, "definition", "apply", b.file(t, "turnovers.yaml", turnovers)); out != "turnovers created, version 1\n" {
		t.Errorf("apply: %s", out)
	}
	b.tandem(t, 0, "wait")
	var want string
	const question = "SELECT toString(sum(base_value)) FROM transaction FINAL WHERE state = 'posted' AND business_date BETWEEN '2026-01-01' AND '2026-05-31'"
	if err := b.warehouse(t).QueryRow(t.Context(), question).Scan(&want); err != nil || want == "0" {
		t.Fatal(want, err)
	}
	if out := b.tandem(t, 0, "report", "run", "turnovers", "--as-of", "2026-05-31", "--csv"); !totals(t, out, want) {
		t.Errorf("the report lacks %s:\n%s", want, out)
	}
	out := b.tandem(t, 0, "schedule", "run", "turnovers", "--as-of", "2026-05-31")
	found := exportName.FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("the schedule tells of no file:\n%s", out)
	}
	marketer, manager := b.exports(t, auth.RoleMarketer), b.exports(t, auth.RoleManager)
	if file, err := download(t, marketer.exports, found[1]); err != nil || !totals(t, file, want) {
		t.Errorf("the file lacks %s: %v\n%s", want, err, file)
	}
	if _, err := download(t, manager.exports, found[1]); status.Code(err) != codes.NotFound && status.Code(err) != codes.PermissionDenied {
		t.Errorf("a manager, with whom it is not shared, got the file: %v", err)
	}
	if err := marketer.run(t); err != nil {
		t.Errorf("a marketer: %v", err)
	}
	if code := status.Code(manager.run(t)); code != codes.NotFound && code != codes.PermissionDenied {
		t.Errorf("a manager, with whom it is not shared, ran it: %s", code)
	}
	file := filepath.Join(b.work, "turnovers.csv")
	b.tandem(t, 0, "report", "export", "turnovers", "--as-of", "2026-05-31", "--format", "csv", "-o", file)
	if text, err := os.ReadFile(file); err != nil || !totals(t, string(text), want) {
		t.Errorf("the export lacks %s: %v\n%s", want, err, text)
	}
}

// comparesPlan compares the plan that was brought in with what came of it.
func (b *bank) comparesPlan(t *testing.T) {
	t.Helper()
	out := b.tandem(t, 0, "report", "plan", "sales_2026", "--indicator", "turnover", "--volume", "transactions",
		"--from", "2026-05-01", "--to", "2026-05-31", "--csv")
	var actual string
	const question = "SELECT toString(sum(base_value)) FROM transaction FINAL WHERE state = 'posted' AND business_date BETWEEN '2026-05-01' AND '2026-05-31'"
	if err := b.warehouse(t).QueryRow(t.Context(), question).Scan(&actual); err != nil {
		t.Fatal(err)
	}
	if !totals(t, out, actual) || !totals(t, out, "1000000") {
		t.Errorf("plan 1000000 and actual %s are not in\n%s", actual, out)
	}
}

// totals reports whether a field of some row of a CSV is the amount, whatever zeros it ends with.
func totals(t *testing.T, text, amount string) bool {
	t.Helper()
	reader := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	reader.FieldsPerRecord = -1
	rows, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	trim := func(number string) string {
		if strings.Contains(number, ".") {
			number = strings.TrimRight(strings.TrimRight(number, "0"), ".")
		}
		return number
	}
	for _, row := range rows {
		for _, field := range row {
			if trim(field) == trim(amount) {
				return true
			}
		}
	}
	return false
}

// reader asks analytics in a role.
type reader struct {
	reports analyticsv1.ReportServiceClient
	exports analyticsv1.ExportServiceClient
}

func (b *bank) exports(t *testing.T, role string) reader {
	t.Helper()
	addresses := map[string]string{}
	for _, line := range b.Addresses() {
		name, value, _ := strings.Cut(line, "=")
		addresses[name] = value
	}
	key, err := auth.ReadPrivateKey(addresses["TANDEM_KEY_FILE"])
	if err != nil {
		t.Fatal(err)
	}
	signer, err := auth.NewSigner(auth.SignerConfig{
		Key: key, Issuer: auth.LocalIssuer, Subject: role, Audience: auth.DefaultAudience, Roles: []string{role}, Lifetime: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient(addresses["TANDEM_ANALYTICS_ADDR"], grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithPerRPCCredentials(auth.Credentials(signer, true)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return reader{analyticsv1.NewReportServiceClient(conn), analyticsv1.NewExportServiceClient(conn)}
}

func (r reader) run(t *testing.T) error {
	t.Helper()
	stream, err := r.reports.RunReport(t.Context(), &analyticsv1.RunReportRequest{
		Report: &analyticsv1.RunReportRequest_Name{Name: "turnovers"}, AsOf: &date.Date{Year: 2026, Month: 5, Day: 31},
	})
	for err == nil {
		_, err = stream.Recv()
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func download(t *testing.T, from analyticsv1.ExportServiceClient, id string) (string, error) {
	t.Helper()
	stream, err := from.DownloadExport(t.Context(), &analyticsv1.DownloadExportRequest{Id: id})
	var file strings.Builder
	for err == nil {
		var part *analyticsv1.DownloadExportResponse
		if part, err = stream.Recv(); err == nil {
			file.Write(part.GetData())
		}
	}
	if errors.Is(err, io.EOF) {
		return file.String(), nil
	}
	return "", err
}
