// Package planfile reads planned figures from CSV files.
//
// The first line names the columns, in any order: unit_kind, unit, indicator, period, period_start, amount, currency, volume,
// price, withdrawn. unit is a number, a key as source/id, or a name, by its kind; it is empty for the bank. The others are
// those of tandem.crm.v1.PlanValue; volume, price, currency and withdrawn may be missing.
package planfile

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem.bank/pkg/date"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

var (
	columns  = []string{"unit_kind", "unit", "indicator", "period", "period_start", "amount", "currency", "volume", "price", "withdrawn"}
	required = columns[:6]
)

// RowError is what is wrong with one line.
type RowError struct {
	Line int64
	// Field is the column, empty when the line itself is broken.
	Field, Reason string
}

// Error names line and field.
func (e *RowError) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("line %d: %s", e.Line, e.Reason)
	}
	return fmt.Sprintf("line %d: %s: %s", e.Line, e.Field, e.Reason)
}

// Reader reads rows one by one.
type Reader struct {
	csv *csv.Reader
	at  map[string]int
}

// Open reads the names of the columns.
func Open(r io.Reader) (*Reader, error) {
	reader := csv.NewReader(r)
	reader.FieldsPerRecord = -1 // a line with too few cells is told by its number, and the others go on
	head, err := reader.Read()
	if err != nil {
		return nil, fmt.Errorf("line 1: the names of the columns can't be read: %w", err)
	}
	at := map[string]int{}
	for i, name := range head {
		name = strings.TrimPrefix(strings.TrimSpace(name), "\ufeff")
		if !slices.Contains(columns, name) {
			return nil, fmt.Errorf("line 1: %q is not one of the columns %s", name, strings.Join(columns, ", "))
		}
		if _, twice := at[name]; twice {
			return nil, fmt.Errorf("line 1: the column %s comes twice", name)
		}
		at[name] = i
	}
	for _, name := range required {
		if _, has := at[name]; !has {
			return nil, fmt.Errorf("line 1: the column %s is missing", name)
		}
	}
	return &Reader{csv: reader, at: at}, nil
}

// Read returns the next row, a *RowError for a line that can't be one, or io.EOF behind the last.
func (r *Reader) Read() (*crmv1.PlanImportRow, error) {
	cells, err := r.csv.Read()
	if broken, ok := errors.AsType[*csv.ParseError](err); ok {
		return nil, &RowError{Line: int64(broken.StartLine), Reason: broken.Err.Error()}
	}
	if err != nil {
		return nil, err
	}
	number, _ := r.csv.FieldPos(0)
	line := &line{cells: cells, at: r.at, number: int64(number)}
	if len(cells) != len(r.at) {
		return nil, &RowError{Line: line.number, Reason: fmt.Sprintf("has %d cells, and there are %d columns", len(cells), len(r.at))}
	}
	value := &crmv1.PlanValue{
		Unit: line.unit(), Indicator: line.cell("indicator"), Period: line.period(), Amount: line.cell("amount"), Currency: line.cell("currency"),
		Volume: line.cell("volume"), Price: line.cell("price"), Withdrawn: line.withdrawn(),
	}
	if start, err := time.Parse(time.DateOnly, line.cell("period_start")); err == nil {
		value.PeriodStart = date.Proto(start)
	} else {
		line.fail("period_start", "is not a day such as 2026-01-01")
	}
	if line.err != nil {
		return nil, line.err
	}
	return &crmv1.PlanImportRow{Line: line.number, Value: value}, nil
}

// line is a line on its way; it keeps the first fault.
type line struct {
	cells  []string
	at     map[string]int
	number int64
	err    error
}

func (l *line) cell(name string) string {
	if at, has := l.at[name]; has {
		return strings.TrimSpace(l.cells[at])
	}
	return ""
}

func (l *line) fail(field, reason string) {
	if l.err == nil {
		l.err = &RowError{Line: l.number, Field: field, Reason: reason}
	}
}

func (l *line) period() crmv1.PlanPeriod {
	switch l.cell("period") {
	case "month":
		return crmv1.PlanPeriod_PLAN_PERIOD_MONTH
	case "quarter":
		return crmv1.PlanPeriod_PLAN_PERIOD_QUARTER
	case "year":
		return crmv1.PlanPeriod_PLAN_PERIOD_YEAR
	}
	l.fail("period", "must be month, quarter or year")
	return crmv1.PlanPeriod_PLAN_PERIOD_UNSPECIFIED
}

func (l *line) withdrawn() bool {
	text := l.cell("withdrawn")
	if text == "" {
		return false
	}
	yes, err := strconv.ParseBool(text)
	if err != nil {
		l.fail("withdrawn", "must be true, false or empty")
	}
	return yes
}

// unit reads what a figure is for.
func (l *line) unit() *crmv1.PlanUnit {
	text := l.cell("unit")
	switch l.cell("unit_kind") {
	case "bank":
		if text != "" {
			l.fail("unit", "must be empty for the bank")
		}
		return &crmv1.PlanUnit{Unit: &crmv1.PlanUnit_Bank{Bank: true}}
	case "segment":
		return &crmv1.PlanUnit{Unit: &crmv1.PlanUnit_Segment{Segment: text}}
	case "sector":
		return &crmv1.PlanUnit{Unit: &crmv1.PlanUnit_Sector{Sector: text}}
	case "campaign":
		return &crmv1.PlanUnit{Unit: &crmv1.PlanUnit_Campaign{Campaign: text}}
	}
	id, key := l.reference(text)
	switch l.cell("unit_kind") {
	case "region":
		if key != nil {
			return &crmv1.PlanUnit{Unit: &crmv1.PlanUnit_RegionKey{RegionKey: key}}
		}
		return &crmv1.PlanUnit{Unit: &crmv1.PlanUnit_RegionId{RegionId: id}}
	case "branch":
		if key != nil {
			return &crmv1.PlanUnit{Unit: &crmv1.PlanUnit_BranchKey{BranchKey: key}}
		}
		return &crmv1.PlanUnit{Unit: &crmv1.PlanUnit_BranchId{BranchId: id}}
	case "manager":
		if key != nil {
			return &crmv1.PlanUnit{Unit: &crmv1.PlanUnit_ManagerKey{ManagerKey: key}}
		}
		return &crmv1.PlanUnit{Unit: &crmv1.PlanUnit_ManagerId{ManagerId: id}}
	case "customer":
		if key != nil {
			return &crmv1.PlanUnit{Unit: &crmv1.PlanUnit_CustomerKey{CustomerKey: key}}
		}
		return &crmv1.PlanUnit{Unit: &crmv1.PlanUnit_CustomerId{CustomerId: id}}
	}
	l.err = &RowError{
		Line: l.number, Field: "unit_kind", Reason: "must be bank, region, branch, manager, customer, segment, sector or campaign",
	}
	return nil
}

// reference reads a number, or a key as source/id.
func (l *line) reference(text string) (int64, *crmv1.ExternalKey) {
	if source, id, isKey := strings.Cut(text, "/"); isKey {
		return 0, &crmv1.ExternalKey{Source: source, ExternalId: id}
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		l.fail("unit", "must be a number, or a key such as demo/B1")
	}
	return id, nil
}
