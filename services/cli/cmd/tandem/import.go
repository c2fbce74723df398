package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"tandem.bank/services/cli/internal/importer"
	"tandem.bank/services/cli/internal/mapping"
)

// progressInterval is how often progress is printed where no bar can be drawn.
const progressInterval = 5 * time.Second

// ImportCmd loads files by a mapping.
type ImportCmd struct {
	Mapping string   `required:"" short:"m" placeholder:"NAME|FILE" help:"Built-in mapping (berka, demo) or a mapping file."`
	Paths   []string `arg:"" name:"path" help:"Files, or folders whose files are taken."`

	DryRun  bool `help:"Let the service check every row, and write nothing."`
	Offline bool `help:"Check mapping and rows without any service. References to records outside the files stay unchecked."`
	Restart bool `help:"Begin an interrupted import of the same files anew instead of going on where it stopped."`

	ErrorsDir string        `env:"TANDEM_ERRORS_DIR" default:"import-errors" type:"path" help:"Folder for the files of rejected rows."`
	StateDir  string        `env:"TANDEM_STATE_DIR" type:"path" help:"Folder for the checkpoints of unfinished imports; default is in the user's cache folder."`
	RetryFor  time.Duration `default:"2m" help:"How long to try again while the service does not answer."`
	BatchRows int           `default:"1000" help:"Rows of a batch, up to 5000."`
	InFlight  int           `default:"4" help:"Batches that travel at the same time; of transactions, streams, up to 4."`
}

// Help describes what the flags can't.
func (ImportCmd) Help() string {
	return `Rows are upserts by external key: importing the same files again changes nothing. An import that was interrupted goes
on where it stopped when the same command is given again with unchanged files. Rows that can't go in are written to
<errors-dir>/<file>.errors.csv with line, column and reason, and the others go in.

In a dry run a reference to a record that an earlier row of the same files would create counts as known. The service names
the first unknown reference of a row only, so a second one may show in the next run.

Exit codes: 0 every row went in; 3 some rows were rejected; 1 the import failed or was interrupted.`
}

// Run imports the files.
func (c *ImportCmd) Run(ctx context.Context, app *App) error {
	if c.DryRun && c.Offline {
		return fmt.Errorf("--dry-run and --offline exclude each other: one asks the service, the other does not")
	}
	m, err := mapping.Open(c.Mapping)
	if err != nil {
		return err
	}
	config := importer.Config{
		Mapping: m, Paths: c.Paths, BatchRows: c.BatchRows, InFlight: c.InFlight, ErrorsDir: c.ErrorsDir,
		StateDir: c.stateDir(app.globals.CRMAddr), RetryFor: c.RetryFor, DryRun: c.DryRun, Offline: c.Offline, Restart: c.Restart,
	}
	if !c.Offline {
		if config.Conn, err = app.CRM(); err != nil {
			return err
		}
	}
	progress, done := progressOn(app.Err)
	config.Progress = progress
	summary, err := importer.Run(ctx, config)
	done()
	if summary != nil {
		if printErr := c.print(app, summary); printErr != nil {
			return printErr
		}
	}
	if err != nil {
		return err
	}
	if rejected := summary.Total().Rejected; rejected > 0 {
		return &rejectedError{rows: rejected}
	}
	return nil
}

// stateDir is a folder for each service: what an import left unfinished in one bank is nothing to another.
func (c *ImportCmd) stateDir(address string) string {
	if c.StateDir != "" {
		return c.StateDir
	}
	cache, err := os.UserCacheDir()
	if err != nil { // no home folder
		cache = os.TempDir()
	}
	return filepath.Join(cache, "tandem", "import", url.PathEscape(address))
}

// progressOn draws bars on a terminal and prints lines elsewhere.
func progressOn(errs io.Writer) (importer.Progress, func()) {
	if file, ok := errs.(*os.File); ok && drawable(file) {
		bars := importer.NewBars(errs)
		return bars, bars.Close
	}
	return importer.NewLines(errs, progressInterval), func() {}
}

// drawable says whether the file is a terminal with room for bars; some say that they have none.
func drawable(file *os.File) bool {
	width, height, err := term.GetSize(int(file.Fd()))
	return err == nil && width > 0 && height > 0
}

func (c *ImportCmd) print(app *App, s *importer.Summary) error {
	if app.JSON {
		encoder := json.NewEncoder(app.Out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(s)
	}
	for _, ignored := range s.Ignored {
		_, _ = fmt.Fprintln(app.Out, "left out:", ignored)
	}
	if len(s.Unmatched) > 0 {
		_, _ = fmt.Fprintf(app.Out, "not in the mapping %s: %s\n", s.Mapping, strings.Join(s.Unmatched, ", "))
	}
	if len(s.Missing) > 0 {
		_, _ = fmt.Fprintf(app.Out, "no file for: %s\n", strings.Join(s.Missing, ", "))
	}
	if err := c.printTable(app.Out, s); err != nil {
		return err
	}
	if s.UnknownReferences > 0 {
		_, _ = fmt.Fprintf(app.Out, "%d references lead to records outside these files; those must be in Tandem already.\n", s.UnknownReferences)
	}
	if s.Incomplete {
		_, _ = fmt.Fprintln(app.Out, "These files hold more keys than a check can remember: some references may have been called unknown wrongly.")
	}
	switch {
	case c.DryRun:
		_, _ = fmt.Fprintln(app.Out, "Dry run: nothing was written.")
	case c.Offline:
		_, _ = fmt.Fprintln(app.Out, "Checked without the service: nothing was written.")
	}
	return nil
}

func (c *ImportCmd) printTable(out io.Writer, s *importer.Summary) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	total := s.Total()
	titles := []string{"entity", "rows", "created", "updated", "unchanged", "rejected"}
	if c.Offline {
		titles = []string{"entity", "rows", "valid", "rejected"}
	}
	if total.Passed > 0 {
		titles = append(titles, "passed over")
	}
	row := func(name, entity string, counts importer.Counts) {
		cells := []any{entity, counts.Rows(), counts.Created, counts.Updated, counts.Unchanged, counts.Rejected}
		if c.Offline {
			cells = []any{entity, counts.Rows(), counts.Created, counts.Rejected}
		}
		if total.Passed > 0 {
			cells = append(cells, counts.Passed)
		}
		printCells(w, cells)
		_, _ = fmt.Fprintf(w, "  %s\n", name)
	}
	printCells(w, anySlice(titles))
	_, _ = fmt.Fprintln(w, "  file")
	for _, job := range s.Jobs {
		name := job.File
		if job.ErrorFile != "" {
			name += " → " + job.ErrorFile
		}
		row(name, string(job.Entity), job.Counts)
	}
	row(fmt.Sprintf("in %s", s.Elapsed.Round(10*time.Millisecond)), "total", total)
	return w.Flush()
}

func printCells(w io.Writer, cells []any) {
	for _, cell := range cells {
		_, _ = fmt.Fprintf(w, "%v\t", cell)
	}
}

func anySlice(texts []string) []any {
	out := make([]any, len(texts))
	for i, t := range texts {
		out[i] = t
	}
	return out
}
