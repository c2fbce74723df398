package conformance

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	datepb "google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// ownedAlready is how a second owner at the same time is answered.
var ownedAlready = refusal{codes.AlreadyExists, apperr.ReasonDuplicate, "role"}

// owner makes a holding of the fixture "other account", which nobody owns yet.
func owner(n int, from, to *datepb.Date) *crmv1.AccountHolder {
	return &crmv1.AccountHolder{
		Key: key("owner", n), AccountKey: fixed("other account"), CustomerKey: fixed("customer"),
		Role: crmv1.HolderRole_HOLDER_ROLE_OWNER, ValidFrom: from, ValidTo: to,
	}
}

func TestHolderFields(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	nobody := owner(1, nil, nil)
	nobody.AccountKey, nobody.CustomerKey, nobody.Role = nil, nil, 0
	results, err := b.batch(t.Context(), holders, []proto.Message{nobody, owner(2, day(2020, 1, 2), day(2020, 1, 1))}, "", false)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"account_id", "customer_id", "role"} {
		refused(field).checkRow(t, results[0])
	}
	refused("valid_to").checkRow(t, results[1])
}

func TestOneOwnerAtATime(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	first := owner(1, day(2020, 1, 1), day(2020, 12, 31))
	coOwner := owner(2, nil, nil)
	coOwner.Role = crmv1.HolderRole_HOLDER_ROLE_CO_OWNER
	// The last day belongs to the first one, the next day is free; other roles do not count.
	results := b.sent(t, holders, "", []proto.Message{first, coOwner, owner(3, day(2020, 12, 31), nil), owner(4, day(2021, 1, 1), nil), owner(5, nil, nil)},
		created, created, rejected, created, rejected)
	ownedAlready.checkRow(t, results[2])
	ownedAlready.checkRow(t, results[4])
	if message := results[2].GetError().GetMessage(); !strings.Contains(message, "owner/1") || !strings.Contains(message, "from 2020-01-01 to 2020-12-31") {
		t.Errorf("the refusal does not name the other holding: %s", message)
	}
	results = b.sent(t, holders, "", []proto.Message{owner(6, nil, day(2020, 1, 1)), owner(7, nil, day(2019, 12, 31))}, rejected, created)
	ownedAlready.checkRow(t, results[0])
	// One batch may end an owner's time and begin the next one's, in any order of rows.
	b.sent(t, holders, "", []proto.Message{owner(8, day(2024, 1, 1), nil), owner(4, day(2021, 1, 1), day(2023, 12, 31))}, created, updated)
	// Nobody moves into another one's time by a change.
	results = b.sent(t, holders, "", []proto.Message{owner(4, day(2021, 1, 1), day(2024, 1, 1))}, rejected)
	ownedAlready.checkRow(t, results[0])
	// An owner who becomes a co-owner makes room.
	demoted := owner(8, day(2024, 1, 1), nil)
	demoted.Role = crmv1.HolderRole_HOLDER_ROLE_CO_OWNER
	b.sent(t, holders, "", []proto.Message{demoted, owner(9, day(2024, 1, 1), nil)}, updated, created)
}

// Callers who make themselves owner of the same accounts at once, each in another order: the table lets one through for
// each account, and the others are told who it is.
func TestOwnersRace(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	const callers, rows = 4, 31 // a prime, so that every stride visits every account
	free := make([]proto.Message, rows)
	for i := range free {
		free[i] = accounts.sample("race", i)
	}
	b.upsert(t, accounts, free...)
	won := make([]int, callers)
	var done sync.WaitGroup
	for caller := range callers {
		done.Go(func() {
			batch := make([]proto.Message, rows)
			for i := range batch {
				n := (i*(2*caller+1) + caller) % rows // an order of its own
				h := owner(n, nil, nil)
				h.Key, h.AccountKey = key(fmt.Sprint("caller", caller), n), key("race", n)
				batch[i] = h
			}
			results, err := b.batch(t.Context(), holders, batch, "", false)
			if err != nil {
				t.Errorf("caller %d: %v", caller, err)
				return
			}
			for _, r := range results {
				if r.GetOutcome() == created {
					won[caller]++
				} else {
					ownedAlready.checkRow(t, r)
				}
			}
		})
	}
	done.Wait()
	total := 0
	for _, n := range won {
		total += n
	}
	if stored := b.pages(t, holders, 1000, `role = owner AND account_id > 2`, nil); total != rows || len(stored) != rows {
		t.Errorf("%v accounts were won, %d owners are stored, of %d accounts", won, len(stored), rows)
	}
}
