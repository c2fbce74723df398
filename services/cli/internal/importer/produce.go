package importer

import (
	"context"
	"errors"
	"io"

	"google.golang.org/protobuf/proto"

	"tandem.bank/services/cli/internal/csvfile"
	"tandem.bank/services/cli/internal/mapping"
)

// producer turns the rows of a job into batches.
type producer struct {
	job      *Job
	rowsMost int
	gate     *gate
	out      chan<- *batch

	current *batch
	inside  map[string]bool
	number  int
	// here is the place behind the last whole row.
	here place
}

func newProducer(job *Job, rowsMost int, g *gate, out chan<- *batch) *producer {
	return &producer{job: job, rowsMost: rowsMost, gate: g, out: out, current: &batch{}, inside: map[string]bool{}}
}

// run reads from the place to the end of the file.
func (p *producer) run(ctx context.Context, from place) error {
	p.here = from
	if p.job.path == "" {
		return p.runConstants(ctx)
	}
	src, err := openSource(p.job, from)
	if err != nil {
		return err
	}
	err = p.runRows(ctx, src)
	return errors.Join(err, src.close())
}

// runConstants sends the records of the mapping; their place is the number of those that are settled.
func (p *producer) runConstants(ctx context.Context) error {
	for i, constant := range p.job.constants {
		if int64(i) < p.here.Offset {
			continue
		}
		if err := p.add(ctx, item{record: constant.Record, line: constant.Line}); err != nil {
			return err
		}
		p.here = place{Offset: int64(i) + 1, Line: constant.Line}
	}
	return p.flush(ctx)
}

func (p *producer) runRows(ctx context.Context, src *source) error {
	for {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		row, record, err := src.next()
		var damaged *csvfile.RowError
		switch {
		case errors.Is(err, io.EOF):
			return p.flush(ctx)
		case errors.As(err, &damaged):
			record = damaged.Record
			p.current.rejections = append(p.current.rejections, rejection{
				line: record.Line, columns: src.title(damaged.Value), reason: damaged.Reason, raw: record.Raw,
			})
		case err != nil:
			return err
		default:
			if err := p.addRow(ctx, row, record); err != nil {
				return err
			}
		}
		p.here = place{Offset: record.End, Line: record.EndLine}
		if p.full() {
			if err := p.flush(ctx); err != nil {
				return err
			}
		}
	}
}

func (p *producer) full() bool {
	b := p.current
	return len(b.items) >= p.rowsMost || b.bytes >= batchBytesMost || len(b.rejections) >= p.rowsMost || b.passed >= passedMost
}

// addRow makes the records of a row. A row that is wrong for one feed may still be right for another.
func (p *producer) addRow(ctx context.Context, row *mapping.Row, at csvfile.Record) error {
	wanted := false
	for _, feed := range p.job.feeds {
		record, err := feed.Record(row)
		var faults *mapping.FaultsError
		switch {
		case errors.As(err, &faults):
			wanted = true
			p.current.rejections = append(p.current.rejections, rejectionOf(faults, at))
		case err != nil:
			return err
		case record != nil:
			wanted = true
			if err := p.add(ctx, item{record: record, feed: feed, line: at.Line, raw: at.Raw}); err != nil {
				return err
			}
		}
	}
	if !wanted {
		p.current.passed++
	}
	return nil
}

func rejectionOf(faults *mapping.FaultsError, at csvfile.Record) rejection {
	r := rejection{line: at.Line, raw: at.Raw, reason: faults.Error()}
	for _, fault := range faults.Faults {
		r.fields = appendNew(r.fields, fault.Field)
		r.columns = appendNew(r.columns, fault.Columns...)
	}
	return r
}

// add puts a record into the current batch. A key that is already in it, or under way, closes the batch or waits, so
// that records with one key travel one after the other.
func (p *producer) add(ctx context.Context, it item) error {
	key := keyOf(it.record)
	if p.inside[key] {
		if err := p.flush(ctx); err != nil {
			return err
		}
	}
	if err := p.gate.wait(ctx, key); err != nil {
		return err
	}
	p.inside[key] = true
	p.current.items = append(p.current.items, it)
	p.current.keys = append(p.current.keys, key)
	p.current.bytes += proto.Size(it.record)
	return nil
}

// flush sends the current batch on its way.
func (p *producer) flush(ctx context.Context) error {
	b := p.current
	if b.empty() {
		return nil
	}
	b.number, b.next = p.number, p.here
	p.gate.enter(b.keys)
	select {
	case p.out <- b:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	p.number++
	p.current = &batch{items: make([]item, 0, len(b.items)), keys: make([]string, 0, len(b.keys))}
	clear(p.inside)
	return nil
}

func appendNew(list []string, more ...string) []string {
	for _, m := range more {
		known := false
		for _, l := range list {
			known = known || l == m
		}
		if !known {
			list = append(list, m)
		}
	}
	return list
}
