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

// batch is one bundle as a statement takes it.
type batch interface {
	// customers that have a result.
	customers() []int64
	// apply is the statement that writes the results of known customers, and its arguments.
	apply(known []int64) (sql string, args []any)
}

// header is what bundles of all kinds have.
type header struct {
	runID      pgtype.UUID
	asOf       time.Time
	computedAt time.Time
	currency   string
}

// args are the first arguments of every statement.
func (h header) args(more ...any) []any {
	return append([]any{h.asOf, h.runID, h.currency, h.computedAt}, more...)
}

// parse checks a bundle: the database would refuse parts of it too, but with a sentence that helps nobody.
func parse(b *eventsv1.InsightBundle) (batch, error) {
	switch results := b.GetResults().(type) {
	case *eventsv1.InsightBundle_Rfm:
		h, err := parseHeader(b, results.Rfm.GetBaseCurrency())
		if err != nil {
			return nil, err
		}
		return parseRfm(h, results.Rfm)
	case *eventsv1.InsightBundle_Clv:
		h, err := parseHeader(b, results.Clv.GetBaseCurrency())
		if err != nil {
			return nil, err
		}
		return parseClv(h, results.Clv)
	}
	return nil, fmt.Errorf("%w: results: none that this service knows", errMalformed)
}

func parseHeader(b *eventsv1.InsightBundle, currency string) (header, error) {
	runID, err := uuid.Parse(b.GetRunId())
	if err != nil {
		return header{}, fmt.Errorf("%w: run_id: %w", errMalformed, err)
	}
	asOf, err := time.Parse(time.DateOnly, b.GetAsOf())
	if err != nil {
		return header{}, fmt.Errorf("%w: as_of: %w", errMalformed, err)
	}
	if err := b.GetComputedTime().CheckValid(); err != nil {
		return header{}, fmt.Errorf("%w: computed_time: %w", errMalformed, err)
	}
	if err := money.CheckCurrency(currency); err != nil {
		return header{}, fmt.Errorf("%w: base_currency: %w", errMalformed, err)
	}
	return header{
		runID: pgtype.UUID{Bytes: runID, Valid: true}, asOf: asOf, computedAt: b.GetComputedTime().AsTime(), currency: currency,
	}, nil
}

// column is a list that must have an entry for each customer.
type column struct {
	name   string
	length int
}

// checkColumns verifies that the customers are different ones, and that every column has an entry for each.
func checkColumns(customerIDs []int64, columns ...column) error {
	n := len(customerIDs)
	if n > bundleCustomersMax {
		return fmt.Errorf("%w: customer_ids: %d, at most %d", errMalformed, n, bundleCustomersMax)
	}
	for _, c := range columns {
		if c.length != n {
			return fmt.Errorf("%w: %s: has %d entries for %d customers", errMalformed, c.name, c.length, n)
		}
	}
	seen := make(map[int64]struct{}, n)
	for _, id := range customerIDs {
		if _, twice := seen[id]; twice {
			return fmt.Errorf("%w: customer_ids: %d comes twice", errMalformed, id)
		}
		if id < 1 {
			return fmt.Errorf("%w: customer_ids: must be positive, is %d", errMalformed, id)
		}
		seen[id] = struct{}{}
	}
	return nil
}

// checkMonetary refuses what no amount of money can be.
func checkMonetary(field, text string) error {
	value, err := decimal.NewFromString(text)
	if err != nil {
		return fmt.Errorf("%s: %s is no decimal", field, strconv.Quote(text))
	}
	exponent := int(value.Exponent())
	if exponent < -decimalPlacesMax || exponent > integerDigitsMax || value.NumDigits()+exponent > integerDigitsMax {
		return fmt.Errorf("%s: %s is out of range", field, strconv.Quote(text))
	}
	return nil
}
