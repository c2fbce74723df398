package importer

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// saveInterval is how often the checkpoint is written while batches settle. What a crash in between repeats is harmless.
const saveInterval = 500 * time.Millisecond

// place is where to go on in a file.
type place struct {
	Offset int64 `json:"offset"`
	Line   int   `json:"line"`
}

// jobState is how far a job has come.
type jobState struct {
	Done  bool   `json:"done"`
	Place place  `json:"place"`
	Count Counts `json:"count"`
}

// checkpoint is what an interrupted import needs to go on. Its file exists only while an import is unfinished: a finished
// one that is called again reads everything again, and the service finds it unchanged.
type checkpoint struct {
	ImportID string               `json:"import_id"`
	Mapping  string               `json:"mapping"`
	Jobs     map[string]*jobState `json:"jobs"`
	// ErrorBytes is the size of each file of rejected rows that belongs to this state.
	ErrorBytes map[string]int64 `json:"error_bytes"`

	path  string
	saved time.Time
}

// openCheckpoint loads the state of an unfinished import, or begins a new one. resumed tells which. With an empty folder
// nothing is kept.
func openCheckpoint(dir, importID, mappingName string, restart bool) (c *checkpoint, resumed bool, err error) {
	c = &checkpoint{ImportID: importID, Mapping: mappingName, Jobs: map[string]*jobState{}, ErrorBytes: map[string]int64{}}
	if dir == "" {
		return c, false, nil
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, false, fmt.Errorf("state folder: %w", err)
	}
	c.path = filepath.Join(dir, importID+".json")
	if restart {
		return c, false, c.remove()
	}
	content, err := os.ReadFile(c.path)
	if errors.Is(err, os.ErrNotExist) {
		return c, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("checkpoint: %w", err)
	}
	err = json.Unmarshal(content, c)
	if err == nil && (c.ImportID != importID || c.Jobs == nil || c.ErrorBytes == nil) {
		err = errors.New("it is not one of this import")
	}
	if err != nil {
		return nil, false, fmt.Errorf("checkpoint %s can't be used; --restart begins anew: %w", c.path, err)
	}
	return c, true, nil
}

// job returns the state of a job.
func (c *checkpoint) job(id string) *jobState {
	if c.Jobs[id] == nil {
		c.Jobs[id] = &jobState{}
	}
	return c.Jobs[id]
}

// saveSoon writes the checkpoint unless it was written a moment ago.
func (c *checkpoint) saveSoon() error {
	if time.Since(c.saved) < saveInterval {
		return nil
	}
	return c.save()
}

// save writes the checkpoint so that a crash leaves either the old or the new one.
func (c *checkpoint) save() error {
	if c.path == "" {
		return nil
	}
	content, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if err := writeWhole(c.path, content); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	c.saved = time.Now()
	return nil
}

// writeWhole replaces a file in one step.
func writeWhole(path string, content []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = temporary.Write(content)
	if err == nil {
		err = temporary.Sync()
	}
	if closeErr := temporary.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary.Name()))
	}
	return nil
}

// remove forgets the checkpoint.
func (c *checkpoint) remove() error {
	if c.path == "" {
		return nil
	}
	if err := os.Remove(c.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}
