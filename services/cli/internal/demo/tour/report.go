package tour

import (
	"bytes"
	"fmt"
	"io"
	"time"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/show"
)

// Report is what a tour learned.
type Report struct {
	// Title names the bank.
	Title   string
	Volumes []Volume
	Fresh   Freshness
	// Run is the RFM run, Why says in a sentence what was counted and from when.
	Run *analyticsv1.RfmRun
	Why string
	// Cells tells apart two sets of scores: equal texts mean that every customer is in the same cell.
	Cells Fingerprint
	Best  []Best
	// Worth is nil in a tour that has not foretold yet.
	Worth *Worth
	// Phases lists what was done and how long it took.
	Phases []Phase
}

// Volume is how much of one kind of record came in, and how much ClickHouse has now.
type Volume struct {
	Entity                                      string
	Read, Created, Updated, Unchanged, Rejected int64
	Took                                        time.Duration
	Stored                                      uint64
}

// Freshness is how long changes took to travel.
type Freshness struct {
	// Published and Ingested count from the moment when the last row was accepted: until the stream had every change,
	// and until ClickHouse had.
	Published, Ingested time.Duration
	// Insights counts from the end of the computation until the results stood beside the customers.
	Insights time.Duration
	// Sequence is the position in the stream that both halves have passed; DeadLetters what could not be applied.
	Sequence, DeadLetters uint64
}

// Best is one of the best customers with the front office's screen.
type Best struct {
	Score  *analyticsv1.RfmScore
	Screen *crmv1.GetCustomer360Response
	// Region's name; empty when unknown.
	Region string
}

// Phase is one step of the tour.
type Phase struct {
	Name string
	Took time.Duration
}

// Write prints the report as plain text.
func (r Report) Write(w io.Writer) error {
	var b bytes.Buffer
	heading(&b, r.Title)
	writeVolumes(&b, r.Volumes)
	heading(&b, "Freshness")
	writeFreshness(&b, r.Fresh)
	heading(&b, "Who buys: recency × frequency")
	fmt.Fprintf(&b, "%s\n", r.Why)
	writeGrid(&b, r.Run)
	writeCells(&b, r.Cells)
	heading(&b, fmt.Sprintf("The %d best customers, as the front office sees them", len(r.Best)))
	for i, best := range r.Best {
		writeBest(&b, i+1, best)
	}
	if r.Worth != nil {
		heading(&b, "What they are worth: historic and predictive value")
		writeWorth(&b, r.Worth)
	}
	heading(&b, "Time")
	writePhases(&b, r.Phases)
	_, err := w.Write(b.Bytes())
	return err
}

func heading(b *bytes.Buffer, title string) {
	fmt.Fprintf(b, "\n%s\n\n", title)
}

func writeFreshness(b *bytes.Buffer, f Freshness) {
	t := newTable(column{}, column{right: true})
	t.row("last row accepted → in the stream", seconds(f.Published))
	t.row("last row accepted → in ClickHouse", seconds(f.Ingested))
	t.row("RFM computed → shown beside the customers", seconds(f.Insights))
	t.row("position in the stream", show.Count(f.Sequence))
	t.row("dead letters", show.Count(f.DeadLetters))
	t.write(b)
}

func writePhases(b *bytes.Buffer, phases []Phase) {
	t := newTable(column{}, column{right: true})
	var sum time.Duration
	for _, phase := range phases {
		sum += phase.Took
		t.row(phase.Name, seconds(phase.Took))
	}
	t.row("together", seconds(sum))
	t.write(b)
}

func writeVolumes(b *bytes.Buffer, volumes []Volume) {
	t := newTable(column{"", false}, column{"rows", true}, column{"new", true}, column{"changed", true},
		column{"unchanged", true}, column{"rejected", true}, column{"seconds", true}, column{"rows/s", true},
		column{"in ClickHouse", true})
	var sum Volume
	for _, v := range volumes {
		t.row(v.cells(v.Entity)...)
		sum.Read += v.Read
		sum.Created += v.Created
		sum.Updated += v.Updated
		sum.Unchanged += v.Unchanged
		sum.Rejected += v.Rejected
		sum.Took += v.Took
		sum.Stored += v.Stored
	}
	t.row(sum.cells("together")...)
	t.write(b)
}

func (v Volume) cells(name string) []string {
	rate := ""
	if v.Took > 0 {
		rate = show.Count(int64(float64(v.Read) / v.Took.Seconds()))
	}
	return []string{
		name, show.Count(v.Read), show.Count(v.Created), show.Count(v.Updated), show.Count(v.Unchanged), show.Count(v.Rejected),
		fmt.Sprintf("%.1f", v.Took.Seconds()), rate, show.Count(v.Stored),
	}
}
