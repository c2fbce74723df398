package report

import (
	"errors"
	"strings"
	"testing"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// sinkFunc takes rows, and no header.
type sinkFunc func([]*analyticsv1.ReportRow) error

func (f sinkFunc) Header(*analyticsv1.ReportHeader) error   { return nil }
func (f sinkFunc) Rows(rows []*analyticsv1.ReportRow) error { return f(rows) }
func rowOf(cells int) *analyticsv1.ReportRow {
	return &analyticsv1.ReportRow{Cells: make([]*analyticsv1.ReportCell, cells)}
}

func sendAll(s *sender, rows, cells int) (sent int, err error) {
	defer s.leave()
	for ; sent < rows; sent++ {
		if err := s.row(rowOf(cells)); err != nil {
			return sent, err
		}
	}
	return sent, s.end()
}

// TestMessagesAreBoundedByCells, and all rows come, the first by itself.
func TestMessagesAreBoundedByCells(t *testing.T) {
	t.Parallel()
	for _, cells := range []int{1, 13, 1000, batchCells + 1} {
		const rows = 700
		var got []int
		if _, err := sendAll(&sender{to: sinkFunc(func(batch []*analyticsv1.ReportRow) error {
			got = append(got, len(batch))
			return nil
		})}, rows, cells); err != nil {
			t.Fatal(err)
		}
		sum := 0
		for i, n := range got {
			sum += n
			if n*cells >= batchCells+cells || i == 0 && n != 1 {
				t.Errorf("message %d has %d rows of %d cells", i, n, cells)
			}
		}
		if sum != rows {
			t.Errorf("%d rows of %d came", sum, rows)
		}
	}
}

// TestSendingStopsWhereItFails, by an error or a fault, and says why.
func TestSendingStopsWhereItFails(t *testing.T) {
	t.Parallel()
	gone := errors.New("the reader is gone")
	for want, fail := range map[string]func() error{
		gone.Error():   func() error { return gone },
		"out of paper": func() error { panic("out of paper") },
	} {
		calls := 0
		sent, err := sendAll(&sender{to: sinkFunc(func([]*analyticsv1.ReportRow) error {
			if calls++; calls == 3 {
				return fail()
			}
			return nil
		})}, 100, batchCells)
		if err == nil || !strings.Contains(err.Error(), want) || calls != 3 || sent > 4 {
			t.Errorf("%s: %v after %d calls and %d rows", want, err, calls, sent)
		}
	}
}
