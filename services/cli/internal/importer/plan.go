package importer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tandem.bank/services/cli/internal/mapping"
)

// Plan says which files are read, in which order, and which are left out.
type Plan struct {
	// ImportID is the same whenever the same files are loaded by the same mapping.
	ImportID string
	// Jobs in the order of work.
	Jobs []*Job
	// Ignored files, each with the reason that the mapping gives.
	Ignored []string
	// Unmatched are files of the given folders that the mapping does not know.
	Unmatched []string
	// Missing are the patterns of the mapping that no file fits.
	Missing []string
}

// Job is one file read for one entity, or the constants of the mapping for one entity.
type Job struct {
	Entity mapping.Entity
	// Name of the file, or of the mapping for constants.
	Name string
	// Size of the file in bytes; 0 for constants.
	Size int64

	// path of the file; empty for constants.
	path  string
	file  *mapping.File
	feeds []*mapping.Feed
	// constants are the records to load instead of a file.
	constants []mapping.Constant
	// errorName is the name of the file of rejected rows.
	errorName string
	// id names the job in the checkpoint.
	id string
}

// input is a file that the mapping knows.
type input struct {
	path, base string
	size       int64
	sum        string
	file       *mapping.File
}

// NewPlan looks for the files and orders the work. It reads each file once to recognise it by its content.
func NewPlan(m *mapping.Mapping, paths []string) (*Plan, error) {
	plan := &Plan{}
	found, err := listFiles(paths)
	if err != nil {
		return nil, err
	}
	var inputs []*input
	used := map[*mapping.File]bool{}
	for _, f := range found {
		in, err := plan.choose(m, f)
		if err != nil {
			return nil, err
		}
		if in != nil {
			used[in.file] = true
			inputs = append(inputs, in)
		}
	}
	if len(inputs) == 0 {
		return nil, fmt.Errorf("the mapping %s knows none of the files in %s", m.Name, strings.Join(paths, ", "))
	}
	for _, file := range m.Files {
		if !used[file] {
			plan.Missing = append(plan.Missing, strings.Join(file.Match, " or "))
		}
	}
	if err := identify(inputs); err != nil {
		return nil, err
	}
	plan.ImportID = importID(m, inputs)
	plan.addJobs(m, inputs)
	return plan, nil
}

// candidate is a file that was named, or found in a folder.
type candidate struct {
	path  string
	size  int64
	named bool
}

// listFiles returns files in the order of the paths, those of a folder by name. A file is taken once.
func listFiles(paths []string) ([]candidate, error) {
	var out []candidate
	seen := map[string]bool{}
	add := func(path string, info os.FileInfo, named bool) {
		if absolute, err := filepath.Abs(path); err == nil && !seen[absolute] {
			seen[absolute] = true
			out = append(out, candidate{path: path, size: info.Size(), named: named})
		}
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, os.ErrNotExist):
			return nil, fmt.Errorf("%s: there is no such file or folder", path)
		case err != nil:
			return nil, err
		case !info.IsDir():
			add(path, info, true)
			continue
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			// Stat follows links: files are often linked into the folder of an import.
			inner, err := os.Stat(filepath.Join(path, entry.Name()))
			if err != nil {
				return nil, err
			}
			if inner.Mode().IsRegular() && !strings.HasPrefix(entry.Name(), ".") {
				add(filepath.Join(path, entry.Name()), inner, false)
			}
		}
	}
	return out, nil
}

// choose finds what the mapping says about a file; nil when it is not to be loaded.
func (p *Plan) choose(m *mapping.Mapping, f candidate) (*input, error) {
	base := filepath.Base(f.path)
	for _, ignored := range m.Ignored {
		if ignored.Matches(base) {
			p.Ignored = append(p.Ignored, base+": "+ignored.Reason)
			return nil, nil //nolint:nilnil // left out on purpose
		}
	}
	var chosen *mapping.File
	for _, file := range m.Files {
		if !file.Matches(base) {
			continue
		}
		if chosen != nil {
			return nil, fmt.Errorf("%s fits both %q and %q of the mapping %s", base, chosen.Match, file.Match, m.Name)
		}
		chosen = file
	}
	switch {
	case chosen != nil:
		return &input{path: f.path, base: base, size: f.size, file: chosen}, nil
	case f.named:
		return nil, fmt.Errorf("%s: the mapping %s says nothing about this file", f.path, m.Name)
	default:
		p.Unmatched = append(p.Unmatched, base)
		return nil, nil //nolint:nilnil // reported, not loaded
	}
}

// addJobs orders the work by entity, then as the mapping and the paths do.
func (p *Plan) addJobs(m *mapping.Mapping, inputs []*input) {
	errorNames := errorFileNames(m, inputs)
	slices.SortStableFunc(inputs, func(a, b *input) int {
		return slices.Index(m.Files, a.file) - slices.Index(m.Files, b.file)
	})
	for _, entity := range mapping.Entities {
		if constants := constantsOf(m, entity); len(constants) > 0 {
			p.Jobs = append(p.Jobs, &Job{
				Entity: entity, Name: m.Name + " (mapping)", constants: constants,
				errorName: m.Name + ".mapping.errors.csv", id: string(entity) + " of the mapping",
			})
		}
		for _, in := range inputs {
			feeds := in.file.FeedsOf(entity)
			if len(feeds) == 0 {
				continue
			}
			p.Jobs = append(p.Jobs, &Job{
				Entity: entity, Name: in.base, Size: in.size, path: in.path, file: in.file, feeds: feeds,
				errorName: errorNames[in], id: fmt.Sprintf("%s of %s %s", entity, in.base, in.sum),
			})
		}
	}
}

func constantsOf(m *mapping.Mapping, entity mapping.Entity) []mapping.Constant {
	var out []mapping.Constant
	for _, constant := range m.Constants {
		if constant.Entity == entity {
			out = append(out, constant)
		}
	}
	return out
}

// errorFileNames gives each file its own file of rejected rows, also when two folders hold files of one name.
func errorFileNames(m *mapping.Mapping, inputs []*input) map[*input]string {
	names := map[*input]string{}
	taken := map[string]bool{m.Name + ".mapping.errors.csv": true}
	for _, in := range inputs {
		name := in.base + ".errors.csv"
		for n := 2; taken[name]; n++ {
			name = fmt.Sprintf("%s~%d.errors.csv", in.base, n)
		}
		taken[name] = true
		names[in] = name
	}
	return names
}
