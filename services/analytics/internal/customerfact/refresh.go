package customerfact

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"tandem.bank/services/analytics/internal/warehouse"
)

const (
	// rangeCustomers is how many customers one statement of a full refresh is about: it bounds the memory of its joins.
	rangeCustomers = 50_000
	// chunkCustomers is how many changed customers one statement is about.
	chunkCustomers = 5_000
)

// keptFacts are the facts that customer_fact has a column for, in the order of the file, and the maps of attributes.
func (c *Catalogue) keptFacts() []*Fact {
	var out []*Fact
	for _, f := range c.facts {
		if f.of == nil && f.source.kept() {
			out = append(out, f)
		}
	}
	return append(out, c.maps...)
}

// digest tells apart programs that would compute kept facts in different ways.
func (c *Catalogue) digest() string {
	sum := sha256.Sum256(factsYAML)
	return hex.EncodeToString(sum[:8])
}

// keptFor is how long it is believed that the facts of a day are kept, once that was seen: nothing but TRUNCATE ends it before the day
// does. A process whose keeper runs looks more often than that, so that there no question waits for it.
const keptFor = 10 * time.Second

// keptDay is a day whose facts are kept, and when that was seen.
type keptDay struct{ day, seen time.Time }

// keeps reports whether the facts of a moment are kept: those of today are, once all customers were told anew for the day.
func (s *Service) keeps(ctx context.Context, m moment) (bool, error) {
	if !m.known.IsZero() {
		return false, nil
	}
	if last := s.kept.Load(); last != nil && last.day.Equal(m.day) && time.Since(last.seen) < keptFor {
		return true, nil
	}
	day, _, err := s.refreshed(ctx)
	return err == nil && day.Equal(m.day), err
}

// refreshed is the day that the kept facts are of, with the moment at which telling them began; the zero time when there are none that
// this program can read.
func (s *Service) refreshed(ctx context.Context) (day, began time.Time, err error) {
	const query = "SELECT day, began_time FROM customer_fact_refresh FINAL WHERE kind = 'all' AND catalogue = ?"
	err = s.warehouse.QueryRow(ctx, query, s.builtin.digest()).Scan(&day, &began)
	if errors.Is(err, sql.ErrNoRows) {
		s.kept.Store(nil)
		return time.Time{}, time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, time.Time{}, fmt.Errorf("customer facts: look for the last refresh: %w", err)
	}
	day = dateOf(day)
	s.kept.Store(&keptDay{day: day, seen: time.Now()})
	return day, began, nil
}

// nextVersion is greater than all before it, of this process and, as far as clocks agree, of others.
func (s *Service) nextVersion() uint64 {
	s.versionLock.Lock()
	defer s.versionLock.Unlock()
	s.version = max(s.version+1, uint64(time.Now().UnixMicro()))
	return s.version
}

// keep tells today's facts of some customers anew: a row for each that exists, and none any more for the others.
//
// The version is that of the moment before the statement reads, so what was read later stands.
func (s *Service) keep(ctx context.Context, m moment, of scope) error {
	b := s.writer(m, of)
	_, err := s.replace(ctx, b, s.builtin.keptFacts(), b.table(s.builtin.keptFacts()))
	return err
}

// writer is a builder of rows of customer_fact.
func (s *Service) writer(m moment, of scope) *builder {
	return &builder{catalogue: s.builtin, moment: m, scope: of, parameters: s.parameters(m.day)}
}

// replace writes rows of customer_fact out of a table expression that has the facts, and removes those who are not in it.
func (s *Service) replace(ctx context.Context, b *builder, facts []*Fact, table string) (version uint64, err error) {
	version = s.nextVersion()
	names := make([]string, len(facts))
	for i, f := range facts {
		names[i] = quote(f.Name)
	}
	day := b.fill("{day}")
	at := b.parameters.bind("version", "UInt64", version)
	insert := fmt.Sprintf(`INSERT INTO customer_fact (customer_id, day, refreshed_time, version, deleted, %s)
SELECT f.customer_id, %s, fromUnixTimestamp64Micro(toInt64(%s)), %s, 0, f.%s FROM %s AS f`,
		strings.Join(names, ", "), day, at, at, strings.Join(names, ", f."), table)
	if err := s.warehouse.Exec(warehouse.Interpreted(ctx), insert, b.parameters.bound()...); err != nil {
		return 0, fmt.Errorf("customer facts: refresh: %w", err)
	}
	p := s.parameters(b.moment.day)
	at = p.bind("version", "UInt64", version)
	gone := fmt.Sprintf(`INSERT INTO customer_fact (customer_id, day, refreshed_time, version, deleted)
SELECT customer_id, day, refreshed_time, %s, 1 FROM customer_fact FINAL WHERE %s AND version < %s`, at, b.scope.in("customer_id", p), at)
	if err := s.warehouse.Exec(ctx, gone, p.bound()...); err != nil {
		return 0, fmt.Errorf("customer facts: remove customers who are no more: %w", err)
	}
	return version, nil
}

// keepAll tells today's facts of everybody anew, a range of customer numbers at a time; between is called after each of them, with the
// customers done so far. When it has ended, the facts of the day are read from where they are kept.
func (s *Service) keepAll(ctx context.Context, between func(customers uint64) error) error {
	began := time.Now().UTC()
	m, err := s.moment(ctx, s.Today())
	if err != nil {
		return err
	}
	done := uint64(0)
	for from := uint64(0); ; {
		to, err := s.rangeEnd(ctx, from)
		if err != nil {
			return err
		}
		if err := s.keep(ctx, m, scope{from: from, to: to}); err != nil {
			return err
		}
		done += rangeCustomers
		if err := between(done); err != nil {
			return err
		}
		if to == math.MaxUint64 {
			break
		}
		from = to + 1
	}
	return s.note(ctx, "all", m.day, began)
}

// rangeEnd is the number of the last customer of a range that begins with a number.
func (s *Service) rangeEnd(ctx context.Context, from uint64) (uint64, error) {
	const query = "SELECT DISTINCT customer_id FROM customer WHERE customer_id >= ? ORDER BY customer_id LIMIT 1 OFFSET ?"
	var to uint64
	err := s.warehouse.QueryRow(ctx, query, from, s.rangeCustomers-1).Scan(&to)
	if errors.Is(err, sql.ErrNoRows) {
		return math.MaxUint64, nil
	}
	if err != nil {
		return 0, fmt.Errorf("customer facts: divide customers: %w", err)
	}
	return to, nil
}

// note writes down that a refresh is done: "all" of a day, or "changes" until a moment.
func (s *Service) note(ctx context.Context, kind string, day, began time.Time) error {
	const insert = "INSERT INTO customer_fact_refresh (kind, catalogue, day, began_time, ended_time) VALUES (?, ?, ?, ?, ?)"
	err := s.warehouse.Exec(ctx, insert, kind, s.builtin.digest(), day.Format(time.DateOnly),
		began.UTC().Format(timeLayout), time.Now().UTC().Format(timeLayout))
	if err != nil {
		return fmt.Errorf("customer facts: note a refresh: %w", err)
	}
	return nil
}
