package export

import (
	"bytes"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
)

const (
	// categoriesMax is how many values fit along the axis.
	categoriesMax = 40
	// seriesMax is how many colours people tell apart.
	seriesMax = 12
	chartDPI  = 150
	// legendRoom is the part of the height that a line of the legend takes.
	legendRoom = 0.08
)

// series is what a chart draws: a value for each category.
type series struct {
	name   string
	values plotter.Values
}

// chosen are the rows that a chart shows: one for each category over all other dimensions where the report has such, because only
// the report itself knows what ratios of several rows are together; else all that are no subtotals.
func chosen(at int, h *analyticsv1.ReportHeader, rows []*analyticsv1.ReportRow) []*analyticsv1.ReportRow {
	var whole, single []*analyticsv1.ReportRow
	for _, row := range rows {
		over := row.GetCells()[at].GetMember() != analyticsv1.CellMember_CELL_MEMBER_ALL
		for i, c := range h.GetColumns() {
			dimension := c.GetKind() == analyticsv1.ColumnKind_COLUMN_KIND_DIMENSION
			if i != at && dimension && row.GetCells()[i].GetMember() != analyticsv1.CellMember_CELL_MEMBER_ALL {
				over = false
			}
		}
		if over {
			whole = append(whole, row)
		}
		if !row.GetSubtotal() {
			single = append(single, row)
		}
	}
	if len(whole) > 0 {
		return whole
	}
	return single
}

// content finds what a chart shows; where several rows have one category, they are added up.
func content(chart *definitionv1.ReportChart, h *analyticsv1.ReportHeader, rows []*analyticsv1.ReportRow) (categories []string, out []series) {
	at := slices.IndexFunc(h.GetColumns(), func(c *analyticsv1.ReportColumn) bool {
		return chart.GetCategory() == "" || c.GetName() == chart.GetCategory()
	})
	if at < 0 {
		return nil, nil
	}
	measures := chart.GetMeasures()
	pivoted := slices.ContainsFunc(h.GetColumns(), func(c *analyticsv1.ReportColumn) bool { return c.GetPivot() != "" })
	var columns []int
	for i, c := range h.GetColumns() {
		if c.GetKind() != analyticsv1.ColumnKind_COLUMN_KIND_VALUE || pivoted && c.GetPivot() == "" || len(columns) == seriesMax {
			continue
		}
		if len(measures) == 0 {
			measures = []string{c.GetSource()}
		}
		if slices.Contains(measures, c.GetSource()) {
			columns, out = append(columns, i), append(out, series{name: c.GetTitle()})
		}
	}
	for _, row := range chosen(at, h, rows) {
		name := plain(row.GetCells()[at])
		i := slices.Index(categories, name)
		if i < 0 {
			if len(categories) == categoriesMax {
				continue
			}
			i, categories = len(categories), append(categories, name)
			for j := range out {
				out[j].values = append(out[j].values, 0)
			}
		}
		for j, column := range columns {
			value, _ := numeric(row.GetCells()[column])
			out[j].values[i] += value
		}
	}
	return categories, out
}

// render draws a chart as PNG; nil when none is wanted or there is nothing to draw.
func render(chart *definitionv1.ReportChart, h *analyticsv1.ReportHeader, rows []*analyticsv1.ReportRow) ([]byte, error) {
	if chart == nil {
		return nil, nil
	}
	categories, list := content(chart, h, rows)
	if len(categories) == 0 || len(list) == 0 {
		return nil, nil
	}
	p := plot.New()
	p.Legend.Top = true
	p.Add(plotter.NewGrid())
	if err := add(p, chart.GetKind(), list); err != nil {
		return nil, err
	}
	p.NominalX(categories...)
	// Room for half a bar on both sides, and for the legend above.
	p.X.Min, p.X.Max = -0.6, float64(len(categories))-0.4
	if p.Y.Max += legendRoom * (p.Y.Max - p.Y.Min) * float64(len(list)); p.Y.Max <= p.Y.Min {
		p.Y.Max = p.Y.Min + 1
	}
	p.Y.Tick.Marker = plot.TickerFunc(ticks)
	if len(categories) > 8 {
		p.X.Tick.Label.Rotation = 0.6
		p.X.Tick.Label.XAlign = draw.XRight
		p.X.Tick.Label.YAlign = draw.YCenter
	}
	canvas := vgimg.NewWith(vgimg.UseWH(pdfWidth*vg.Millimeter, pdfChart*vg.Millimeter), vgimg.UseDPI(chartDPI))
	p.Draw(draw.New(canvas))
	var out bytes.Buffer
	_, err := vgimg.PngCanvas{Canvas: canvas}.WriteTo(&out)
	return out.Bytes(), err
}

// ticks are those of the library, with numbers that people read.
func ticks(low, high float64) []plot.Tick {
	out := plot.DefaultTicks{}.Ticks(low, high)
	for i := range out {
		if out[i].Label == "" {
			continue
		}
		places := 0
		if high-low < 10 {
			places = 2
		}
		out[i].Label = grouped(strconv.FormatFloat(out[i].Value, 'f', places, 64))
	}
	return out
}

// add puts the series on a plot.
func add(p *plot.Plot, kind definitionv1.ChartKind, list []series) error {
	width := vg.Points(400) / vg.Length(len(list[0].values)*len(list)+1)
	if kind == definitionv1.ChartKind_CHART_KIND_STACKED_BAR {
		width = vg.Points(400) / vg.Length(len(list[0].values)+1)
	}
	var below *plotter.BarChart
	for i, s := range list {
		if kind == definitionv1.ChartKind_CHART_KIND_LINE {
			points := make(plotter.XYs, len(s.values))
			for j, v := range s.values {
				points[j] = plotter.XY{X: float64(j), Y: v}
			}
			line, dots, err := plotter.NewLinePoints(points)
			if err != nil {
				return err
			}
			line.Color, dots.Color, line.Width = plotutil.Color(i), plotutil.Color(i), vg.Points(1.5)
			p.Add(line, dots)
			p.Legend.Add(s.name, line)
			continue
		}
		bars, err := plotter.NewBarChart(s.values, width)
		if err != nil {
			return err
		}
		bars.Color, bars.LineStyle.Width = plotutil.Color(i), 0
		if kind == definitionv1.ChartKind_CHART_KIND_BAR {
			bars.Offset = width * (vg.Length(i) - vg.Length(len(list)-1)/2)
		} else if below != nil {
			bars.StackOn(below)
		}
		below = bars
		p.Add(bars)
		p.Legend.Add(s.name, bars)
	}
	return nil
}
