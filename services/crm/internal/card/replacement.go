package card

import (
	"cmp"

	"google.golang.org/protobuf/proto"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// inPlaceOf completes a new card from the one that it replaces.
func inPlaceOf(old *record.Record[Row], given *crmv1.Card) *crmv1.Card {
	before := toProto(old)
	card, ok := proto.Clone(given).(*crmv1.Card)
	if !ok {
		return given
	}
	if card.GetAccountHolderKey() == nil && card.GetCustomerId() == 0 && card.GetCustomerKey() == nil {
		card.CustomerId = before.GetCustomerId()
	}
	if card.GetAccountHolderKey() == nil && card.GetAccountId() == 0 && card.GetAccountKey() == nil {
		card.AccountId = before.GetAccountId()
		if len(card.GetLinkedAccounts()) == 0 {
			card.LinkedAccounts = before.GetLinkedAccounts()
		}
	}
	if card.GetProductId() == 0 && card.GetProductKey() == nil {
		card.ProductId = before.GetProductId()
	}
	card.Scheme = cmp.Or(card.GetScheme(), before.GetScheme())
	card.State = cmp.Or(card.GetState(), crmv1.CardState_CARD_STATE_ISSUED)
	return card
}
