package timeline

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// What titles and the filter's subject are made of, besides what nobody is kept from.
var (
	subjects = []string{"Interaction.subject", "BehaviourEvent.page", "Transaction.description", "Document.title"}
	marks    = []string{"BalanceMark.mark", "BalanceMark.balance"}
)

// mayAsk refuses a customer whom the caller does not see, and a filter by texts that they do not see in full.
func mayAsk(ctx context.Context, pool *pgxpool.Pool, customerID int64, text string) error {
	if slices.Contains(filter.Fields(text), "subject") && !sight.Of(ctx).Shows(subjects...) {
		why := "you do not see all texts in full, so you can't ask by them"
		return &apperr.Error{
			Code: codes.PermissionDenied, Reason: apperr.ReasonFieldDenied, Message: "filter: subject: " + why,
			Violations: []apperr.Violation{{Field: "filter", Description: "subject: " + why}},
		}
	}
	return customer.Table.MustSee(ctx, pool, customerID)
}

// accounts selects the accounts whose movements a caller may be told: an account that went to others is theirs.
func accounts(ctx context.Context, args []any) (string, []any) {
	seen, args := sight.Condition(ctx, sight.ByAccount("account_holder.account_id"), args)
	if seen == "" {
		return owned, args
	}
	return owned + " AND " + seen, args
}

// conceal takes out of titles what stands in fields that the caller does not see in full.
func conceal(ctx context.Context, e *crmv1.TimelineEntry) {
	s := sight.Of(ctx)
	switch detail := e.GetDetail().(type) {
	case *crmv1.TimelineEntry_Interaction:
		if !s.Shows("Interaction.subject") {
			e.Title = words(record.EnumText(detail.Interaction.GetKind()))
		}
	case *crmv1.TimelineEntry_BehaviourEvent:
		if !s.Shows("BehaviourEvent.page") {
			e.Title = words(record.EnumText(detail.BehaviourEvent.GetKind()))
		}
	case *crmv1.TimelineEntry_Transaction:
		if !s.Shows("Transaction.amount") {
			e.Title = transactionTitle(detail.Transaction)
		}
	case *crmv1.TimelineEntry_Document:
		if !s.Shows("Document.title") {
			e.Title = words(record.EnumText(detail.Document.GetKind()))
		}
	case *crmv1.TimelineEntry_BalanceMark:
		if !s.Shows(marks...) {
			e.Title = strings.Join(strings.Fields(e.GetTitle())[:3], " ") + " a mark"
		}
	}
}
