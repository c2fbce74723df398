// Package insight keeps the results of analytical runs beside the customer, so that a front-office screen never waits
// for the analytical half.
package insight

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"tandem.bank/pkg/money"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
)

const (
	// bundleCustomersMax bounds one statement. A bundle fits into one message, which holds fewer.
	bundleCustomersMax = 100_000
	// integerDigitsMax and decimalPlacesMax bound an amount: its units must fit into 64 bits on the wire.
	integerDigitsMax = 18
	decimalPlacesMax = 38
)

// errMalformed is wrapped by every reason why a bundle can never be applied.
var errMalformed = errors.New("malformed insight bundle")

// rfmBatch is one bundle of RFM results as the statement takes it, one array per column.
type rfmBatch struct {
	runID       pgtype.UUID
	asOf        time.Time
	computedAt  time.Time
	currency    string
	customerIDs []int64
	cells       []string
	recency     []int32
	frequency   []int64
	monetary    []string
}

// parseRfm checks a bundle: the database would refuse parts of it too, but with a sentence that helps nobody.
func parseRfm(b *eventsv1.InsightBundle) (*rfmBatch, error) {
	rfm := b.GetRfm()
	if rfm == nil {
		return nil, fmt.Errorf("%w: results: none that this service knows", errMalformed)
	}
	runID, err := uuid.Parse(b.GetRunId())
	if err != nil {
		return nil, fmt.Errorf("%w: run_id: %w", errMalformed, err)
	}
	asOf, err := time.Parse(time.DateOnly, b.GetAsOf())
	if err != nil {
		return nil, fmt.Errorf("%w: as_of: %w", errMalformed, err)
	}
	if err := b.GetComputedTime().CheckValid(); err != nil {
		return nil, fmt.Errorf("%w: computed_time: %w", errMalformed, err)
	}
	if err := money.CheckCurrency(rfm.GetBaseCurrency()); err != nil {
		return nil, fmt.Errorf("%w: base_currency: %w", errMalformed, err)
	}
	batch := &rfmBatch{
		runID: pgtype.UUID{Bytes: runID, Valid: true}, asOf: asOf, computedAt: b.GetComputedTime().AsTime(),
		currency: rfm.GetBaseCurrency(), customerIDs: rfm.GetCustomerIds(), recency: rfm.GetRecencyDays(),
		frequency: rfm.GetFrequencies(), monetary: rfm.GetMonetaryValues(),
	}
	return batch, batch.check(rfm.GetCells())
}

// check verifies the columns and renders the cells.
func (b *rfmBatch) check(cells []int32) error {
	n := len(b.customerIDs)
	if n > bundleCustomersMax {
		return fmt.Errorf("%w: customer_ids: %d, at most %d", errMalformed, n, bundleCustomersMax)
	}
	for _, c := range []struct {
		name   string
		length int
	}{{"cells", len(cells)}, {"recency_days", len(b.recency)}, {"frequencies", len(b.frequency)}, {"monetary_values", len(b.monetary)}} {
		if c.length != n {
			return fmt.Errorf("%w: %s: has %d entries for %d customers", errMalformed, c.name, c.length, n)
		}
	}
	seen := make(map[int64]struct{}, n)
	b.cells = make([]string, n)
	for i, id := range b.customerIDs {
		if _, twice := seen[id]; twice {
			return fmt.Errorf("%w: customer_ids: %d comes twice", errMalformed, id)
		}
		seen[id] = struct{}{}
		if err := b.checkEntry(i, cells[i]); err != nil {
			return fmt.Errorf("%w: customer %d: %w", errMalformed, id, err)
		}
		b.cells[i] = fmt.Sprintf("%03d", cells[i])
	}
	return nil
}

func (b *rfmBatch) checkEntry(i int, cell int32) error {
	switch {
	case b.customerIDs[i] < 1:
		return errors.New("customer_ids: must be positive")
	case cell < 0 || cell > 999:
		return fmt.Errorf("cells: must have three digits, is %d", cell)
	case b.recency[i] < 0:
		return fmt.Errorf("recency_days: must not be negative, is %d", b.recency[i])
	case b.frequency[i] < 0:
		return fmt.Errorf("frequencies: must not be negative, is %d", b.frequency[i])
	}
	return checkMonetary(b.monetary[i])
}

// checkMonetary refuses what no amount of money can be.
func checkMonetary(text string) error {
	value, err := decimal.NewFromString(text)
	if err != nil {
		return fmt.Errorf("monetary_values: %s is no decimal", strconv.Quote(text))
	}
	exponent := int(value.Exponent())
	if exponent < -decimalPlacesMax || exponent > integerDigitsMax || value.NumDigits()+exponent > integerDigitsMax {
		return fmt.Errorf("monetary_values: %s is out of range", strconv.Quote(text))
	}
	return nil
}
