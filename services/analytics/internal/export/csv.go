package export

import (
	"bufio"
	"encoding/csv"
	"io"
	"strings"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// csvFile writes CSV (RFC 4180). Rows are not kept.
type csvFile struct {
	buffer *bufio.Writer
	out    *csv.Writer
}

func newCSV(to io.Writer) *csvFile {
	buffer := bufio.NewWriter(to)
	return &csvFile{buffer, csv.NewWriter(buffer)}
}

// Header writes the names of the columns.
func (c *csvFile) Header(h *analyticsv1.ReportHeader) error {
	names := make([]string, len(h.GetColumns()))
	for i, column := range h.GetColumns() {
		names[i] = harmless(column.GetName())
	}
	return c.out.Write(names)
}

// Rows writes rows.
func (c *csvFile) Rows(rows []*analyticsv1.ReportRow) error {
	for _, row := range rows {
		record := make([]string, len(row.GetCells()))
		for i, cell := range row.GetCells() {
			if record[i] = plain(cell); isText(cell) {
				record[i] = harmless(record[i])
			}
		}
		if err := c.out.Write(record); err != nil {
			return err
		}
	}
	return nil
}

// Close writes what is left.
func (c *csvFile) Close(*analyticsv1.ReportEnd) error {
	if c.out.Flush(); c.out.Error() != nil {
		return c.out.Error()
	}
	return c.buffer.Flush()
}

// harmless keeps a spreadsheet from taking a text for a formula: what begins as one gets an apostrophe in front (OWASP, "CSV
// Injection").
func harmless(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0])) || strings.HasPrefix(text, "＝") || strings.HasPrefix(text, "＋") ||
		strings.HasPrefix(text, "－") || strings.HasPrefix(text, "＠") {
		return "'" + text
	}
	return text
}
