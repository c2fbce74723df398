package customerfact_test

import (
	"math/rand/v2"
	"strconv"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
)

// world makes changes at random, of few records that meet each other often.
type world struct {
	random *rand.Rand
	// versions by entity and number, so that each change of a record is newer than the one before.
	versions map[string]int64
	entries  int64
}

func newWorld(seed uint64) *world {
	return &world{random: rand.New(rand.NewPCG(seed, 3)), versions: map[string]int64{}}
}

const (
	worldCustomers = 12
	worldRecords   = 16
)

func (w *world) id(most int64) int64 { return 1 + w.random.Int64N(most) }

func (w *world) one(words ...string) string { return words[w.random.IntN(len(words))] }

// on is a day before the moment, one time in three none at all.
func (w *world) on(at time.Time, days int) string {
	if w.random.IntN(3) == 0 {
		return ""
	}
	return w.past(at, days)
}

func (w *world) past(at time.Time, days int) string {
	return at.AddDate(0, 0, -w.random.IntN(days)).Format(time.DateOnly)
}

func (w *world) amount(currency string) *eventsv1.Amount {
	return &eventsv1.Amount{Currency: currency, Value: w.value()}
}

func (w *world) value() string { return strconv.Itoa(1 + w.random.IntN(90000)) }

// next is a change of a record at a moment, a deletion now and then.
func (w *world) next(entity string, id int64, at time.Time) *eventsv1.Change {
	key := entity + strconv.FormatInt(id, 10)
	w.versions[key]++
	return &eventsv1.Change{
		Entity: entity, EntityId: id, Version: w.versions[key], ChangeTime: timestamppb.New(at), Deleted: w.random.IntN(12) == 0,
	}
}

// changes are some changes of any kind.
func (w *world) changes(at time.Time, n int) []*eventsv1.Change {
	makers := []func(time.Time) *eventsv1.Change{
		w.customer, w.customer, w.account, w.holder, w.entry, w.entry, w.entry, w.balance, w.contract, w.party, w.instalment, w.card,
		w.consent, w.interaction, w.relation, w.behaviour,
	}
	out := make([]*eventsv1.Change, n)
	for i := range out {
		out[i] = makers[w.random.IntN(len(makers))](at)
	}
	return out
}

func (w *world) customer(at time.Time) *eventsv1.Change {
	c := w.next("customer", w.id(worldCustomers), at)
	state := &eventsv1.CustomerState{
		Kind: w.one("individual", "individual", "organisation"), State: w.one("prospect", "active", "former"), Sex: w.one("", "female", "male"),
		BirthDate: w.on(at, 20000), CustomerSince: w.on(at, 4000), StateSince: w.on(at, 90), RegionId: w.random.Int64N(3),
		BranchId: w.random.Int64N(3), MonthlyIncome: w.amount(w.one("EUR", "CZK", "USD")), Employees: w.random.Int32N(300),
		Interests: []string{w.one("golf", "chess")}, Attributes: map[string]*eventsv1.AttributeState{
			"size": {Value: &eventsv1.AttributeState_Integer{Integer: w.random.Int64N(50)}},
		},
	}
	c.Payload = &eventsv1.Change_Customer{Customer: state}
	return c
}

func (w *world) account(at time.Time) *eventsv1.Change {
	c := w.next("account", w.id(worldRecords), at)
	c.Payload = &eventsv1.Change_Account{Account: &eventsv1.AccountState{
		Currency: w.one("EUR", "CZK"), ProductId: w.random.Int64N(3), State: "open", Opened: w.on(at, 900), Closed: w.on(at, 60),
		ContractId: w.random.Int64N(worldRecords),
	}}
	return c
}

func (w *world) holder(at time.Time) *eventsv1.Change {
	c := w.next("account_holder", w.id(worldRecords), at)
	c.Payload = &eventsv1.Change_AccountHolder{AccountHolder: &eventsv1.AccountHolderState{
		AccountId: w.id(worldRecords), CustomerId: w.id(worldCustomers), Role: w.one("owner", "owner", "co_owner"), ValidFrom: w.on(at, 600),
	}}
	return c
}

// entry is a new transaction, or a reversal of an old one: account and day of a transaction never change.
func (w *world) entry(at time.Time) *eventsv1.Change {
	w.entries++
	number := w.entries
	kind := w.one("card_payment", "transfer_in", "transfer_out", "fee")
	direction := "debit"
	if kind == "transfer_in" {
		direction = "credit"
	}
	currency := w.one("EUR", "EUR", "CZK")
	value := w.value()
	base := value
	if currency == "CZK" {
		base = w.value()
	}
	c := w.next("transaction_bundle", number, at)
	c.Deleted = false
	c.Payload = &eventsv1.Change_TransactionBundle{TransactionBundle: &eventsv1.TransactionBundle{
		BaseCurrency: "EUR",
		Transactions: []*eventsv1.TransactionState{{
			TransactionId: number, Version: 1, AccountId: w.id(worldRecords), BusinessDate: w.past(at, 400), Direction: direction, Kind: kind,
			Amount: &eventsv1.Amount{Currency: currency, Value: value}, BaseValue: base, State: w.one("posted", "posted", "reversed"),
			BalanceAfter: w.value(),
		}},
	}}
	return c
}

func (w *world) balance(at time.Time) *eventsv1.Change {
	c := w.next("balance_bundle", w.id(worldRecords), at)
	c.Deleted = false
	c.Payload = &eventsv1.Change_BalanceBundle{BalanceBundle: &eventsv1.BalanceBundle{Balances: []*eventsv1.BalanceState{{
		AccountId: w.id(worldRecords), BusinessDate: w.past(at, 120), AsOfTime: timestamppb.New(at), Currency: "EUR", Ledger: w.value(),
		Closing: w.random.IntN(2) == 0,
	}}}}
	return c
}

func (w *world) contract(at time.Time) *eventsv1.Change {
	c := w.next("contract", w.id(worldRecords), at)
	c.Payload = &eventsv1.Change_Contract{Contract: &eventsv1.ContractState{
		Kind: w.one("loan", "deposit", "standing_order"), State: w.one("running", "finished", "draft", "in_arrears"), AccountId: w.random.Int64N(worldRecords),
		ProductId: w.random.Int64N(3), Amount: w.amount("EUR"), Opened: w.on(at, 500), Closed: w.on(at, 30), Currency: "EUR",
	}}
	return c
}

func (w *world) party(at time.Time) *eventsv1.Change {
	c := w.next("contract_party", w.id(worldRecords), at)
	c.Payload = &eventsv1.Change_ContractParty{ContractParty: &eventsv1.ContractPartyState{
		ContractId: w.id(worldRecords), CustomerId: w.id(worldCustomers), Role: w.one("borrower", "guarantor", "depositor"), ValidTo: w.on(at, 5),
	}}
	return c
}

func (w *world) instalment(at time.Time) *eventsv1.Change {
	c := w.next("instalment", w.id(3*worldRecords), at)
	c.Payload = &eventsv1.Change_Instalment{Instalment: &eventsv1.InstalmentState{
		ContractId: w.id(worldRecords), Number: 1, Due: w.past(at, 100), Currency: "EUR", Principal: "100", Interest: "10", Fee: "0",
		Paid: w.one("0", "50", "110"), PaidOn: w.on(at, 20), State: w.one("open", "paid", "waived"),
	}}
	return c
}

func (w *world) card(at time.Time) *eventsv1.Change {
	c := w.next("card", w.id(worldRecords), at)
	c.Payload = &eventsv1.Change_Card{Card: &eventsv1.CardState{
		CustomerId: w.id(worldCustomers), AccountId: w.id(worldRecords), Scheme: "visa", State: w.one("active", "blocked", "closed"), Issued: w.on(at, 400),
	}}
	return c
}

func (w *world) consent(at time.Time) *eventsv1.Change {
	c := w.next("consent", w.id(worldRecords), at)
	state := &eventsv1.ConsentState{
		CustomerId: w.id(worldCustomers), Purpose: w.one("marketing", "profiling"), Channel: w.one("any", "email", "phone"),
		GrantedTime: timestamppb.New(at.AddDate(0, 0, -w.random.IntN(30))),
	}
	if w.random.IntN(3) == 0 {
		state.ExpiresTime = timestamppb.New(at.AddDate(0, 0, w.random.IntN(4)))
	}
	if w.random.IntN(3) == 0 {
		state.WithdrawnTime = timestamppb.New(at)
	}
	c.Payload = &eventsv1.Change_Consent{Consent: state}
	return c
}

func (w *world) interaction(at time.Time) *eventsv1.Change {
	c := w.next("interaction", w.id(2*worldRecords), at)
	opened := at.AddDate(0, 0, -w.random.IntN(100))
	c.Payload = &eventsv1.Change_Interaction{Interaction: &eventsv1.InteractionState{
		CustomerId: w.id(worldCustomers), Kind: w.one("complaint", "call", "meeting"), Channel: w.one("phone", "email"),
		OpenedTime: timestamppb.New(opened), BusinessDate: opened.Format(time.DateOnly), Satisfaction: w.random.Int32N(6),
	}}
	return c
}

func (w *world) relation(at time.Time) *eventsv1.Change {
	c := w.next("relation", w.id(worldRecords), at)
	c.Payload = &eventsv1.Change_Relation{Relation: &eventsv1.RelationState{
		CustomerId: w.id(worldCustomers), OtherCustomerId: w.random.Int64N(worldCustomers), Type: w.one("spouse", "child", "director"), ValidTo: w.on(at, 5),
	}}
	return c
}

// behaviour is an event of a visitor who is known now or later.
func (w *world) behaviour(at time.Time) *eventsv1.Change {
	number := w.id(60)
	c := w.next("behaviour_event_bundle", number, at)
	c.Deleted = false
	customer := int64(0)
	if c.GetVersion() > 1 {
		customer = 1 + number%worldCustomers
	}
	on := moment("2026-02-20 12:00").AddDate(0, 0, int(number%20))
	c.Payload = &eventsv1.Change_BehaviourEventBundle{BehaviourEventBundle: &eventsv1.BehaviourEventBundle{Events: []*eventsv1.BehaviourEventState{{
		BehaviourEventId: number, Version: c.GetVersion(), CustomerId: customer, Kind: []string{"site_visit", "app_login"}[number%2],
		Time: timestamppb.New(on), BusinessDate: on.Format(time.DateOnly), DurationSeconds: 100,
	}}}}
	return c
}
