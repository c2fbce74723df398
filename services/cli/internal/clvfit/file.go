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
	// Columns of id, date and amount, counted from 1; without an amount the last is 0. All zero, they are found by the title line, or
	// are the first ones.
	Columns [3]int
	// DateFormat of Go's time package; empty takes 2006-01-02, 2006/01/02, 20060102 and 02.01.2006, with or without a time behind it.
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
	// Amounts says whether the file holds any; without them every amount is 0.
	Amounts bool
}

// titles by which a column is found, in letters and digits only.
var titles = [3][]string{
	{"id", "customer", "customerid", "cust", "custid", "client", "clientid", "user", "userid", "account", "accountid"},
	{"date", "day", "purchasedate", "transactiondate", "orderdate", "invoicedate", "time", "timestamp", "datetime"},
	{"amount", "value", "sales", "dollars", "price", "total", "totalamount", "spend", "revenue"},
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
	p.Amounts = layout.hasAmount()
	return p, nil
}

func (l *Layout) hasAmount() bool { return l.Columns[2] != 0 }

// settle finds the columns, and says whether the row holds titles: it does when its date is none, and its amount neither.
func (l *Layout) settle(row []string) (isTitle bool, err error) {
	if l.Columns == [3]int{} {
		l.Columns = [3]int{1, 2, 3}
		if len(row) == 2 {
			l.Columns[2] = 0
		}
		if found, ok := byTitle(row); ok {
			l.Columns = found
			return true, nil
		}
	}
	if err := l.check(row); err != nil {
		return false, err
	}
	if _, err := l.day(row[l.Columns[1]-1]); err == nil {
		return false, nil
	}
	if !l.hasAmount() {
		return true, nil
	}
	_, err = amount(row[l.Columns[2]-1])
	return err != nil, nil
}

// check refuses a row that has too few columns.
func (l *Layout) check(row []string) error {
	if needed := slices.Max(l.Columns[:]); len(row) < needed {
		return fmt.Errorf("has %d columns; %d are needed", len(row), needed)
	}
	return nil
}

// byTitle finds the columns by their titles; a file of two columns needs no amount.
func byTitle(row []string) (columns [3]int, ok bool) {
	for i, names := range titles {
		columns[i] = 1 + slices.IndexFunc(row, func(title string) bool { return slices.Contains(names, bare(title)) })
	}
	return columns, columns[0] != 0 && columns[1] != 0 && (columns[2] != 0 || len(row) == 2)
}

// bare is a title without what people put between its words.
func bare(title string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, title)
}

func (p *Purchases) add(row []string, l Layout) error {
	if err := l.check(row); err != nil {
		return err
	}
	id := strings.TrimSpace(row[l.Columns[0]-1])
	if id == "" {
		return fmt.Errorf("column %d: the id is empty", l.Columns[0])
	}
	day, err := l.day(row[l.Columns[1]-1])
	if err != nil {
		return fmt.Errorf("column %d: %w", l.Columns[1], err)
	}
	value := 0.0
	if l.hasAmount() {
		if value, err = amount(row[l.Columns[2]-1]); err != nil {
			return fmt.Errorf("column %d: %w", l.Columns[2], err)
		}
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

// dayFormats are those of days that nobody can mistake for another day.
var dayFormats = []string{time.DateOnly, "20060102", "2.1.2006", "2006/01/02"}

// timeOfDay may follow a day, and is not looked at.
var timeOfDay = regexp.MustCompile(`^[T ] *[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)? ?(Z|UTC|[+-][0-9]{2}:?[0-9]{2})?$`)

func (l *Layout) day(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	if l.DateFormat != "" {
		t, err := time.Parse(l.DateFormat, text)
		if err != nil {
			return t, fmt.Errorf("%q is not a date such as %s; see --columns and --date-format", text, l.DateFormat)
		}
		return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC), nil
	}
	day := text
	if at := strings.IndexAny(text, "T "); at > 0 && timeOfDay.MatchString(text[at:]) {
		day = text[:at]
	}
	for _, format := range dayFormats {
		if t, err := time.Parse(format, day); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a date such as %s; see --columns and --date-format", text, strings.Join(dayFormats, ", "))
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

// delimiters in the order in which they are looked for.
const delimiters = ",;\t|"

// delimiterOf is the first that splits the first line into three or more columns; blanks do when none does, and if neither do they,
// two columns are enough.
func delimiterOf(head string) (delimiter rune, blanks bool) {
	line, _, _ := strings.Cut(strings.TrimLeft(head, "\ufeff\r\n"), "\n")
	for least := 2; least > 0; least-- {
		for _, delimiter := range delimiters {
			if strings.Count(line, string(delimiter)) >= least {
				return delimiter, false
			}
		}
		if len(strings.Fields(line)) > least {
			break
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
