package customerfact

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// reads notes the tables of records that a piece of the catalogue reads, also through helpers.
func (c *Catalogue) reads(sql string, found map[string]bool) {
	for _, mark := range markPattern.FindAllStringSubmatch(sql, -1) {
		name := mark[1]
		if helper, ok := c.tables[name]; ok {
			c.reads(helper, found)
		}
		if r, ok := records[name]; ok {
			found[r.name()] = true
		}
	}
}

// name is that of the table in which the record's changes arrive.
func (r record) name() string {
	if r.arrives != "" {
		return r.arrives
	}
	return r.table
}

// movedBy are the kept facts that changes in some tables can move, and the others. A source reads what its rows come from, and what
// its facts do.
func (c *Catalogue) movedBy(tables []string) (moved, others []*Fact) {
	facts := c.keptFacts()
	readBy := map[*source]map[string]bool{}
	for _, f := range facts {
		if readBy[f.source] == nil {
			readBy[f.source] = map[string]bool{}
			c.reads(f.source.From, readBy[f.source])
		}
		c.reads(f.SQL, readBy[f.source])
	}
	for _, f := range facts {
		found := false
		for _, table := range tables {
			found = found || readBy[f.source][table]
		}
		if found {
			moved = append(moved, f)
		} else {
			others = append(others, f)
		}
	}
	return moved, others
}

// keepMoved tells those of today's facts anew that changes in some tables can move; the others stay as they were told. A statement over
// all facts costs ClickHouse about a second before it reads a row, whoever changed.
//
// Customers whose facts of today were not told yet are told everything. So are those whom another process told something
// meanwhile: which of the two read later can't be known.
func (s *Service) keepMoved(ctx context.Context, m moment, customers []uint64, tables []string) error {
	moved, others := s.builtin.movedBy(tables)
	of := scope{customers: customers}
	if len(others) == 0 {
		return s.keep(ctx, m, of)
	}
	before := s.nextVersion()
	told, err := s.told(ctx, m, of)
	if err != nil {
		return err
	}
	if told < uint64(len(customers)) {
		return s.keep(ctx, m, of)
	}
	b := s.writer(m, of)
	version, err := s.replace(ctx, b, append(moved, others...), b.merged(moved, others))
	if err != nil {
		return err
	}
	again, err := s.toldBeside(ctx, of, before, version)
	if err != nil || len(again) == 0 {
		return err
	}
	return s.keep(ctx, m, scope{customers: again})
}

// merged is the table expression of facts told anew beside those that are kept.
func (b *builder) merged(moved, kept []*Fact) string {
	columns := []string{"n.customer_id AS customer_id"}
	for _, f := range moved {
		columns = append(columns, "n."+quote(f.Name)+" AS "+quote(f.Name))
	}
	for _, f := range kept {
		columns = append(columns, "k."+quote(f.Name)+" AS "+quote(f.Name))
	}
	return fmt.Sprintf("(SELECT %s\nFROM %s AS n INNER JOIN %s AS k ON k.customer_id = n.customer_id)",
		strings.Join(columns, ", "), b.table(moved), b.keptRows(kept))
}

// told counts the customers of a scope whose facts of the day are kept.
func (s *Service) told(ctx context.Context, m moment, of scope) (count uint64, err error) {
	p := s.parameters(m.day)
	query := "SELECT count() FROM customer_fact FINAL WHERE " + of.in("customer_id", p) + " AND day = " +
		p.bind("day", "Date", m.day.Format(time.DateOnly))
	if err := s.warehouse.QueryRow(ctx, query, p.bound()...).Scan(&count); err != nil {
		return 0, fmt.Errorf("customer facts: look for told customers: %w", err)
	}
	return count, nil
}

// toldBeside are the customers of a scope of whom there are rows after a version, apart from that of another one.
func (s *Service) toldBeside(ctx context.Context, of scope, after, own uint64) (out []uint64, err error) {
	p := s.parameters(s.Today())
	query := fmt.Sprintf("SELECT DISTINCT customer_id FROM customer_fact WHERE %s AND version > %s AND version != %s",
		of.in("customer_id", p), p.bind("after", "UInt64", after), p.bind("own", "UInt64", own))
	err = s.each(ctx, "look for rows beside", func(rows driver.Rows) error {
		var id uint64
		err := rows.Scan(&id)
		out = append(out, id)
		return err
	}, query, p.bound()...)
	return out, err
}
