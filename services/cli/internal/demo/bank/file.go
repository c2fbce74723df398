package bank

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const fileBufferBytes = 64 << 10

// csvFile writes one CSV file: comma separated, UTF-8, one header line, LF. Errors stick: the first one is returned by
// close.
type csvFile struct {
	file *os.File
	buf  *bufio.Writer
	// row is the line under construction, kept to write without allocation.
	row  []byte
	rows int64
	err  error
}

func createFile(dir, name string, columns ...string) (*csvFile, error) {
	file, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return nil, fmt.Errorf("create file: %w", err)
	}
	f := &csvFile{file: file, buf: bufio.NewWriterSize(file, fileBufferBytes)}
	_, f.err = f.buf.WriteString(strings.Join(columns, ",") + "\n")
	return f, nil
}

// text adds a field, quoted where it has to be.
func (f *csvFile) text(s string) *csvFile {
	if !strings.ContainsAny(s, ",\"\n\r") {
		f.row = append(append(f.row, s...), ',')
		return f
	}
	f.row = append(f.row, '"')
	f.row = append(f.row, strings.ReplaceAll(s, `"`, `""`)...)
	f.row = append(f.row, '"', ',')
	return f
}

func (f *csvFile) empty() *csvFile {
	f.row = append(f.row, ',')
	return f
}

func (f *csvFile) number(n int) *csvFile {
	f.row = append(strconv.AppendInt(f.row, int64(n), 10), ',')
	return f
}

// decimal adds a number with a fixed count of decimals; only constants of tables and hidden parameters are written so.
func (f *csvFile) decimal(x float64, decimals int) *csvFile {
	f.row = append(strconv.AppendFloat(f.row, x, 'f', decimals, 64), ',')
	return f
}

// money adds an amount of hundredths as a decimal.
func (f *csvFile) money(hundredths int64) *csvFile {
	if hundredths < 0 {
		f.row = append(f.row, '-')
		hundredths = -hundredths
	}
	f.row = strconv.AppendInt(f.row, hundredths/100, 10)
	f.row = append(f.row, '.', byte('0'+hundredths/10%10), byte('0'+hundredths%10), ',')
	return f
}

// date adds a day as 2006-01-02; the zero day is an empty field.
func (f *csvFile) date(d day) *csvFile {
	if d != 0 {
		f.row = d.time().AppendFormat(f.row, "2006-01-02")
	}
	f.row = append(f.row, ',')
	return f
}

// moment adds seconds since 1970 as an RFC 3339 time in UTC; zero is an empty field.
func (f *csvFile) moment(m moment) *csvFile {
	if m != 0 {
		f.row = m.time().AppendFormat(f.row, "2006-01-02T15:04:05Z")
	}
	f.row = append(f.row, ',')
	return f
}

// key adds an id such as C17A2T305: pairs of a letter and a number. Letters keep the digits apart, so that no id can
// look like a card number.
func (f *csvFile) key(parts ...keyPart) *csvFile {
	for _, part := range parts {
		f.row = strconv.AppendInt(append(f.row, part.letter), int64(part.number), 10)
	}
	f.row = append(f.row, ',')
	return f
}

type keyPart struct {
	letter byte
	number int
}

// end writes the row.
func (f *csvFile) end() {
	f.row[len(f.row)-1] = '\n'
	if f.err == nil {
		_, f.err = f.buf.Write(f.row)
	}
	f.row = f.row[:0]
	f.rows++
}

func (f *csvFile) close() error {
	if f.err == nil {
		f.err = f.buf.Flush()
	}
	if err := f.file.Close(); f.err == nil {
		f.err = err
	}
	if f.err != nil {
		return fmt.Errorf("write %s: %w", f.file.Name(), f.err)
	}
	return nil
}
