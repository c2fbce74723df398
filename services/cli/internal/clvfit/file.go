// Package clvfit fits lifetime-value models to a plain file of purchases, without any service.
package clvfit

import (
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"tandem.bank/pkg/btyd"
	"tandem.bank/services/cli/internal/csvfile"
)

// Layout says where in a row id, date and amount stand.
type Layout struct {
	// Columns of id, date and amount, counted from 1; zeros are found by the title line, or are the first three.
	Columns [3]int
	// DateFormat of Go's time package; empty takes 2006-01-02, also with a time behind it, 20060102 and 02.01.2006.
	DateFormat string
}

// Purchases are the rows of a file by customer.
type Purchases struct {
	// IDs in the order in which they first appear.
	IDs []string
	// Of each customer.
	Of map[string][]btyd.Purchase
	// Rows read, and the first and last day in them.
	Rows        int
	First, Last time.Time
}

// titles by which a column is found.
var titles = [3][]string{
	{"id", "customer", "customer_id", "customerid", "client", "client_id", "user", "user_id", "account_id"},
	{"date", "day", "purchase_date", "transaction_date", "order_date", "time"},
	{"amount", "value", "sales", "dollars", "price", "total", "spend", "revenue"},
}

// Read reads purchases. A row that can't be read ends it, with the line and the column: a fit to part of a file would look
// like one to the whole.
func Read(r io.Reader, layout Layout) (*Purchases, error) {
	rows, err := open(r)
	if err != nil {
		return nil, err
	}
	p := &Purchases{Of: map[string][]btyd.Purchase{}}
	for first := true; ; first = false {
		record, err := rows.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if first {
			isTitle, err := layout.settle(record.Values)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", record.Line, err)
			}
			if isTitle {
				continue
			}
		}
		if err := p.add(record.Values, layout); err != nil {
			return nil, fmt.Errorf("line %d: %w", record.Line, err)
		}
	}
	if p.Rows == 0 {
		return nil, errors.New("the file holds no purchases")
	}
	return p, nil
}

// settle finds the columns, and says whether the row holds titles: it does when its date is none.
func (l *Layout) settle(row []string) (isTitle bool, err error) {
	explicit := l.Columns != [3]int{}
	if !explicit {
		l.Columns = [3]int{1, 2, 3}
		if found, ok := byTitle(row); ok {
			l.Columns = found
			return true, nil
		}
	}
	if len(row) < slices.Max(l.Columns[:]) {
		return false, fmt.Errorf("has %d columns; %d are needed", len(row), slices.Max(l.Columns[:]))
	}
	_, dateErr := l.day(row[l.Columns[1]-1])
	_, amountErr := amount(row[l.Columns[2]-1])
	return dateErr != nil && amountErr != nil, nil
}

func byTitle(row []string) (columns [3]int, ok bool) {
	for i, names := range titles {
		columns[i] = 1 + slices.IndexFunc(row, func(title string) bool {
			return slices.Contains(names, strings.ToLower(strings.TrimSpace(title)))
		})
	}
	return columns, !slices.Contains(columns[:], 0)
}

func (p *Purchases) add(row []string, l Layout) error {
	if len(row) < slices.Max(l.Columns[:]) {
		return fmt.Errorf("has %d columns; %d are needed", len(row), slices.Max(l.Columns[:]))
	}
	id := strings.TrimSpace(row[l.Columns[0]-1])
	if id == "" {
		return fmt.Errorf("column %d: the id is empty", l.Columns[0])
	}
	day, err := l.day(row[l.Columns[1]-1])
	if err != nil {
		return fmt.Errorf("column %d: %w", l.Columns[1], err)
	}
	value, err := amount(row[l.Columns[2]-1])
	if err != nil {
		return fmt.Errorf("column %d: %w", l.Columns[2], err)
	}
	if p.Of[id] == nil {
		p.IDs = append(p.IDs, id)
	}
	p.Of[id] = append(p.Of[id], btyd.Purchase{Day: day, Amount: value})
	if p.Rows == 0 || day.Before(p.First) {
		p.First = day
	}
	if day.After(p.Last) {
		p.Last = day
	}
	p.Rows++
	return nil
}

func (l *Layout) day(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	formats := []string{time.DateOnly, "20060102", "2.1.2006", time.DateTime, "2006-01-02T15:04:05", time.RFC3339}
	if l.DateFormat != "" {
		formats = []string{l.DateFormat}
	}
	for _, format := range formats {
		if t, err := time.Parse(format, text); err == nil {
			return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a date such as %s; see --date-format", text, strings.Join(formats[:min(3, len(formats))], ", "))
}

// decimalComma is an amount as written in much of Europe. With three digits behind the comma it may be a thousand, and is refused.
var decimalComma = regexp.MustCompile(`^[+-]?[0-9]+,[0-9]{1,2}$`)

func amount(text string) (float64, error) {
	number := strings.TrimSpace(text)
	if decimalComma.MatchString(number) {
		number = strings.Replace(number, ",", ".", 1)
	}
	value, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
		return 0, fmt.Errorf("%q is not an amount", text)
	}
	return value, nil
}

// rows are read from a delimited file, or from one whose columns stand apart by blanks.
type rows struct {
	reader *csvfile.Reader
	blanks bool
}

// sniffBytes is how much of the file tells its delimiter.
const sniffBytes = 4096

func open(r io.Reader) (*rows, error) {
	head := make([]byte, sniffBytes)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	delimiter, blanks := delimiterOf(string(head[:n]))
	options := csvfile.Options{Delimiter: delimiter, Quote: '"'}
	if blanks {
		options.Quote = 0
	}
	reader, err := csvfile.NewReader(io.MultiReader(strings.NewReader(string(head[:n])), r), options)
	return &rows{reader: reader, blanks: blanks}, err
}

// delimiterOf is the first that splits the first line into three or more columns; blanks do when nothing else does.
func delimiterOf(head string) (delimiter rune, blanks bool) {
	line, _, _ := strings.Cut(strings.TrimLeft(head, "\ufeff\r\n"), "\n")
	for _, delimiter := range ",;\t|" {
		if strings.Count(line, string(delimiter)) >= 2 {
			return delimiter, false
		}
	}
	// The reader then gives each line as one value.
	return '\x1f', true
}

func (r *rows) next() (csvfile.Record, error) {
	record, err := r.reader.Next()
	if err == nil && r.blanks {
		record.Values = strings.FieldsFunc(record.Raw, unicode.IsSpace)
	}
	return record, err
}
