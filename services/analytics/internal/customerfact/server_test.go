package customerfact_test

import (
	"context"
	"testing"

	"google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/auth"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/customerfact"
)

// as is a caller in a role, of some branches.
func as(ctx context.Context, role string, branches ...int64) context.Context {
	return auth.WithPrincipal(ctx, auth.Principal{Subject: "test", Roles: []string{role}, Branches: branches})
}

func TestServer(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	k := b.keeper(t)
	server := customerfact.NewServer(b.service, k)
	b.load(t,
		customer(1, 1, "2026-03-01 10:00", &eventsv1.CustomerState{
			Kind: "individual", State: "active", BranchId: 5, BirthDate: "1990-03-11", Interests: []string{"golf", "chess"},
		}),
		customer(1, 2, "2026-03-08 10:00", &eventsv1.CustomerState{Kind: "individual", State: "former", BranchId: 5, BirthDate: "1990-03-11"}),
	)
	analyst := as(t.Context(), auth.RoleAnalyst)
	list, err := server.ListFacts(analyst, &analyticsv1.ListFactsRequest{})
	if err != nil || len(list.GetFacts()) < 200 {
		t.Fatalf("%d facts, %v", len(list.GetFacts()), err)
	}
	// On a past day the customer was active, and facts are computed.
	asked := []string{"state", "age", "age_level", "interests", "balance", "has_loan"}
	past, err := server.GetCustomerFacts(analyst, &analyticsv1.GetCustomerFactsRequest{
		CustomerId: 1, AsOf: &date.Date{Year: 2026, Month: 3, Day: 7}, Facts: asked,
	})
	if err != nil {
		t.Fatal(err)
	}
	v := past.GetValues()
	if v[0].GetText() != "active" || v[1].GetInteger() != 35 || v[2].GetText() != "adult" || len(v[3].GetTexts().GetValues()) != 2 ||
		v[4].GetValue() != nil || v[5].GetBoolean() || past.GetRefreshedTime() != nil {
		t.Errorf("on the 7th: %v", past)
	}
	// Today's are kept once everybody was told anew.
	if err := k.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := server.RefreshFacts(analyst, &analyticsv1.RefreshFactsRequest{CustomerIds: []int64{1, 2}}); err != nil {
		t.Fatal(err)
	}
	today, err := server.GetCustomerFacts(as(t.Context(), auth.RoleManager, 5), &analyticsv1.GetCustomerFactsRequest{CustomerId: 1, Facts: asked})
	if err != nil {
		t.Fatal(err)
	}
	if today.GetValues()[0].GetText() != "former" || today.GetValues()[3].GetValue() != nil || today.GetRefreshedTime() == nil {
		t.Errorf("today: %v", today)
	}
	for name, c := range map[string]struct {
		ctx  context.Context
		req  *analyticsv1.GetCustomerFactsRequest
		want codes.Code
	}{
		"another branch": {as(t.Context(), auth.RoleManager, 6), &analyticsv1.GetCustomerFactsRequest{CustomerId: 1}, codes.NotFound},
		"no customer":    {analyst, &analyticsv1.GetCustomerFactsRequest{CustomerId: 2}, codes.NotFound},
		"no fact":        {analyst, &analyticsv1.GetCustomerFactsRequest{CustomerId: 1, Facts: []string{"agee"}}, codes.InvalidArgument},
		"nobody":         {t.Context(), &analyticsv1.GetCustomerFactsRequest{CustomerId: 1}, codes.PermissionDenied},
	} {
		_, err := server.GetCustomerFacts(c.ctx, c.req)
		if st, _ := apperr.Public(err); st.Code() != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
