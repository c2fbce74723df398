// Package rfm values customers by recency, frequency and monetary value of their transactions (Hughes, "Strategic
// Database Marketing", 1994): each of the three is cut into three to five bins by quantile or by fixed
// edges, the highest number is best, and cells have names.
//
// Everything is computed inside ClickHouse, by aggregation into a table of values, cut points over it, and scores from
// both. Customers pass through this program only on their way home, as insights.
package rfm

import (
	"time"

	"github.com/shopspring/decimal"

	"tandem.bank/services/analytics/internal/snapshot"
	"tandem.bank/services/analytics/internal/warehouse"
)

const (
	// BinsDefault is the number of bins of each measure when none is given.
	BinsDefault = 5
	// WindowDaysDefault is the window when none is given: a year.
	WindowDaysDefault = 365
)

// firstDate is the first day that counts. Days before 1970 can't hold transactions.
func (s Settings) firstDate() time.Time {
	first := s.AsOf.AddDate(0, 0, 1-s.WindowDays)
	if first.Before(warehouse.DayMin) {
		return warehouse.DayMin
	}
	return first
}

// Run is one computed snapshot.
type Run struct {
	// Head, whose settings key is empty in runs from before definitions.
	snapshot.Head
	Settings
	Transactions uint64
	Monetary     decimal.Decimal
	BaseCurrency string
	// Segments by cell.
	Segments map[uint16]string
	// RecencyEdges are the upper edges of the bins from the best to the second, in days.
	RecencyEdges []uint32
	// FrequencyEdges and MonetaryEdges are the lower edges of the bins from the second to the best.
	FrequencyEdges []uint64
	MonetaryEdges  []decimal.Decimal
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
	// The bins, from 1.
	RecencyBin, FrequencyBin, MonetaryBin uint8
	// Place in the run, 1 is best.
	Place uint64
}

// Cell is the three bins as one number, for example 545.
func (s Score) Cell() int32 {
	return 100*int32(s.RecencyBin) + 10*int32(s.FrequencyBin) + int32(s.MonetaryBin)
}
