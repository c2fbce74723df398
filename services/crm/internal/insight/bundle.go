// Package insight keeps the results of analytical runs beside the customer, so that a front-office screen never waits
// for the analytical half.
package insight

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"tandem.bank/pkg/money"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
)

const (
	// bundleCustomersMax bounds a bundle. It fits into one message, which holds fewer.
	bundleCustomersMax = 100_000
	// integerDigitsMax and decimalPlacesMax bound an amount: its units must fit into 64 bits on the wire.
	integerDigitsMax = 18
	decimalPlacesMax = 38
)

// errMalformed is wrapped by every reason why a bundle can never be applied.
var errMalformed = errors.New("malformed insight bundle")

// batch is one bundle as statements take it.
type batch interface {
	// customers that have a result.
	customers() []int64
	// apply is the statement that writes the results of known customers within a span, and its arguments.
	apply(s span, known []int64) (sql string, args []any)
}

// span is a part of a bundle: the entries from one to before another.
type span struct{ from, to int }

// cut takes a span out of a column.
func cut[T any](column []T, s span) []T { return column[s.from:s.to] }

// header is what bundles of all kinds have.
type header struct {
	runID      pgtype.UUID
	asOf       time.Time
	computedAt time.Time
	// currency of the results that are amounts.
	currency string
}

// args are the first arguments of the statements about amounts.
func (h header) args(more ...any) []any {
	return append([]any{h.asOf, h.runID, h.currency, h.computedAt}, more...)
}

// parse checks a bundle: the database would refuse parts of it too, but with a sentence that helps nobody.
func parse(b *eventsv1.InsightBundle) (batch, error) {
	h, err := parseHeader(b)
	if err != nil {
		return nil, err
	}
	switch results := b.GetResults().(type) {
	case *eventsv1.InsightBundle_Rfm:
		if h, err = h.in(results.Rfm.GetBaseCurrency()); err != nil {
			return nil, err
		}
		return parseRfm(h, results.Rfm)
	case *eventsv1.InsightBundle_Clv:
		if h, err = h.in(results.Clv.GetBaseCurrency()); err != nil {
			return nil, err
		}
		return parseClv(h, results.Clv)
	case *eventsv1.InsightBundle_Segments:
		return parseSegment(h, results.Segments)
	case *eventsv1.InsightBundle_Scores:
		return parseScore(h, results.Scores)
	}
	return nil, fmt.Errorf("%w: results: none that this service knows", errMalformed)
}

func parseHeader(b *eventsv1.InsightBundle) (header, error) {
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
	return header{runID: pgtype.UUID{Bytes: runID, Valid: true}, asOf: asOf, computedAt: b.GetComputedTime().AsTime()}, nil
}

// in adds the currency of amounts.
func (h header) in(currency string) (header, error) {
	if err := money.CheckCurrency(currency); err != nil {
		return header{}, fmt.Errorf("%w: base_currency: %w", errMalformed, err)
	}
	h.currency = currency
	return h, nil
}

var (
	// definitionName is what crm calls definitions.
	definitionName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
	// segmentName is a definition, or a part of one that divides customers: "habits/2", "bank_profile/invest".
	segmentName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}(/[a-z0-9_]{1,64})?$`)
)

// checkDefinition verifies that results have a name of the pattern, and the version of the definition that they follow from.
func checkDefinition(field string, pattern *regexp.Regexp, name string, version int64) error {
	switch {
	case !pattern.MatchString(name):
		return fmt.Errorf("%w: %s: %q is no name of a %s", errMalformed, field, name, field)
	case version < 1:
		return fmt.Errorf("%w: definition_version: must be positive, is %d", errMalformed, version)
	}
	return nil
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
