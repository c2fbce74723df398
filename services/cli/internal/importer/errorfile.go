package importer

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"tandem.bank/pkg/check"
)

// errorTitles are the columns of a file of rejected rows.
var errorTitles = []string{"file", "line", "entity", "column", "field", "reason", "row"}

// rejection is a row that did not go in, and why.
type rejection struct {
	line int
	// columns of the file and fields of the record that are at fault, as far as known.
	columns, fields []string
	reason          string
	raw             string
}

// errorFile takes the rejected rows of a file. It is created with the first of them.
type errorFile struct {
	path, name string
	size       int64
	file       *os.File
}

// openErrorFile continues a file of rejected rows that had `size` bytes at the checkpoint; with 0 an old one is removed.
func openErrorFile(dir, name string, size int64) (*errorFile, error) {
	e := &errorFile{path: filepath.Join(dir, name), name: name, size: size}
	if size == 0 {
		if err := os.Remove(e.path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("error file: %w", err)
		}
		return e, nil
	}
	// What was written after the checkpoint comes again: cut it off.
	if err := os.Truncate(e.path, size); err != nil {
		return nil, fmt.Errorf("error file of the interrupted import: %w; --restart begins anew", err)
	}
	return e, nil
}

// write appends rejections of one entity.
func (e *errorFile) write(job *Job, rejections []rejection) error {
	if len(rejections) == 0 {
		return nil
	}
	if err := e.open(); err != nil {
		return fmt.Errorf("error file: %w", err)
	}
	var text strings.Builder
	w := csv.NewWriter(&text)
	if e.size == 0 {
		_ = w.Write(errorTitles) // a strings.Builder takes everything
	}
	for _, r := range rejections {
		_ = w.Write([]string{
			job.Name, strconv.Itoa(r.line), string(job.Entity), strings.Join(r.columns, " "), strings.Join(r.fields, " "),
			maskCards(r.reason), maskCards(r.raw),
		})
	}
	w.Flush()
	n, err := io.WriteString(e.file, text.String())
	e.size += int64(n)
	if err != nil {
		return fmt.Errorf("error file: %w", err)
	}
	return nil
}

func (e *errorFile) open() error {
	if e.file != nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(e.path), 0o750); err != nil {
		return err
	}
	var err error
	// Rejected rows may be personal: only the owner reads them.
	e.file, err = os.OpenFile(e.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return err
}

func (e *errorFile) close() error {
	if e.file == nil {
		return nil
	}
	return e.file.Close()
}

// cardLike finds runs of digits, perhaps grouped, that are long enough for a card number.
var cardLike = regexp.MustCompile(`[0-9](?:[ -]?[0-9]){12,}`)

// maskCards hides full card numbers but for their last four digits: a row that was refused for holding one must not
// carry it into another file.
func maskCards(s string) string {
	if !check.HasCardNumber(s) {
		return s
	}
	return cardLike.ReplaceAllStringFunc(s, func(run string) string {
		if !check.HasCardNumber(run) {
			return run
		}
		masked := []byte(run)
		for i := range len(masked) - 4 {
			if masked[i] >= '0' && masked[i] <= '9' {
				masked[i] = '*'
			}
		}
		return string(masked)
	})
}
