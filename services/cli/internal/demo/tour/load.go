package tour

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"tandem.bank/services/cli/internal/importer"
	"tandem.bank/services/cli/internal/mapping"
	"tandem.bank/services/cli/internal/show"
)

// load imports the bank's files and notes how much came in of each kind of record.
func (t *tour) load(ctx context.Context) error {
	m, err := mapping.Open(t.source.mapping)
	if err != nil {
		return err
	}
	progress, endShow := t.config.Progress()
	watch := &stopwatch{Progress: progress, took: map[mapping.Entity]time.Duration{}}
	config := t.config.Import
	config.Mapping, config.Paths, config.Conn, config.Progress = m, t.source.paths, t.config.CRM, watch
	config.ErrorsDir = filepath.Join(t.config.WorkDir, "errors")
	config.StateDir = filepath.Join(t.config.WorkDir, "state")
	summary, err := importer.Run(ctx, config)
	t.loaded = time.Now()
	endShow()
	if err != nil {
		return err
	}
	if len(summary.Missing) > 0 {
		return fmt.Errorf("these files are missing: %v", summary.Missing)
	}
	t.report.Volumes = volumes(summary, watch.took)
	for _, job := range summary.Jobs {
		if job.Rejected > 0 {
			t.console.note("%s rows of %s were rejected, see %s", show.Count(job.Rejected), job.File, job.ErrorFile)
		}
	}
	if summary.Total().Rows() == 0 {
		return errors.New("the files hold no rows")
	}
	return nil
}

// volumes adds up the jobs of each entity, in the order of loading.
func volumes(summary *importer.Summary, took map[mapping.Entity]time.Duration) []Volume {
	var found []Volume
	for _, entity := range mapping.Entities {
		var counts importer.Counts
		jobs := 0
		for _, job := range summary.Jobs {
			if job.Entity == entity {
				jobs++
				counts = counts.Plus(job.Counts)
			}
		}
		if jobs == 0 {
			continue
		}
		found = append(found, Volume{
			Entity: string(entity), Read: counts.Rows(), Created: counts.Created, Updated: counts.Updated,
			Unchanged: counts.Unchanged, Rejected: counts.Rejected, Took: took[entity],
		})
	}
	return found
}

// stopwatch passes an import's progress on and takes the time of each entity.
type stopwatch struct {
	importer.Progress
	took   map[mapping.Entity]time.Duration
	entity mapping.Entity
	begun  time.Time
}

// Begin starts the watch.
func (s *stopwatch) Begin(job *importer.Job, offset int64, before importer.Counts) {
	s.entity, s.begun = job.Entity, time.Now()
	s.Progress.Begin(job, offset, before)
}

// End stops it.
func (s *stopwatch) End(counts importer.Counts, whole bool) {
	s.took[s.entity] += time.Since(s.begun)
	s.Progress.End(counts, whole)
}

// addStored puts what ClickHouse has beside what came in. Its tables have the names of the entities.
func addStored(volumes []Volume, rows map[string]uint64) {
	for i := range volumes {
		volumes[i].Stored = rows[volumes[i].Entity]
	}
}
