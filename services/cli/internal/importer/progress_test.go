package importer

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// speed depends on the machine.
var speed = regexp.MustCompile(`, \d+ rows/s`)

func TestLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := NewLines(&out, 0)
	job := &Job{Entity: "customer", Name: "c.csv", Size: 200}
	l.Begin(job, 0, Counts{})
	l.Advance(50, Counts{Created: 10, Rejected: 1})
	l.Note("careful")
	l.End(Counts{Created: 40, Rejected: 1}, true)
	l.Begin(&Job{Entity: "product", Name: "constants"}, 0, Counts{})
	l.Advance(0, Counts{Created: 1})
	l.End(Counts{Created: 1}, false)
	want := `c.csv, customer: 11 rows, 1 rejected, 25%
careful
c.csv, customer: 41 rows, 1 rejected, done
constants, product: 1 rows, 100%
constants, product: 1 rows, stopped
`
	if diff := cmp.Diff(want, speed.ReplaceAllString(out.String(), "")); diff != "" {
		t.Error(diff)
	}
}

func TestBars(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	b := NewBars(&out)
	b.Begin(&Job{Entity: "customer", Name: "c.csv", Size: 200}, 0, Counts{})
	b.Advance(100, Counts{Created: 3})
	b.End(Counts{Created: 6}, true)
	b.Begin(&Job{Entity: "product", Name: "constants"}, 0, Counts{})
	b.End(Counts{Created: 1}, true)
	b.Begin(&Job{Entity: "account", Name: "a.csv", Size: 10}, 0, Counts{})
	b.Advance(5, Counts{Created: 2})
	b.End(Counts{Created: 2}, false)
	b.Close()
	if text := out.String(); !strings.Contains(text, "6 rows") || !strings.Contains(text, "c.csv") || !strings.Contains(text, "2 rows") {
		t.Errorf("got %q", text)
	}
}
