package importer

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"tandem.bank/services/cli/internal/mapping"
)

// grace is how long batches under way may still take when the import is interrupted.
const grace = 5 * time.Second

// ErrInterrupted is returned when the context ended the import; the same command goes on where it stopped.
var ErrInterrupted = errors.New("interrupted; the same command goes on where this one stopped")

// JobResult says what became of one job.
type JobResult struct {
	File   string         `json:"file"`
	Entity mapping.Entity `json:"entity"`
	Counts
	// ErrorFile holds the rejected rows; empty when there are none.
	ErrorFile string `json:"error_file,omitempty"`
	Finished  bool   `json:"finished"`
}

// Summary says what became of an import.
type Summary struct {
	ImportID string `json:"import_id"`
	Mapping  string `json:"mapping"`
	// Resumed says that the import went on where an interrupted one had stopped; its rows are counted too.
	Resumed bool        `json:"resumed"`
	Jobs    []JobResult `json:"jobs"`
	Ignored []string    `json:"ignored"`
	// Unmatched files and Missing patterns, see Plan.
	Unmatched []string      `json:"unmatched"`
	Missing   []string      `json:"missing"`
	Elapsed   time.Duration `json:"elapsed_nanoseconds"`
	// UnknownReferences counts, offline, references to records that these files do not hold.
	UnknownReferences int `json:"unknown_references,omitempty"`
	// Incomplete says that a dry run saw more keys than it can remember: later references to them look unknown.
	Incomplete bool `json:"incomplete,omitempty"`
}

// Total adds the counts of all jobs.
func (s *Summary) Total() Counts {
	var total Counts
	for _, job := range s.Jobs {
		total = total.Plus(job.Counts)
	}
	return total
}

// importer is one import under way.
type importer struct {
	config     Config
	plan       *Plan
	checkpoint *checkpoint
	rehearsal  *rehearsal
	upserter   upserter
	notices    *notices
}

// Run imports the files. Rejected rows are no error: see the summary, which is returned with an error too as far as the
// import has come. Errors: ErrInterrupted, a service that can't be reached for longer than RetryFor, files that can't be
// read or written.
func Run(ctx context.Context, config Config) (*Summary, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	begun := time.Now()
	plan, err := NewPlan(config.Mapping, config.Paths)
	if err != nil {
		return nil, err
	}
	stateDir := config.StateDir
	if config.checksOnly() {
		stateDir = ""
	}
	state, resumed, err := openCheckpoint(stateDir, plan.ImportID, config.Mapping.Name, config.Restart)
	if err != nil {
		return nil, err
	}
	i := &importer{
		config: config, plan: plan, checkpoint: state,
		notices:  &notices{print: config.Progress.Note},
		upserter: upserter{conn: config.Conn, importID: plan.ImportID, validateOnly: config.DryRun},
	}
	if config.checksOnly() {
		i.rehearsal = newRehearsal(config.Offline)
	}
	if resumed {
		config.Progress.Note("going on where an interrupted import of the same files stopped; --restart would begin anew")
	}
	err = i.runJobs(ctx)
	summary := i.summary(resumed)
	summary.Elapsed = time.Since(begun)
	if err == nil {
		err = state.remove()
	} else if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		err = ErrInterrupted
	}
	return summary, err
}

func (i *importer) runJobs(ctx context.Context) error {
	for _, job := range i.plan.Jobs {
		state := i.checkpoint.job(job.id)
		if state.Done {
			continue
		}
		i.config.Progress.Begin(job, state.Place.Offset, state.Count)
		err := i.runJob(ctx, job, state)
		i.config.Progress.End(state.Count, err == nil)
		if err != nil {
			return err
		}
	}
	return nil
}

// runJob loads one file and leaves the checkpoint where it came to.
func (i *importer) runJob(ctx context.Context, job *Job, state *jobState) error {
	file, err := openErrorFile(i.config.ErrorsDir, job.errorName, i.checkpoint.ErrorBytes[job.errorName])
	if err != nil {
		return err
	}
	g := newGate()
	s := &settler{
		job: job, gate: g, errors: file, state: state, progress: i.config.Progress, rehearsal: i.rehearsal,
		waiting: map[int]*batch{},
		save: func() error {
			i.checkpoint.ErrorBytes[job.errorName] = file.size
			return i.checkpoint.saveSoon()
		},
	}
	err = i.pump(ctx, job, s)
	if err == nil {
		state.Done = true
	}
	return errors.Join(err, file.close(), i.checkpoint.save())
}

// pump runs the three stages of a job until all rows are settled or one stage fails.
func (i *importer) pump(ctx context.Context, job *Job, s *settler) error {
	// Reading stops at once when the import is interrupted; what is under way gets a little time to be answered.
	work, fail := context.WithCancelCause(context.WithoutCancel(ctx))
	defer fail(nil)
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, func() { fail(context.Cause(ctx)) }) })
	defer stop()
	reading, stopReading := context.WithCancelCause(ctx)
	defer stopReading(nil)
	defer context.AfterFunc(work, func() { stopReading(context.Cause(work)) })()

	batches, answered := make(chan *batch), make(chan *batch)
	var group sync.WaitGroup
	var readErr error
	group.Go(func() {
		defer close(batches)
		readErr = newProducer(job, i.batchRows(job.Entity), s.gate, batches).run(reading, s.state.Place)
	})
	group.Go(func() {
		defer close(answered)
		if err := i.delivery(job.Entity)(work, batches, answered); err != nil {
			fail(err)
		}
	})
	for b := range answered {
		if err := s.take(b); err != nil {
			fail(err)
			break
		}
	}
	for range answered { // the others must not wait for a reader
	}
	group.Wait()
	if err := context.Cause(work); err != nil {
		return fmt.Errorf("%s, %s: %w", job.Name, job.Entity, err)
	}
	return readErr
}

// batchRows lets each bundle of transactions have about as many rows as a batch of others. One account may fill a batch,
// so the service's limit holds for the whole.
func (i *importer) batchRows(entity mapping.Entity) int {
	if entity == mapping.Transaction {
		return min(i.config.BatchRows*lanesOf(i.config.InFlight), BatchRowsMost)
	}
	return i.config.BatchRows
}

// delivery chooses how the batches of an entity travel.
func (i *importer) delivery(entity mapping.Entity) delivery {
	if i.config.Offline {
		return deliverNowhere
	}
	fresh := func() *patience { return &patience{limit: i.config.RetryFor, notice: i.notices.say} }
	if entity == mapping.Transaction {
		return deliverLanes(i.upserter, i.config.InFlight, i.config.answerTimeout(), fresh)
	}
	return deliverUnary(i.upserter, entity, i.config.InFlight, i.config.answerTimeout(), fresh)
}

func (i *importer) summary(resumed bool) *Summary {
	s := &Summary{
		ImportID: i.plan.ImportID, Mapping: i.config.Mapping.Name, Resumed: resumed,
		Ignored: i.plan.Ignored, Unmatched: i.plan.Unmatched, Missing: i.plan.Missing,
	}
	for _, job := range i.plan.Jobs {
		state := i.checkpoint.job(job.id)
		result := JobResult{File: job.Name, Entity: job.Entity, Counts: state.Count, Finished: state.Done}
		if state.Count.Rejected > 0 {
			result.ErrorFile = filepath.Join(i.config.ErrorsDir, job.errorName)
		}
		s.Jobs = append(s.Jobs, result)
	}
	if i.rehearsal != nil {
		s.UnknownReferences, s.Incomplete = i.rehearsal.unknown, i.rehearsal.full()
	}
	return s
}
