package importer

import (
	"errors"
	"slices"
	"strings"

	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/status"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/mapping"
)

// settler takes answered batches in the order of the file. It is the only one that writes.
type settler struct {
	job       *Job
	gate      *gate
	errors    *errorFile
	state     *jobState
	save      func() error
	progress  Progress
	rehearsal *rehearsal // nil when rows are written

	next    int
	waiting map[int]*batch
}

// take settles a batch, and those behind it that waited for it.
func (s *settler) take(b *batch) error {
	s.waiting[b.number] = b
	for {
		due, ok := s.waiting[s.next]
		if !ok {
			return nil
		}
		delete(s.waiting, s.next)
		s.next++
		if err := s.settle(due); err != nil {
			return err
		}
	}
}

func (s *settler) settle(b *batch) error {
	if s.rehearsal != nil {
		s.rehearsal.judge(s.job.Entity, b)
	}
	rejections := b.rejections
	for i, it := range b.items {
		if result := b.results[i]; result.GetError() != nil {
			rejections = append(rejections, rejectionBy(result, it))
			continue
		}
		s.state.Count.add(b.results[i].GetOutcome())
	}
	slices.SortStableFunc(rejections, func(a, b rejection) int { return a.line - b.line })
	s.state.Count.Rejected += int64(len(rejections))
	s.state.Count.Passed += int64(b.passed)
	if err := s.errors.write(s.job, rejections); err != nil {
		return err
	}
	s.state.Place = b.next
	s.gate.leave(b.keys)
	s.progress.Advance(s.state.Place.Offset, s.state.Count)
	return s.save()
}

// rejectionBy reads the service's answer to a row.
func rejectionBy(result *crmv1.UpsertResult, it item) rejection {
	r := rejection{line: it.line, raw: it.raw, reason: result.GetError().GetMessage()}
	for _, v := range violations(result) {
		r.fields = appendNew(r.fields, v.GetField())
		r.columns = appendNew(r.columns, columnsOf(it.feed, v.GetField())...)
	}
	return r
}

// columnsOf finds the columns behind a field. The service may name the field from the request on, as in
// "customer.individual.birth_date": leading parts that the mapping does not know are passed over.
func columnsOf(feed *mapping.Feed, field string) []string {
	if feed == nil {
		return nil
	}
	for field != "" {
		if columns := feed.ColumnsOf(field); len(columns) > 0 {
			return columns
		}
		_, field, _ = strings.Cut(field, ".")
	}
	return nil
}

func statusOf(err error) *rpcstatus.Status {
	var known interface{ GRPCStatus() *status.Status }
	if errors.As(err, &known) {
		return known.GRPCStatus().Proto()
	}
	return status.Convert(err).Proto()
}

// Counts says what became of rows.
type Counts struct {
	Created   int64 `json:"created"`
	Updated   int64 `json:"updated"`
	Unchanged int64 `json:"unchanged"`
	Rejected  int64 `json:"rejected"`
	// Passed counts rows that no feed wanted; they are not in Rows.
	Passed int64 `json:"passed_over"`
}

// Rows is the number of records that were made, and of rows that could not be made one.
func (c Counts) Rows() int64 { return c.Created + c.Updated + c.Unchanged + c.Rejected }

// Plus adds counts.
func (c Counts) Plus(o Counts) Counts {
	return Counts{
		Created: c.Created + o.Created, Updated: c.Updated + o.Updated, Unchanged: c.Unchanged + o.Unchanged,
		Rejected: c.Rejected + o.Rejected, Passed: c.Passed + o.Passed,
	}
}

func (c *Counts) add(outcome crmv1.UpsertOutcome) {
	switch outcome {
	case crmv1.UpsertOutcome_UPSERT_OUTCOME_CREATED:
		c.Created++
	case crmv1.UpsertOutcome_UPSERT_OUTCOME_UPDATED:
		c.Updated++
	default:
		c.Unchanged++
	}
}
