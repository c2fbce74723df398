package export

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/xuri/excelize/v2"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

const (
	sheet = "Report"
	// xlsxRowsMax is what a sheet holds below its head.
	xlsxRowsMax = excelize.TotalRows - headRows
	// headRows stand above the rows: title, what it is of, names of columns.
	headRows    = 3
	columnWidth = 18
	// cellCharsMax is what a cell holds.
	cellCharsMax = excelize.TotalCellChars
)

// xlsxFile writes XLSX row by row; what does not fit into a small buffer goes to a temporary file.
type xlsxFile struct {
	to      *os.File
	file    *excelize.File
	stream  *excelize.StreamWriter
	about   subject
	columns []*analyticsv1.ReportColumn
	row     int
	styles  map[styleKey]int
}

// styleKey is what tells styles apart.
type styleKey struct {
	format string
	bold   bool
}

func newXLSX(to *os.File, about subject) (*xlsxFile, error) {
	file := excelize.NewFile(excelize.Options{TmpDir: filepath.Dir(to.Name())})
	if err := file.SetSheetName("Sheet1", sheet); err != nil {
		return nil, err
	}
	stream, err := file.NewStreamWriter(sheet)
	if err != nil {
		return nil, err
	}
	return &xlsxFile{to: to, file: file, stream: stream, about: about, styles: map[styleKey]int{}}, nil
}

// style makes a style once.
func (x *xlsxFile) style(format string, bold bool) (int, error) {
	key := styleKey{format, bold}
	if id, ok := x.styles[key]; ok {
		return id, nil
	}
	style := &excelize.Style{Font: &excelize.Font{Bold: bold}}
	if format != "" {
		style.CustomNumFmt = &format
	}
	if bold {
		style.Border = []excelize.Border{{Type: "top", Style: 1, Color: "999999"}}
	}
	id, err := x.file.NewStyle(style)
	x.styles[key] = id
	return id, err
}

// formatOf is how a column's numbers look.
func formatOf(c *analyticsv1.ReportColumn) string {
	switch c.GetUnit() {
	case "fraction":
		return "0.0%"
	case "count":
		return "#,##0"
	case "":
		return ""
	default:
		return "#,##0.00"
	}
}

// Header writes the head, which stays in sight.
func (x *xlsxFile) Header(h *analyticsv1.ReportHeader) error {
	x.columns = h.GetColumns()
	fixed := 0
	for _, c := range x.columns {
		if c.GetKind() == analyticsv1.ColumnKind_COLUMN_KIND_TIME || c.GetKind() == analyticsv1.ColumnKind_COLUMN_KIND_DIMENSION {
			fixed++
		}
	}
	corner, err := excelize.CoordinatesToCellName(fixed+1, headRows+1)
	if err != nil {
		return err
	}
	if err := errors.Join(
		x.stream.SetColWidth(1, max(1, len(x.columns)), columnWidth),
		x.stream.SetPanes(&excelize.Panes{Freeze: true, XSplit: fixed, YSplit: headRows, TopLeftCell: corner, ActivePane: "bottomRight"}),
	); err != nil {
		return err
	}
	bold, err := x.style("", true)
	if err != nil {
		return err
	}
	names := make([]any, len(x.columns))
	for i, c := range x.columns {
		names[i] = excelize.Cell{StyleID: bold, Value: c.GetTitle()}
	}
	x.row = headRows
	return errors.Join(
		x.stream.SetRow("A1", []any{excelize.Cell{StyleID: bold, Value: x.about.title}}),
		x.stream.SetRow("A2", []any{subtitle(h)}),
		x.stream.SetRow("A3", names),
	)
}

// Rows writes rows with typed cells.
func (x *xlsxFile) Rows(rows []*analyticsv1.ReportRow) error {
	for _, row := range rows {
		if x.row++; x.row > xlsxRowsMax {
			return tooMany("XLSX", xlsxRowsMax, "rows")
		}
		cells := make([]any, len(row.GetCells()))
		for i, cell := range row.GetCells() {
			value, err := x.cell(cell, x.columns[i], row.GetSubtotal())
			if err != nil {
				return err
			}
			cells[i] = value
		}
		at, err := excelize.CoordinatesToCellName(1, x.row)
		if err != nil {
			return err
		}
		if err := x.stream.SetRow(at, cells); err != nil {
			return err
		}
	}
	return nil
}

func (x *xlsxFile) cell(cell *analyticsv1.ReportCell, column *analyticsv1.ReportColumn, bold bool) (excelize.Cell, error) {
	var value any
	format := ""
	if day, ok := timeOf(cell); ok {
		value, format = day, "yyyy-mm-dd"
	} else if number, ok := numeric(cell); ok {
		value, format = number, formatOf(column)
	} else if text := []rune(plain(cell)); len(text) > 0 {
		value = string(text[:min(len(text), cellCharsMax)])
	}
	style, err := x.style(format, bold)
	return excelize.Cell{StyleID: style, Value: value}, err
}

// Close writes the file.
func (x *xlsxFile) Close(*analyticsv1.ReportEnd) error {
	err := x.stream.Flush()
	if err == nil {
		_, err = x.file.WriteTo(x.to)
	}
	return errors.Join(err, x.file.Close())
}
