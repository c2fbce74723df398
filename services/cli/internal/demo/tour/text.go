package tour

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// grid is a table of plain text without lines around it.
type grid struct {
	writer table.Writer
}

// column is a column's title and side; all columns without a title make a table without a header.
type column struct {
	title string
	right bool
}

func newTable(columns ...column) grid {
	w := table.NewWriter()
	style := table.StyleDefault
	style.Box.PaddingLeft, style.Box.PaddingRight = "  ", ""
	style.Options = table.Options{SeparateHeader: false}
	style.Format = table.FormatOptions{Header: text.FormatDefault, Row: text.FormatDefault}
	w.SetStyle(style)
	w.SuppressTrailingSpaces()
	header := make(table.Row, len(columns))
	configs := make([]table.ColumnConfig, len(columns))
	titled := false
	for i, c := range columns {
		header[i] = c.title
		titled = titled || c.title != ""
		configs[i] = table.ColumnConfig{Number: i + 1}
		if c.right {
			configs[i].Align, configs[i].AlignHeader = text.AlignRight, text.AlignRight
		}
	}
	w.SetColumnConfigs(configs)
	if titled {
		w.AppendHeader(header)
	}
	return grid{writer: w}
}

func (g grid) row(cells ...string) {
	row := make(table.Row, len(cells))
	for i, cell := range cells {
		row[i] = cell
	}
	g.writer.AppendRow(row)
}

func (g grid) write(b *bytes.Buffer) {
	b.WriteString(g.writer.Render())
	b.WriteByte('\n')
}

// seconds writes a duration with one place.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// unknown is what package show prints where there is nothing to show.
const unknown = "-"

// joined joins the parts that are known.
func joined(separator string, parts ...string) string {
	var kept []string
	for _, part := range parts {
		if part != "" && part != unknown {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, separator)
}
