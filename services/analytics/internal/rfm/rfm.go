// Package rfm values customers by recency, frequency and monetary value of their transactions (Hughes, "Strategic
// Database Marketing", 1994): each of the three is cut into five bins by quantile, 5 is best.
//
// Everything is computed inside ClickHouse, by aggregation into a table of values, cut points over it, and scores from
// both. Customers pass through this program only on their way home, as insights.
package rfm

import (
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"tandem.bank/pkg/apperr"
	"tandem.bank/services/analytics/internal/kind"
)

const (
	// Bins is the number of bins of each measure.
	Bins = 5
	// WindowDaysDefault is the window when none is given: a year.
	WindowDaysDefault = 365
)

// Days that the type Date of ClickHouse can hold.
var (
	dayMin = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	dayMax = time.Date(2149, 6, 6, 0, 0, 0, 0, time.UTC)
)

// Settings say what to compute.
type Settings struct {
	// AsOf is the day to look from, inclusive, at midnight UTC.
	AsOf time.Time
	// WindowDays to look back, AsOf included.
	WindowDays int
	// Kinds that count, sorted; none means all but those that the bank books.
	Kinds []string
}

// NewSettings checks what a caller asks for, and completes it.
func NewSettings(asOf time.Time, windowDays int, kinds []string) (Settings, error) {
	if asOf.Before(dayMin) || asOf.After(dayMax) {
		return Settings{}, apperr.InvalidField("as_of", "must be from 1970-01-01 to 2149-06-06")
	}
	if windowDays == 0 {
		windowDays = WindowDaysDefault
	}
	kinds, err := kind.Check("transaction_kinds", kinds)
	if err != nil {
		return Settings{}, err
	}
	return Settings{AsOf: asOf, WindowDays: windowDays, Kinds: kinds}, nil
}

// firstDate is the first day that counts. Days before 1970 can't hold transactions.
func (s Settings) firstDate() time.Time {
	first := s.AsOf.AddDate(0, 0, 1-s.WindowDays)
	if first.Before(dayMin) {
		return dayMin
	}
	return first
}

// Run is one computed snapshot.
type Run struct {
	ID uuid.UUID
	Settings
	Customers    uint64
	Transactions uint64
	Monetary     decimal.Decimal
	BaseCurrency string
	// RecencyEdges are the upper edges of bins 5, 4, 3 and 2, in days.
	RecencyEdges []uint32
	// FrequencyEdges and MonetaryEdges are the lower edges of bins 2, 3, 4 and 5.
	FrequencyEdges []uint64
	MonetaryEdges  []decimal.Decimal
	ComputedTime   time.Time
	// NewestEventTime is the change time of the newest change behind the run; zero when there is none.
	NewestEventTime time.Time
	// InsightsPublished says whether all results went home.
	InsightsPublished bool
}

// Cell sums up the customers of one recency and frequency bin.
type Cell struct {
	Recency, Frequency uint8
	Customers          uint64
	Monetary           decimal.Decimal
}

// Score is one customer's place in a run.
type Score struct {
	CustomerID  uint64
	RecencyDays uint32
	Frequency   uint64
	Monetary    decimal.Decimal
	// The bins, 1 to 5.
	RecencyBin, FrequencyBin, MonetaryBin uint8
	// Place in the run, 1 is best.
	Place uint64
}

// Cell is the three bins as one number, for example 545.
func (s Score) Cell() int32 {
	return 100*int32(s.RecencyBin) + 10*int32(s.FrequencyBin) + int32(s.MonetaryBin)
}
