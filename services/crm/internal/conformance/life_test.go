package conformance

import (
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// step takes a named step and returns the record.
func (b *bank) step(t *testing.T, k kind, name string, id int64, fields map[string]any) (proto.Message, error) {
	t.Helper()
	all := map[string]any{k.name + "_id": id}
	maps.Copy(all, fields)
	response, err := b.call(t.Context(), k, name, all)
	return only(k, response, err)
}

// life is how a kind of record lives, told apart from the code: for each state the steps that leave it, and where they lead.
type life struct {
	kind  kind
	begin string
	steps map[string]map[string]string
	all   []string
}

var lives = []life{
	{kind: accounts, begin: "OPEN", all: []string{"BlockAccount", "UnblockAccount", "CloseAccount"}, steps: map[string]map[string]string{
		"OPEN": {"BlockAccount": "BLOCKED", "CloseAccount": "CLOSED"}, "BLOCKED": {"UnblockAccount": "OPEN", "CloseAccount": "CLOSED"}, "CLOSED": {},
	}},
	{kind: cards, begin: "ISSUED", all: []string{"ActivateCard", "BlockCard", "UnblockCard", "CloseCard", "ExpireCard"}, steps: map[string]map[string]string{
		"ISSUED": {"ActivateCard": "ACTIVE", "CloseCard": "CLOSED", "ExpireCard": "EXPIRED"}, "CLOSED": {}, "EXPIRED": {},
		"ACTIVE":  {"BlockCard": "BLOCKED", "CloseCard": "CLOSED", "ExpireCard": "EXPIRED"},
		"BLOCKED": {"UnblockCard": "ACTIVE", "CloseCard": "CLOSED", "ExpireCard": "EXPIRED"},
	}},
	{
		kind: contracts, begin: "DRAFT",
		all: []string{"SignContract", "StartContract", "MarkContractInArrears", "CureContract", "FinishContract", "DefaultContract", "CancelContract"},
		steps: map[string]map[string]string{
			"DRAFT": {"SignContract": "SIGNED", "CancelContract": "CANCELLED"}, "SIGNED": {"StartContract": "RUNNING", "CancelContract": "CANCELLED"},
			"RUNNING": {
				"MarkContractInArrears": "IN_ARREARS", "FinishContract": "FINISHED", "DefaultContract": "DEFAULTED", "CancelContract": "CANCELLED",
			},
			"IN_ARREARS": {"CureContract": "RUNNING", "FinishContract": "FINISHED", "DefaultContract": "DEFAULTED", "CancelContract": "CANCELLED"},
			"FINISHED":   {}, "DEFAULTED": {}, "CANCELLED": {},
		},
	},
}

// newborn creates a record in the first state of its life.
func (l life) newborn(t *testing.T, b *bank, n int) int64 {
	t.Helper()
	m := l.kind.sample("life", n)
	switch m := m.(type) {
	case *crmv1.Card:
		m.State, m.Issued, m.Expiry = crmv1.CardState_CARD_STATE_ISSUED, day(2020, 1, 2), day(2022, 1, 1)
	case *crmv1.Contract:
		m.State = 0
	}
	made, err := b.create(t.Context(), l.kind, m, "")
	if err != nil {
		t.Fatal(err)
	}
	return l.kind.id(made)
}

func stateOf(m proto.Message) string {
	fields := m.ProtoReflect().Descriptor().Fields()
	field := fields.ByName("state")
	name := string(field.Enum().Values().ByNumber(m.ProtoReflect().Get(field).Enum()).Name())
	_, state, _ := strings.Cut(name, "_STATE_")
	return state
}

// Random steps against the model above: those that it has are taken and leave a version each, all others are refused,
// name the state, and leave nothing.
func TestLivesFollowTheirModel(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	random := rand.New(rand.NewPCG(7, 7))
	for _, l := range lives {
		for n := range 12 {
			id, state, version := l.newborn(t, b, n), l.begin, 1
			for range 10 {
				name := l.all[random.IntN(len(l.all))]
				to, allowed := l.steps[state][name]
				m, err := b.step(t, l.kind, name, id, map[string]any{"reason": "because"})
				if !allowed {
					refusal{codes.FailedPrecondition, apperr.ReasonWrongTransition, "state"}.check(t, err)
					if err != nil && !strings.Contains(err.Error(), strings.ToLower(state)) {
						t.Errorf("the refusal of %s does not name the state %s: %v", name, state, err)
					}
					continue
				}
				if err != nil {
					t.Fatalf("%s from %s: %v", name, state, err)
				}
				state, version = to, version+1
				if stateOf(m) != state || get(m, "state_reason").String() != "because" {
					t.Fatalf("after %s: %v, want %s", name, m, state)
				}
			}
			b.wantVersions(t, l.kind, id, version)
		}
	}
}

// A step knows the etag, the request id and its own time.
func TestStepManners(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	id := b.upsert(t, accounts, accounts.sample("manners", 1))[0]
	ago := timestamppb.New(time.Now().Add(-time.Hour).Truncate(time.Second))
	refuse := func(want refusal, name string, fields map[string]any) {
		t.Helper()
		_, err := b.step(t, accounts, name, id, fields)
		want.check(t, err)
	}
	refuse(refused("account_id"), "BlockAccount", map[string]any{"account_id": int64(0)})
	refuse(refusal{code: codes.NotFound, reason: apperr.ReasonNotFound}, "BlockAccount", map[string]any{"account_id": id + 1000})
	refuse(refusal{code: codes.Aborted, reason: apperr.ReasonEtagMismatch}, "BlockAccount", map[string]any{"etag": `"v9"`})
	refuse(refused("effective_time"), "BlockAccount", map[string]any{"effective_time": timestamppb.New(time.Now().Add(time.Hour))})
	refuse(refused("effective_time"), "BlockAccount", map[string]any{"effective_time": ago}) // the account is open since now
	request := uuid.NewString()
	first, err := b.step(t, accounts, "BlockAccount", id, map[string]any{"request_id": request, "reason": "court order"})
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.step(t, accounts, "BlockAccount", id, map[string]any{"request_id": request, "reason": "court order"})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the repeated step has another answer", first, again)
	refuse(refusal{code: codes.AlreadyExists, reason: apperr.ReasonRequestIDReused}, "UnblockAccount", map[string]any{"request_id": request})
	b.wantVersions(t, accounts, id, 2)

	// What is no step keeps reason and time; an update of the state begins anew.
	renamed, err := b.update(t.Context(), accounts, &crmv1.Account{AccountId: id, Number: "77"}, "", "number")
	if err != nil || renamed.(*crmv1.Account).GetStateReason() != "court order" {
		t.Errorf("after an update of something else: %v, %v", renamed, err)
	}
	opened, err := b.update(t.Context(), accounts, &crmv1.Account{AccountId: id, State: open}, "", "state")
	if a := opened.(*crmv1.Account); err != nil || a.GetStateReason() != "" || !a.GetStateSince().AsTime().After(renamed.(*crmv1.Account).GetStateSince().AsTime()) {
		t.Errorf("after an update of the state: %v, %v", opened, err)
	}
	ended, err := b.step(t, accounts, "CloseAccount", id, nil)
	if err != nil || ended.(*crmv1.Account).GetClosed() == nil {
		t.Errorf("closed: %v, %v", ended, err)
	}
}

func TestReplaceCard(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	lost := cards.sample("replace", 1).(*crmv1.Card)
	lost.LinkedAccounts = []*crmv1.CardAccount{{AccountKey: fixed("other account"), Role: crmv1.CardAccountRole_CARD_ACCOUNT_ROLE_SECONDARY}}
	id := b.upsert(t, cards, lost)[0]
	call := func(replacement *crmv1.Card) (*crmv1.ReplaceCardResponse, error) {
		response, err := b.call(t.Context(), cards, "ReplaceCard", map[string]any{"card_id": id, "reason": "lost", "replacement": replacement})
		if err != nil {
			return nil, err
		}
		return response.Interface().(*crmv1.ReplaceCardResponse), nil
	}
	_, err := call(&crmv1.Card{Token: "4111111111111111"})
	refused("replacement.token").check(t, err)
	answer, err := call(&crmv1.Card{Token: "tok2", Last4: "2222"})
	if err != nil {
		t.Fatal(err)
	}
	before, after := answer.GetCard(), answer.GetReplacement()
	if before.GetState() != crmv1.CardState_CARD_STATE_REPLACED || before.GetReplacedByCardId() != after.GetCardId() || before.GetStateReason() != "lost" {
		t.Errorf("the old card: %v", before)
	}
	if after.GetState() != crmv1.CardState_CARD_STATE_ISSUED || after.GetAccountId() != before.GetAccountId() || after.GetCustomerId() != before.GetCustomerId() ||
		after.GetScheme() != "visa" || len(after.GetLinkedAccounts()) != 1 {
		t.Errorf("the new card: %v", after)
	}
	_, err = call(&crmv1.Card{Token: "tok3"})
	refusal{codes.FailedPrecondition, apperr.ReasonWrongTransition, "state"}.check(t, err)
	if n := len(b.pages(t, cards, 10, `token = "tok3"`, nil)); n != 0 {
		t.Errorf("a refused replacement left %d cards", n)
	}
	if ids := b.changes(t, cards, id)[0].GetCard().GetLinkedAccountIds(); len(ids) != 1 {
		t.Errorf("the event has the linked accounts %v", ids)
	}
	twice := cards.sample("replace", 2).(*crmv1.Card)
	twice.LinkedAccounts = []*crmv1.CardAccount{{AccountKey: fixed("account"), Role: crmv1.CardAccountRole_CARD_ACCOUNT_ROLE_FEES}}
	refused("linked_accounts[0].account_id").checkRow(t, b.sent(t, cards, "", []proto.Message{twice}, rejected)[0])
}

// The system that owns a contract corrects it as it must; people follow its life.
func TestContractCorrections(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	c := contracts.sample("corrections", 1).(*crmv1.Contract)
	c.State, c.Closed = crmv1.ContractState_CONTRACT_STATE_FINISHED, day(2026, 1, 1)
	id := b.upsert(t, contracts, c)[0]
	_, err := b.update(t.Context(), contracts, &crmv1.Contract{ContractId: id, State: crmv1.ContractState_CONTRACT_STATE_RUNNING}, "", "state", "closed")
	refusal{codes.FailedPrecondition, apperr.ReasonWrongTransition, "contract.state"}.check(t, err)
	b.sent(t, contracts, "", []proto.Message{contracts.sample("corrections", 1)}, updated)
	_, err = b.update(t.Context(), contracts, &crmv1.Contract{ContractId: id, DaysPastDue: 3}, "", "days_past_due")
	refused("update_mask").check(t, err)
}
