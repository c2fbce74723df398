package report

import (
	"fmt"
	"runtime/debug"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// batchCells is how many cells go into one message: some 300 KB, of the 4 MB that clients take by themselves.
const batchCells = 4000

// sender sends rows in batches, each while the next one is made; the first row goes alone, so that readers see it at once.
type sender struct {
	to    Sink
	begun bool
	batch []*analyticsv1.ReportRow
	cells int
	// sending tells how the batch on its way fared; nil while none is.
	sending chan error
}

func (s *sender) row(row *analyticsv1.ReportRow) error {
	s.batch, s.cells = append(s.batch, row), s.cells+len(row.GetCells())
	if s.begun && s.cells < batchCells {
		return nil
	}
	s.begun = true
	return s.flush()
}

// flush sends the batch once the one before it has been sent.
func (s *sender) flush() error {
	if err := s.wait(); err != nil || len(s.batch) == 0 {
		return err
	}
	batch, sending := s.batch, make(chan error, 1)
	s.batch, s.cells, s.sending = nil, 0, sending
	go func() {
		defer func() {
			if fault := recover(); fault != nil {
				sending <- fmt.Errorf("report: send rows: %v\n%s", fault, debug.Stack())
			}
		}()
		sending <- s.to.Rows(batch)
	}()
	return nil
}

// wait returns when no batch is on its way.
func (s *sender) wait() error {
	if s.sending == nil {
		return nil
	}
	err := <-s.sending
	s.sending = nil
	return err
}

// end sends what is left.
func (s *sender) end() error {
	if err := s.flush(); err != nil {
		return err
	}
	return s.wait()
}

// leave makes sure that nothing is sent any more. What failed is known by then: rows that can't be sent end the report.
func (s *sender) leave() { _ = s.wait() }
