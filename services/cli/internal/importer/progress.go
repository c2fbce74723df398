package importer

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Progress hears how an import goes. Begin, Advance and End come one after the other; Note may come at any time, also
// from several goroutines.
type Progress interface {
	// Begin starts a job. It goes on at the offset, with what was counted before an interruption.
	Begin(job *Job, offset int64, before Counts)
	// Advance says how far the job has come.
	Advance(offset int64, counts Counts)
	// End finishes the job; whole says whether it came to its end.
	End(counts Counts, whole bool)
	// Note is a message for people.
	Note(text string)
}

// meter keeps what there is to show of a job.
type meter struct {
	mu      sync.Mutex
	job     *Job
	begun   time.Time
	ended   time.Time
	offset  int64
	before  Counts
	current Counts
}

func newMeter(job *Job, offset int64, before Counts) *meter {
	return &meter{job: job, begun: time.Now(), offset: offset, before: before, current: before}
}

func (m *meter) advance(offset int64, counts Counts) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.offset, m.current = offset, counts
}

func (m *meter) end(counts Counts) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended, m.current = time.Now(), counts
}

// rows renders the counts and the speed. Rows of an interrupted import don't count for the speed.
func (m *meter) rows() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	text := fmt.Sprintf("%d rows", m.current.Rows())
	if m.current.Rejected > 0 {
		text += fmt.Sprintf(", %d rejected", m.current.Rejected)
	}
	until := m.ended
	if until.IsZero() {
		until = time.Now()
	}
	if seconds := until.Sub(m.begun).Seconds(); seconds > 0.1 {
		text += fmt.Sprintf(", %.0f rows/s", float64(m.current.Rows()-m.before.Rows())/seconds)
	}
	return text
}

// percent is how much of the file has been read and settled.
func (m *meter) percent() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.job.Size == 0 {
		return 100
	}
	return 100 * min(m.offset, m.job.Size) / m.job.Size
}

// Lines prints a line at the end of each job, and every few seconds in between.
type Lines struct {
	meter   *meter
	writing sync.Mutex
	out     io.Writer
	every   time.Duration
	printed time.Time
}

// NewLines prints to out.
func NewLines(out io.Writer, every time.Duration) *Lines { return &Lines{out: out, every: every} }

// Begin starts a job.
func (l *Lines) Begin(job *Job, offset int64, before Counts) {
	l.meter = newMeter(job, offset, before)
	l.printed = time.Now()
}

// Advance prints a line now and then.
func (l *Lines) Advance(offset int64, counts Counts) {
	l.meter.advance(offset, counts)
	if time.Since(l.printed) >= l.every {
		l.printed = time.Now()
		l.Note(fmt.Sprintf("%s, %s: %s, %d%%", l.meter.job.Name, l.meter.job.Entity, l.meter.rows(), l.meter.percent()))
	}
}

// End prints the job's last line.
func (l *Lines) End(counts Counts, whole bool) {
	l.meter.end(counts)
	word := "done"
	if !whole {
		word = "stopped"
	}
	l.Note(fmt.Sprintf("%s, %s: %s, %s", l.meter.job.Name, l.meter.job.Entity, l.meter.rows(), word))
}

// Note prints the text.
func (l *Lines) Note(text string) {
	l.writing.Lock()
	defer l.writing.Unlock()
	_, _ = fmt.Fprintln(l.out, text)
}
