package export

import (
	"bytes"
	"encoding/csv"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"google.golang.org/genproto/googleapis/type/date"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/report"
	"tandem.bank/services/analytics/internal/warehouse"
	"tandem.bank/services/analytics/internal/warehousetest"
	"tandem.bank/services/analytics/migrations"
)

var eva = report.Caller{ID: "eva"}

// newReports is a warehouse with a thousand contacts of ten customers, whose outcomes look like formulas.
func newReports(t *testing.T) *report.Service {
	t.Helper()
	url := warehousetest.Migrated(t)
	conn := warehousetest.Connect(t, url)
	if err := conn.Exec(t.Context(), `INSERT INTO interaction (interaction_id, customer_id, kind, channel, outcome, business_date, duration_seconds, version)
		SELECT number + 1, 1 + number % 10, 'call', ['phone', 'Отделение', '+420'][1 + number % 3], '=HYPERLINK("x")', toDate('2024-01-01') + number % 90, 90, 1
		FROM numbers(1000)`); err != nil {
		t.Fatal(err)
	}
	name, err := warehouse.Database(url)
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := report.Builtin(migrations.BIDatabase(name))
	if err != nil {
		t.Fatal(err)
	}
	service, err := report.New(report.Config{
		Warehouse: conn, Catalogue: catalogue, NewestChange: time.Now, TimeZone: time.UTC, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return service
}

func open(t *testing.T, reports *report.Service, dir string) *Service {
	t.Helper()
	s, err := New(Config{Reports: reports, Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func contacts() *definitionv1.ReportQuery {
	return &definitionv1.ReportQuery{
		Measures: []string{"contacts", "contact_hours"}, Dimensions: []string{"channel", "outcome"}, Grain: definitionv1.TimeGrain_TIME_GRAIN_MONTH,
		AsOf: &date.Date{Year: 2024, Month: 6, Day: 30},
	}
}

// export makes a file and returns its content.
func (s *Service) export(t *testing.T, o Order) (*analyticsv1.ExportOperation, []byte) {
	t.Helper()
	op, err := s.begin(t.Context(), o, eva)
	if err != nil {
		t.Fatal(err)
	}
	done := op.End()
	if done.GetState() != analyticsv1.OperationState_OPERATION_STATE_DONE {
		t.Fatalf("operation %v", done)
	}
	data, err := os.ReadFile(s.operations.DataPath(op))
	if err != nil || int64(len(data)) != done.GetFileBytes() {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
	return done, data
}

// Each format holds the same report; what looks like a formula is none.
func TestFormats(t *testing.T) {
	t.Parallel()
	s := open(t, newReports(t), t.TempDir())
	order := Order{Query: contacts(), Title: "Контакты", File: "contacts", Format: definitionv1.ReportFormat_REPORT_FORMAT_CSV}
	done, data := s.export(t, order)
	if done.GetFileName() != "contacts-2024-06-30.csv" || done.GetRows() != 9 || done.GetProgress() != 1 {
		t.Errorf("operation %v", done)
	}
	records, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil || len(records) != 10 || records[1][1] != "'+420" || records[1][2] != `'=HYPERLINK("x")` {
		t.Fatalf("%v, %v", records, err)
	}

	order.Query, order.Format = contacts(), definitionv1.ReportFormat_REPORT_FORMAT_XLSX
	_, data = s.export(t, order)
	book, err := excelize.OpenReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = book.Close() }()
	rows, err := book.GetRows(sheet)
	if err != nil || len(rows) != headRows+12 || rows[0][0] != "Контакты" || rows[3][2] != `=HYPERLINK("x")` || rows[6][1] != wordTotal {
		t.Fatalf("%d rows %v, %v", len(rows), rows, err)
	}
	if kind, err := book.GetCellType(sheet, "D4"); err != nil || kind != excelize.CellTypeUnset {
		t.Errorf("a number is of the type %v, %v", kind, err)
	}
	if formula, err := book.GetCellFormula(sheet, "C4"); err != nil || formula != "" {
		t.Errorf("formula %q, %v", formula, err)
	}
	if panes, err := book.GetPanes(sheet); err != nil || !panes.Freeze || panes.YSplit != headRows {
		t.Errorf("panes %v, %v", panes, err)
	}

	order.Query, order.Format = contacts(), definitionv1.ReportFormat_REPORT_FORMAT_PDF
	for _, kind := range []definitionv1.ChartKind{1, 2, 3} {
		order.Chart = &definitionv1.ReportChart{Kind: kind, Category: "month"}
		if _, data = s.export(t, order); !bytes.HasPrefix(data, []byte("%PDF-")) || !bytes.Contains(data, []byte("/Image")) {
			t.Error("no PDF with a picture")
		}
	}
	if file := os.Getenv("KEEP_PDF"); file != "" {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A schedule makes the file of a saved report, which says its format.
func TestRunDefinition(t *testing.T) {
	t.Parallel()
	s := open(t, newReports(t), t.TempDir())
	spec := &definitionv1.ReportDefinition{Title: "Contacts", Query: contacts()}
	d := &definition.Definition{Name: "contacts", Spec: &definitionv1.Spec{Kind: &definitionv1.Spec_Report{Report: spec}}}
	asOf := time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)
	if _, err := s.RunDefinition(t.Context(), d, asOf); err == nil {
		t.Error("a file without a format")
	}
	spec.Format = definitionv1.ReportFormat_REPORT_FORMAT_CSV
	result, err := s.RunDefinition(t.Context(), d, asOf)
	if err != nil || !strings.HasPrefix(result, "export ") {
		t.Fatalf("%q, %v", result, err)
	}
	if list := s.operations.List(scheduledPrefix + "contacts"); len(list) != 1 || list[0].GetFileName() != "contacts-2024-02-29.csv" {
		t.Errorf("operations %v", list)
	} else if kept := list[0].GetExpireTime().AsTime().Sub(list[0].GetCreateTime().AsTime()); kept < 31*24*time.Hour {
		t.Errorf("the file of a month is kept for %s", kept)
	}
}

// A text that a spreadsheet could run gets an apostrophe; numbers stay numbers.
func TestHarmless(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"=1+1": "'=1+1", "+1": "'+1", "-a": "'-a", "@x": "'@x", "\tx": "'\tx", "＝1": "'＝1", "Praha": "Praha", "": ""} {
		if got := harmless(text); got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
	var out bytes.Buffer
	c := newCSV(&out)
	row := &analyticsv1.ReportRow{Cells: []*analyticsv1.ReportCell{{Value: &analyticsv1.ReportCell_Decimal{Decimal: "-1.5000"}}}}
	if err := c.Rows([]*analyticsv1.ReportRow{row}); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(nil); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(&out); err != nil || string(text) != "-1.5000\n" {
		t.Errorf("%q, %v", text, err)
	}
}
