package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// searchJSON holds the statements of a search for a customer's e-mail, of which {n} is the number and {id} the customer's.
//
//go:embed search.json
var searchJSON []byte

// statement is one of a search, with its arguments as texts.
type statement struct {
	SQL  string   `json:"sql"`
	Once bool     `json:"once"`
	Args []string `json:"args"`
}

func (s statement) args(names *strings.Replacer) []any {
	var args []any
	if s.Once {
		args = append(args, pgx.QueryExecModeExec)
	}
	for _, arg := range s.Args {
		args = append(args, names.Replace(arg))
	}
	return args
}

func searchCall(b *bench) work {
	return func(ctx context.Context, worker int, random *rand.Rand) error {
		query := fmt.Sprintf("c%d@example.org", b.customer(random)-1)
		hits, err := b.search(ctx, worker, query)
		if err == nil && hits == 0 {
			return fmt.Errorf("nobody is found by %s", query)
		}
		return err
	}
}

func (b *bench) search(ctx context.Context, worker int, query string) (hits int, err error) {
	req := &crmv1.SearchCustomersRequest{Query: query}
	answer, err := crmv1.NewSearchServiceClient(b.conns[worker%connections]).SearchCustomers(ctx, req)
	return len(answer.GetHits()), err
}

// searchRead runs the statements one after the other, as each follows from the one before.
func searchRead(b *bench) reading {
	return func(ctx context.Context, random *rand.Rand) ([]int64, error) {
		id := b.customer(random)
		names := strings.NewReplacer("{n}", strconv.FormatInt(id-1, 10), "{id}", strconv.FormatInt(id, 10))
		conn, err := b.pool.Acquire(ctx)
		if err != nil {
			return nil, err
		}
		defer conn.Release()
		for _, s := range b.searched {
			if len(s.Args) == 0 { // the beginning and the end are several statements in one
				_, err = conn.Exec(ctx, s.SQL)
			} else {
				err = readStatement(ctx, conn.Conn(), s, names)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.SQL, err)
			}
		}
		return []int64{id}, nil
	}
}

func readStatement(ctx context.Context, conn *pgx.Conn, s statement, names *strings.Replacer) error {
	rows, err := conn.Query(ctx, s.SQL, s.args(names)...)
	if err != nil {
		return err
	}
	return readAll(rows, nil)
}

func readSearch() (statements []statement, err error) {
	err = json.Unmarshal(searchJSON, &statements)
	return statements, err
}

// questions are what the front office types, of a customer: an e-mail, a phone, a name that is rare, one that all have, one
// of each, a beginning, and a slip.
var questions = []string{
	"c%[1]d@example.org", "+4206%08[1]d", "%[1]d", "Jana", "Nováková %[1]d", "Nová*", "Jana Novaková", "Novkáová %[1]d",
}

// searchAny asks the questions in turn.
func searchAny(b *bench) work {
	var asked atomic.Int64
	return func(ctx context.Context, worker int, random *rand.Rand) error {
		question := questions[int(asked.Add(1))%len(questions)]
		number := b.customer(random) - 1
		if strings.Contains(question, "%") {
			question = fmt.Sprintf(question, number)
		}
		_, err := b.search(ctx, worker, question)
		return err
	}
}
