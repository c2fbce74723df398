package export

import (
	"bytes"
	"io"
	"slices"

	"codeberg.org/go-pdf/fpdf"
	"github.com/go-fonts/liberation/liberationsansbold"
	"github.com/go-fonts/liberation/liberationsansregular"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// Limits and measures of a PDF, in millimetres on A4 across.
const (
	pdfRowsMax    = 10_000
	pdfColumnsMax = 20
	pdfFont       = "liberation"
	pdfWidth      = 277.0
	pdfMargin     = 10.0
	pdfChart      = 85.0
	pdfLine       = 5.0
	pdfText       = 7.5
	pdfHeading    = 14.0
)

// pdfFile keeps the rows until the end, because the chart stands before them; they are bounded.
type pdfFile struct {
	to     io.Writer
	about  subject
	header *analyticsv1.ReportHeader
	rows   []*analyticsv1.ReportRow
}

func newPDF(to io.Writer, about subject) *pdfFile { return &pdfFile{to: to, about: about} }

// Header keeps the header.
func (p *pdfFile) Header(h *analyticsv1.ReportHeader) error {
	p.header = h
	if len(h.GetColumns()) > pdfColumnsMax {
		return tooMany("PDF", pdfColumnsMax, "columns")
	}
	return nil
}

// Rows keeps rows.
func (p *pdfFile) Rows(rows []*analyticsv1.ReportRow) error {
	if p.rows = append(p.rows, rows...); len(p.rows) > pdfRowsMax {
		return tooMany("PDF", pdfRowsMax, "rows")
	}
	return nil
}

// Close lays out the pages and writes them.
func (p *pdfFile) Close(end *analyticsv1.ReportEnd) error {
	doc := fpdf.New("L", "mm", "A4", "")
	doc.SetMargins(pdfMargin, pdfMargin, pdfMargin)
	doc.SetAutoPageBreak(false, pdfMargin)
	doc.AddUTF8FontFromBytes(pdfFont, "", liberationsansregular.TTF)
	doc.AddUTF8FontFromBytes(pdfFont, "B", liberationsansbold.TTF)
	doc.SetTitle(p.about.title, true)
	doc.AddPage()
	doc.SetFont(pdfFont, "B", pdfHeading)
	doc.CellFormat(0, pdfHeading/2, p.about.title, "", 1, "L", false, 0, "")
	doc.SetFont(pdfFont, "", pdfText)
	doc.CellFormat(0, pdfLine, subtitle(p.header), "", 1, "L", false, 0, "")
	if err := p.chart(doc); err != nil {
		return err
	}
	p.table(doc)
	if end.GetTruncated() {
		doc.CellFormat(0, pdfLine, "… there are more rows than the limit of the report", "", 1, "L", false, 0, "")
	}
	return doc.Output(p.to)
}

// chart draws the chart, when one is wanted and there is something to draw.
func (p *pdfFile) chart(doc *fpdf.Fpdf) error {
	image, err := render(p.about.chart, p.header, p.rows)
	if err != nil || image == nil {
		return err
	}
	doc.RegisterImageOptionsReader("chart", fpdf.ImageOptions{ImageType: "PNG"}, bytes.NewReader(image))
	doc.ImageOptions("chart", pdfMargin, doc.GetY()+2, pdfWidth, pdfChart, true, fpdf.ImageOptions{ImageType: "PNG"}, 0, "")
	doc.Ln(2)
	return nil
}

// table writes the rows, with the names of the columns on every page.
func (p *pdfFile) table(doc *fpdf.Fpdf) {
	width := pdfWidth / float64(max(1, len(p.header.GetColumns())))
	_, height := doc.GetPageSize()
	head := func() {
		doc.SetFont(pdfFont, "B", pdfText)
		for _, c := range p.header.GetColumns() {
			doc.CellFormat(width, pdfLine, fitted(doc, c.GetTitle(), width), "B", 0, alignment(c), false, 0, "")
		}
		doc.Ln(-1)
	}
	head()
	for _, row := range p.rows {
		if doc.GetY()+2*pdfLine > height-pdfMargin {
			doc.AddPage()
			head()
		}
		style, border := "", ""
		if row.GetSubtotal() {
			style, border = "B", "T"
		}
		doc.SetFont(pdfFont, style, pdfText)
		for i, cell := range row.GetCells() {
			column := p.header.GetColumns()[i]
			text := plain(cell)
			if v, ok := numeric(cell); ok && column.GetUnit() != "" {
				text = amount(v, column.GetUnit())
			}
			doc.CellFormat(width, pdfLine, fitted(doc, text, width), border, 0, alignment(column), false, 0, "")
		}
		doc.Ln(-1)
	}
}

func alignment(c *analyticsv1.ReportColumn) string {
	if c.GetUnit() != "" {
		return "R"
	}
	return "L"
}

// fitted shortens a text until it fits into its cell.
func fitted(doc *fpdf.Fpdf, text string, width float64) string {
	runes := slices.DeleteFunc([]rune(text), func(r rune) bool { return r > 0xffff || r < ' ' })
	if doc.GetStringWidth(string(runes)) <= width-2 {
		return string(runes)
	}
	for len(runes) > 0 && doc.GetStringWidth(string(runes)+"…") > width-2 {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}
