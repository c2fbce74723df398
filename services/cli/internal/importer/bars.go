package importer

import (
	"fmt"
	"io"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// barWidth is in characters.
const barWidth = 14

// nameWidth keeps a line within 80 characters, mostly.
const nameWidth = 22

// Bars shows a bar for each job, for terminals. Call Close at the end.
type Bars struct {
	container *mpb.Progress
	meter     *meter
	bar       *mpb.Bar
}

// NewBars draws on out.
func NewBars(out io.Writer) *Bars {
	return &Bars{container: mpb.New(mpb.WithOutput(out), mpb.WithAutoRefresh())}
}

// Begin adds the job's bar.
func (b *Bars) Begin(job *Job, offset int64, before Counts) {
	m := newMeter(job, offset, before)
	b.meter = m
	// Constants have no size; one step fills their bar.
	b.bar = b.container.AddBar(max(job.Size, 1),
		mpb.BarWidth(barWidth),
		mpb.PrependDecorators(decor.Name(fmt.Sprintf("%-14s %.*s", job.Entity, nameWidth, job.Name), decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.Percentage(decor.WCSyncSpace), decor.Any(func(decor.Statistics) string { return "  " + m.rows() })),
	)
	b.bar.SetCurrent(offset)
}

// Advance moves the bar.
func (b *Bars) Advance(offset int64, counts Counts) {
	b.meter.advance(offset, counts)
	b.bar.SetCurrent(min(offset, max(b.meter.job.Size-1, 0))) // the last step is End's
}

// End fills the bar, or leaves it where it stopped.
func (b *Bars) End(counts Counts, whole bool) {
	b.meter.end(counts)
	if whole {
		b.bar.SetCurrent(max(b.meter.job.Size, 1))
	} else {
		b.bar.Abort(false)
	}
}

// Note prints the text above the bars.
func (b *Bars) Note(text string) { _, _ = fmt.Fprintln(b.container, text) }

// Close leaves the last picture on the screen.
func (b *Bars) Close() { b.container.Wait() }
