package show

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/type/date"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// cellWidthMax keeps one long text from moving all columns apart.
const cellWidthMax = 40

// toldAgain is the age from which a reader is told that an answer was computed before.
const toldAgain = 10 * time.Second

// Cell renders a cell of a report for machines: numbers as they are.
func Cell(c *analyticsv1.ReportCell) string {
	switch c.GetMember() {
	case analyticsv1.CellMember_CELL_MEMBER_ALL:
		return "Total"
	case analyticsv1.CellMember_CELL_MEMBER_OTHERS:
		return "Others"
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
		return Date(v.Day)
	}
	return ""
}

// cellForPeople renders numbers by their unit.
func cellForPeople(c *analyticsv1.ReportCell, column *analyticsv1.ReportColumn) string {
	switch v := c.GetValue().(type) {
	case *analyticsv1.ReportCell_Integer:
		if column.GetUnit() == "" {
			return strconv.FormatInt(v.Integer, 10)
		}
		return Count(v.Integer)
	case *analyticsv1.ReportCell_Decimal:
		return group(strings.TrimSuffix(v.Decimal, "00"))
	case *analyticsv1.ReportCell_Number:
		if column.GetUnit() == "fraction" {
			return strconv.FormatFloat(100*v.Number, 'f', 1, 64) + " %"
		}
		return group(strconv.FormatFloat(v.Number, 'f', 2, 64))
	case *analyticsv1.ReportCell_Day:
		return period(v.Day, column)
	}
	text := []rune(Cell(c))
	if len(text) == 0 {
		return none
	}
	if len(text) > cellWidthMax {
		return string(text[:cellWidthMax-1]) + "…"
	}
	return string(text)
}

// period names what begins with a day: a year, a quarter or a month, where the column is of these.
func period(first *date.Date, column *analyticsv1.ReportColumn) string {
	switch column.GetSource() {
	case "year":
		return strconv.Itoa(int(first.GetYear()))
	case "quarter":
		return fmt.Sprintf("%d Q%d", first.GetYear(), (first.GetMonth()+2)/3)
	case "month":
		return fmt.Sprintf("%d-%02d", first.GetYear(), first.GetMonth())
	default:
		return Date(first)
	}
}

// ReportHead says what a report is of.
func ReportHead(h *analyticsv1.ReportHeader) string {
	parts := []string{"as of " + Date(h.GetAsOf())}
	if h.GetTitle() != "" {
		parts = []string{h.GetTitle(), parts[0]}
	}
	if h.GetFrom() != nil {
		parts = append(parts, Date(h.GetFrom())+" to "+Date(h.GetTo()))
	}
	if h.GetComparedFrom() != nil {
		parts = append(parts, "compared with "+Date(h.GetComparedFrom())+" to "+Date(h.GetComparedTo()))
	}
	if h.GetCurrency() != "" {
		parts = append(parts, "money in "+h.GetCurrency())
	}
	if h.GetNewestEventTime() != nil {
		parts = append(parts, "newest event "+Time(h.GetNewestEventTime()))
	}
	if now := time.Now(); h.GetComputedTime() != nil && now.Sub(h.GetComputedTime().AsTime()) > toldAgain {
		parts = append(parts, "computed "+Since(h.GetComputedTime(), now))
	}
	return strings.Join(parts, "; ")
}

// ReportTable keeps a report until its end, and prints it with numbers aligned to the right.
type ReportTable struct {
	// Tokens adds a token for `tandem report drill` to each row, of its first value.
	Tokens bool
	header *analyticsv1.ReportHeader
	lines  [][]string
}

// Header begins the table.
func (t *ReportTable) Header(h *analyticsv1.ReportHeader) error {
	t.header = h
	line := make([]string, len(h.GetColumns()))
	for i, c := range h.GetColumns() {
		line[i] = c.GetName()
	}
	t.lines = append(t.lines, line)
	return nil
}

// Row keeps a row.
func (t *ReportTable) Row(row *analyticsv1.ReportRow) error {
	line := make([]string, 0, len(row.GetCells())+1)
	token := ""
	for i, c := range row.GetCells() {
		line = append(line, cellForPeople(c, t.header.GetColumns()[i]))
		if token == "" && c.GetDrill() != "" {
			token = t.header.GetReportToken() + "." + c.GetDrill()
		}
	}
	if t.Tokens {
		line = append(line, token)
	}
	t.lines = append(t.lines, line)
	return nil
}

// Print writes what was kept.
func (t *ReportTable) Print(out io.Writer, end *analyticsv1.ReportEnd) error {
	widths := make([]int, len(t.header.GetColumns()))
	for _, line := range t.lines {
		for i := range widths {
			widths[i] = max(widths[i], utf8.RuneCountInString(line[i]))
		}
	}
	var b strings.Builder
	b.WriteString(ReportHead(t.header) + "\n")
	for _, line := range t.lines {
		for i, text := range line {
			if i >= len(widths) {
				b.WriteString("  " + text)
				continue
			}
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
			if i > 0 {
				b.WriteString("  ")
			}
			if t.header.GetColumns()[i].GetUnit() != "" {
				b.WriteString(pad + text)
			} else {
				b.WriteString(text + pad)
			}
		}
		b.WriteString("\n")
	}
	if end.GetTruncated() {
		fmt.Fprintf(&b, "only the first %s rows; see --limit\n", Count(end.GetRows()))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// ReportCSV prints a report as CSV, row by row. Texts that a spreadsheet would take for a formula get an apostrophe in front.
type ReportCSV struct{ out *csv.Writer }

// NewReportCSV prints to a writer.
func NewReportCSV(to io.Writer) *ReportCSV { return &ReportCSV{csv.NewWriter(to)} }

// Header prints the names of the columns.
func (c *ReportCSV) Header(h *analyticsv1.ReportHeader) error {
	names := make([]string, len(h.GetColumns()))
	for i, column := range h.GetColumns() {
		names[i] = harmless(column.GetName())
	}
	return c.out.Write(names)
}

// Row prints a row.
func (c *ReportCSV) Row(row *analyticsv1.ReportRow) error {
	line := make([]string, len(row.GetCells()))
	for i, cell := range row.GetCells() {
		line[i] = Cell(cell)
		if _, text := cell.GetValue().(*analyticsv1.ReportCell_Text); text {
			line[i] = harmless(line[i])
		}
	}
	return c.out.Write(line)
}

// Flush prints what is left.
func (c *ReportCSV) Flush() error {
	c.out.Flush()
	return c.out.Error()
}

func harmless(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(text)[0]) {
		return "'" + text
	}
	return text
}

// Catalogue prints what reports can ask.
func Catalogue(out io.Writer, c *analyticsv1.GetCatalogueResponse) error {
	var b strings.Builder
	b.WriteString("Measures\n")
	for _, m := range c.GetMeasures() {
		kind := strings.ToLower(strings.TrimPrefix(m.GetKind().String(), "MEASURE_KIND_"))
		fmt.Fprintf(&b, "  %-24s %-13s %-9s %s\n", m.GetName(), kind, m.GetUnit(), m.GetDescription())
	}
	b.WriteString("Dimensions\n")
	for _, d := range c.GetDimensions() {
		fmt.Fprintf(&b, "  %-24s %-13s %s\n", d.GetName(), strings.Join(d.GetFilterFields(), ", "), d.GetDescription())
	}
	b.WriteString("From coarse to fine\n")
	for _, h := range c.GetHierarchies() {
		fmt.Fprintf(&b, "  %-24s %s\n", h.GetName(), strings.Join(h.GetLevels(), " → "))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// Measure prints one measure with what it can be seen by.
func Measure(out io.Writer, m *analyticsv1.CatalogueMeasure) error {
	_, err := fmt.Fprintf(out, "%s: %s\n  %s\n  unit        %s\n  fact        %s\n  SQL         %s\n  dimensions  %s\n",
		m.GetName(), m.GetTitle(), m.GetDescription(), m.GetUnit(), m.GetFact(), m.GetSql(), strings.Join(m.GetDimensions(), ", "))
	return err
}
