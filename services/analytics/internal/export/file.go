// Package export makes files of reports, as operations that go on without their callers.
package export

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/report"
)

// ReasonTooManyRows is the reason of FAILED_PRECONDITION for a report that its format can't hold.
const ReasonTooManyRows = "TOO_MANY_ROWS"

// Words in place of values.
const (
	wordTotal  = "Total"
	wordOthers = "Others"
)

// writer makes a file of a report.
type writer interface {
	report.Sink
	// Close ends the content; the file itself stays open.
	Close(*analyticsv1.ReportEnd) error
}

// subject is what a file is about.
type subject struct {
	title string
	chart *definitionv1.ReportChart
}

var extensions = map[definitionv1.ReportFormat]string{
	definitionv1.ReportFormat_REPORT_FORMAT_CSV:  "csv",
	definitionv1.ReportFormat_REPORT_FORMAT_XLSX: "xlsx",
	definitionv1.ReportFormat_REPORT_FORMAT_PDF:  "pdf",
}

// newWriter begins a file in a format.
func newWriter(format definitionv1.ReportFormat, file *os.File, about subject) (writer, error) {
	switch format {
	case definitionv1.ReportFormat_REPORT_FORMAT_CSV:
		return newCSV(file), nil
	case definitionv1.ReportFormat_REPORT_FORMAT_PDF:
		return newPDF(file, about), nil
	default:
		return newXLSX(file, about)
	}
}

func tooMany(format string, most int, what string) error {
	return apperr.New(codes.FailedPrecondition, ReasonTooManyRows, "%s holds at most %d %s; narrow the report, or take CSV", format, most, what)
}

// subtitle says what a report is of.
func subtitle(h *analyticsv1.ReportHeader) string {
	parts := []string{"as of " + dayText(h.GetAsOf())}
	if h.GetFrom() != nil {
		parts = append(parts, dayText(h.GetFrom())+" to "+dayText(h.GetTo()))
	}
	if h.GetComparedFrom() != nil {
		parts = append(parts, "compared with "+dayText(h.GetComparedFrom())+" to "+dayText(h.GetComparedTo()))
	}
	if h.GetCurrency() != "" {
		parts = append(parts, "money in "+h.GetCurrency())
	}
	if h.GetNewestEventTime() != nil {
		parts = append(parts, "newest event of "+h.GetNewestEventTime().AsTime().Format("2006-01-02 15:04 MST"))
	}
	return strings.Join(parts, " · ")
}

// plain renders a cell for machines.
func plain(c *analyticsv1.ReportCell) string {
	switch c.GetMember() {
	case analyticsv1.CellMember_CELL_MEMBER_ALL:
		return wordTotal
	case analyticsv1.CellMember_CELL_MEMBER_OTHERS:
		return wordOthers
	}
	switch v := c.GetValue().(type) {
	case *analyticsv1.ReportCell_Text:
		return v.Text
	case *analyticsv1.ReportCell_Integer:
		return strconv.FormatInt(v.Integer, 10)
	case *analyticsv1.ReportCell_Decimal:
		return v.Decimal
	case *analyticsv1.ReportCell_Number:
		return strconv.FormatFloat(v.Number, 'g', -1, 64)
	case *analyticsv1.ReportCell_Day:
		return dayText(v.Day)
	}
	return ""
}

func isText(c *analyticsv1.ReportCell) bool {
	_, text := c.GetValue().(*analyticsv1.ReportCell_Text)
	return text
}

func dayText(d interface {
	GetYear() int32
	GetMonth() int32
	GetDay() int32
},
) string {
	return fmt.Sprintf("%04d-%02d-%02d", d.GetYear(), d.GetMonth(), d.GetDay())
}

// amount is a number for people: grouped, with as many places as its unit has.
func amount(v float64, unit string) string {
	switch unit {
	case "fraction":
		return strconv.FormatFloat(100*v, 'f', 1, 64) + " %"
	case "count":
		return grouped(strconv.FormatFloat(v, 'f', 0, 64))
	default:
		return grouped(strconv.FormatFloat(v, 'f', 2, 64))
	}
}

// grouped puts a thin blank between groups of three digits.
func grouped(text string) string {
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	whole, fraction, point := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "\u00a0" + whole[i:]
	}
	if point {
		whole += "." + fraction
	}
	return sign + whole
}

// numeric is a cell as a number; false where there is none.
func numeric(c *analyticsv1.ReportCell) (float64, bool) {
	switch v := c.GetValue().(type) {
	case *analyticsv1.ReportCell_Integer:
		return float64(v.Integer), true
	case *analyticsv1.ReportCell_Number:
		return v.Number, true
	case *analyticsv1.ReportCell_Decimal:
		f, err := strconv.ParseFloat(v.Decimal, 64)
		return f, err == nil
	}
	return 0, false
}

func timeOf(c *analyticsv1.ReportCell) (time.Time, bool) {
	t, err := date.Time(c.GetDay())
	return t, err == nil && !t.IsZero()
}
