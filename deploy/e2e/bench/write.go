package main

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// The change of a row alone.
var (
	//go:embed create.sql
	createSQL string
	//go:embed update.sql
	updateSQL string
)

// All that a call sends: it reads and changes the row, and what every write leaves follows: event, entry of the audit, answer for
// repeated calls, commit.
var (
	//go:embed create_call.sql
	createCallSQL string
	//go:embed update_call.sql
	updateCallSQL string
	//go:embed kept.sql
	keptSQL string
)

const callText = "The customer asked about the terms of a loan and will call again next week."

func createCall(b *bench) work {
	return func(ctx context.Context, worker int, random *rand.Rand) error {
		_, err := crmv1.NewInteractionServiceClient(b.conns[worker%connections]).CreateInteraction(ctx, &crmv1.CreateInteractionRequest{
			RequestId: uuid.NewString(),
			Interaction: &crmv1.Interaction{
				CustomerId: b.customer(random), ManagerId: b.manager(random),
				Kind:    crmv1.InteractionKind_INTERACTION_KIND_CALL,
				Channel: crmv1.Channel_CHANNEL_PHONE, OpenedTime: timestamppb.Now(),
				Subject: "Loan", Text: callText, Outcome: "call again", DurationSeconds: 240,
			},
		})
		return err
	}
}

func createBare(b *bench) work {
	return func(ctx context.Context, _ int, random *rand.Rand) error {
		_, err := b.pool.Exec(ctx, createSQL, b.customer(random), "call", "phone", time.Now(), b.manager(random), "Loan", callText, "call again", 240)
		return err
	}
}

func createAll(b *bench) work {
	return b.written(createCallSQL, "interaction", func(random *rand.Rand) change {
		customer, manager := b.customer(random), b.manager(random)
		return change{
			method: crmv1.InteractionService_CreateInteraction_FullMethodName, action: "create", customer: customer,
			reads: [][]any{{}, {}, {[]int64{customer}}, {[]int64{manager}}},
			row: func(id int64, hash []byte) []any {
				return []any{
					id, nil, nil, hash, nil, customer, "call", "phone", time.Now(), manager, nil, "Loan", callText, "call again", 240,
					"", "", nil, nil, nil, 0, "[]", nil, nil, "", "", nil, nil, "[]", "", nil, nil, 0, nil, nil,
				}
			},
		}
	})
}

func (b *bench) phone() string { return fmt.Sprintf("+4207%08d", b.next.Add(1)) }

func updateCall(b *bench) work {
	mask := &fieldmaskpb.FieldMask{Paths: []string{"phone"}}
	return func(ctx context.Context, worker int, random *rand.Rand) error {
		_, err := crmv1.NewCustomerServiceClient(b.conns[worker%connections]).UpdateCustomer(ctx, &crmv1.UpdateCustomerRequest{
			RequestId: uuid.NewString(), UpdateMask: mask,
			Customer: &crmv1.Customer{CustomerId: b.customer(random), Phone: b.phone()},
		})
		return err
	}
}

func updateBare(b *bench) work {
	return func(ctx context.Context, _ int, random *rand.Rand) error {
		tag, err := b.pool.Exec(ctx, updateSQL, b.customer(random), b.phone())
		if err == nil && tag.RowsAffected() != 1 {
			return errors.New("no customer was changed")
		}
		return err
	}
}

func updateAll(b *bench) work {
	return b.written(updateCallSQL, "customer", func(random *rand.Rand) change {
		customer, phone := b.customer(random), b.phone()
		return change{
			method: crmv1.CustomerService_UpdateCustomer_FullMethodName, action: "update", customer: customer,
			reads: [][]any{{}, {customer}},
			row:   func(_ int64, hash []byte) []any { return []any{customer, hash, nil, phone} },
		}
	})
}

// change is what a call writes.
type change struct {
	method, action string
	customer       int64
	// reads are the arguments of the statements before the first that writes.
	reads [][]any
	// row are the arguments of that one; id is the first number that was read.
	row func(id int64, hash []byte) []any
}

// written sends all statements of a call, in the two round trips in which crm sends them.
func (b *bench) written(sql, entity string, next func(*rand.Rand) change) work {
	statements := append(statementsOf(sql), statementsOf(keptSQL)...)
	return func(ctx context.Context, _ int, random *rand.Rand) error {
		payload, err := b.payload(ctx, entity)
		if err != nil {
			return err
		}
		c := next(random)
		conn, err := b.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		id, err := sendAll(ctx, conn, statements[:len(c.reads)], c.reads)
		if err != nil {
			return err
		}
		request := uuid.NewString()
		hash := sha256.Sum256([]byte(request))
		_, err = sendAll(ctx, conn, statements[len(c.reads):], [][]any{
			c.row(id, hash[:]),
			{uuid.NewString(), entity, id, 1, false, payload},
			{"bench", "127.0.0.1:50000", c.method, request, "", c.action, entity, id, 1, c.customer, nil, nil, `{"phone":"+420700000000"}`},
			{request, hash[:], payload},
			{},
		})
		return err
	}
}

// payload is an event as crm left it; the answer that is kept for a repeated call has the same fields.
func (b *bench) payload(ctx context.Context, entity string) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if known, ok := b.payloads[entity]; ok {
		return known, nil
	}
	var payload []byte
	err := b.pool.QueryRow(ctx, "SELECT payload FROM outbox WHERE entity = $1 AND NOT deleted LIMIT 1", entity).Scan(&payload)
	if err != nil {
		return nil, fmt.Errorf("an event of %s: %w", entity, err)
	}
	b.payloads[entity] = payload
	return payload, nil
}

// statementsOf are those of a file.
func statementsOf(sql string) []string { return strings.Split(strings.TrimSpace(sql), ";\n") }

// batcher is a pool or one of its connections.
type batcher interface {
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
}

// sendAll sends statements in one round trip and returns the first number of the first row.
func sendAll(ctx context.Context, to batcher, statements []string, args [][]any) (first int64, err error) {
	if len(statements) != len(args) {
		return 0, fmt.Errorf("%d statements, and there are arguments for %d", len(statements), len(args))
	}
	batch := &pgx.Batch{}
	for i, sql := range statements {
		batch.Queue(sql, args[i]...)
	}
	results := to.SendBatch(ctx, batch)
	for range statements {
		rows, err := results.Query()
		if err == nil {
			err = readAll(rows, func(values []any) {
				if id, ok := values[0].(int64); ok && first == 0 {
					first = id
				}
			})
		}
		if err != nil {
			return 0, errors.Join(err, results.Close())
		}
	}
	return first, results.Close()
}
