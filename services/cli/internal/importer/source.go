package importer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"tandem.bank/services/cli/internal/csvfile"
	"tandem.bank/services/cli/internal/mapping"
)

// source reads the rows of a job's file as the mapping wants them.
type source struct {
	job    *Job
	file   *os.File
	reader *csvfile.Reader
	// titles of the file's columns, for messages; nil without a header.
	titles []string
	// at says where each column of the mapping stands in the file.
	at []int
}

// openSource opens the file and goes to the place; the zero place is the beginning.
func openSource(job *Job, from place) (*source, error) {
	file, err := os.Open(job.path)
	if err != nil {
		return nil, err
	}
	s := &source{job: job, file: file}
	if err := s.start(from); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", job.path, err), file.Close())
	}
	return s, nil
}

func (s *source) start(from place) error {
	if err := s.readHeader(); err != nil {
		return err
	}
	if from.Offset == 0 {
		return nil
	}
	if _, err := s.file.Seek(from.Offset, io.SeekStart); err != nil {
		return err
	}
	return s.readFrom(from)
}

func (s *source) readFrom(from place) error {
	width := len(s.titles)
	if s.reader != nil && width == 0 {
		width = len(s.job.file.Columns)
	}
	var err error
	format := s.job.file.Format
	s.reader, err = csvfile.NewReader(s.file, csvfile.Options{
		Delimiter: format.Delimiter, Quote: format.Quote, Encoding: format.Encoding, Offset: from.Offset, Line: from.Line,
	})
	if err != nil {
		return err
	}
	s.reader.Expect(width)
	return nil
}

// readHeader reads to the first row and finds the columns.
func (s *source) readHeader() error {
	if err := s.readFrom(place{}); err != nil {
		return err
	}
	format, columns := s.job.file.Format, s.job.file.Columns
	if err := s.reader.SkipLines(format.SkipLines); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !format.Header {
		s.reader.Expect(len(columns))
		for i := range columns {
			s.at = append(s.at, i)
		}
		return nil
	}
	header, err := s.reader.Next()
	var damaged *csvfile.RowError
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("the file is empty: not even a header")
	case errors.As(err, &damaged):
		return fmt.Errorf("header: %w", damaged)
	case err != nil:
		return err
	}
	s.reader.Expect(len(header.Values))
	return s.findColumns(header.Values)
}

func (s *source) findColumns(titles []string) error {
	position := map[string]int{}
	for i, title := range titles {
		title = strings.TrimSpace(title)
		s.titles = append(s.titles, title)
		if _, twice := position[title]; twice {
			position[title] = -1
			continue
		}
		position[title] = i
	}
	var missing []string
	for _, column := range s.job.file.Columns {
		at, ok := position[column.Title]
		switch {
		case !ok:
			missing = append(missing, column.Title)
		case at < 0:
			return fmt.Errorf("the header has the column %q twice", column.Title)
		}
		s.at = append(s.at, at)
	}
	if len(missing) > 0 {
		return fmt.Errorf("the header lacks %s; it has %s (is the delimiter %q right?)",
			strings.Join(missing, ", "), strings.Join(s.titles, ", "), s.job.file.Format.Delimiter)
	}
	return nil
}

// next returns a row of the mapping with its record in the file. It returns io.EOF at the end and *csvfile.RowError for
// a damaged row.
func (s *source) next() (*mapping.Row, csvfile.Record, error) {
	record, err := s.reader.Next()
	if err != nil {
		return nil, record, err
	}
	values := make([]string, len(s.at))
	for i, at := range s.at {
		values[i] = record.Values[at]
	}
	return s.job.file.Row(values, record.Line, s.job.Name), record, nil
}

// title names a column of the file by its position.
func (s *source) title(at int) []string {
	switch {
	case at >= 0 && at < len(s.titles):
		return []string{s.titles[at]}
	case at >= 0 && s.titles == nil && at < len(s.job.file.Columns):
		return []string{s.job.file.Columns[at].Title}
	default:
		return nil
	}
}

func (s *source) close() error { return s.file.Close() }
