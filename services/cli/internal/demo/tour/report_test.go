package tour

import (
	"bytes"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/protobuf/types/known/timestamppb"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

var update = flag.Bool("update", false, "write the golden file anew")

func czk(units int64) *money.Money { return &money.Money{CurrencyCode: "CZK", Units: units} }

func sampleRun() *analyticsv1.RfmRun {
	run := &analyticsv1.RfmRun{
		RunId: "0190a000-0000-7000-8000-000000000001", AsOf: &date.Date{Year: 2026, Month: 6, Day: 30}, WindowDays: 730,
		Customers: 7604, Transactions: 61555, Monetary: &money.Money{CurrencyCode: "CZK", Units: 39_400_123, Nanos: 450_000_000},
		RecencyEdges: []int32{12, 41, 130, 1290}, FrequencyEdges: []int64{2, 3, 6, 13},
		MonetaryEdges: []string{"850.00", "1900.00", "4100.00", "9300.00"},
	}
	for r := int32(5); r >= 1; r-- {
		for f := int32(5); f >= 1; f-- {
			if r == 5 && f == 1 {
				continue // a cell without customers does not come
			}
			run.Grid = append(run.Grid, &analyticsv1.RfmGridCell{
				Recency: r, Frequency: f, Customers: int64(r * f * 123), Monetary: czk(int64(r*f) * 1_234_567),
			})
		}
	}
	return run
}

func samplePerson() Best {
	changed := timestamppb.New(time.Date(2026, 6, 30, 10, 0, 0, 0, time.UTC))
	ages := map[string]*crmv1.PartAge{}
	for part, seconds := range map[string]int64{"customer": 75, "accounts": 130, "cards": 9000, "interactions": 800_000, "rfm": 1} {
		ages[part] = &crmv1.PartAge{Source: "crm", NewestChangeTime: changed, AgeSeconds: seconds}
	}
	ages["contracts"] = &crmv1.PartAge{Source: "crm"}
	return Best{
		Region: "Jihočeský kraj",
		Screen: &crmv1.GetCustomer360Response{
			Customer: &crmv1.Customer{
				CustomerId: 4711, Key: &crmv1.ExternalKey{Source: "demo", ExternalId: "C4711"},
				Party: &crmv1.Customer_Individual{Individual: &crmv1.Individual{
					GivenName: "Žaneta", FamilyName: "Růžičková", Sex: crmv1.Sex_SEX_FEMALE,
					BirthDate: &date.Date{Year: 1984, Month: 2, Day: 29}, Occupation: "teacher",
				}},
				State: crmv1.CustomerState_CUSTOMER_STATE_ACTIVE, CustomerSince: &date.Date{Year: 2017, Month: 3, Day: 1},
			},
			Accounts: []*crmv1.HeldAccount{
				{Role: crmv1.HolderRole_HOLDER_ROLE_OWNER, Account: &crmv1.Account{
					Number: "CZ9099900000007397105792", State: crmv1.AccountState_ACCOUNT_STATE_OPEN,
					LedgerBalance: &money.Money{CurrencyCode: "CZK", Units: -1234, Nanos: -560_000_000},
				}},
				{Role: crmv1.HolderRole_HOLDER_ROLE_CO_OWNER, Account: &crmv1.Account{
					Number: "CZ3099900000004817594796", State: crmv1.AccountState_ACCOUNT_STATE_OPEN,
				}},
			},
			Cards: []*crmv1.Card{{
				First6: "400000", Last4: "0522", Scheme: "visa", State: crmv1.CardState_CARD_STATE_ACTIVE,
				Expiry: &date.Date{Year: 2028, Month: 12, Day: 1},
			}},
			Interactions: []*crmv1.Interaction{
				{Kind: crmv1.InteractionKind_INTERACTION_KIND_CAMPAIGN_CONTACT, Channel: crmv1.Channel_CHANNEL_MOBILE_APP, OpenedTime: changed, Subject: "Spring savings offer", Outcome: "interested"},
				{Kind: crmv1.InteractionKind_INTERACTION_KIND_COMPLAINT, Channel: crmv1.Channel_CHANNEL_PHONE, OpenedTime: changed, Subject: "Complaint: card declined"},
				{Kind: crmv1.InteractionKind_INTERACTION_KIND_CALL, OpenedTime: changed},
				{Kind: crmv1.InteractionKind_INTERACTION_KIND_MEETING, OpenedTime: changed},
			},
			OpenComplaints: 1,
			Rfm: &crmv1.RfmInsight{
				AsOf: &date.Date{Year: 2026, Month: 6, Day: 30}, Cell: "555", RecencyDays: 2, Frequency: 106, Monetary: czk(91234),
			},
			Ages: ages,
		},
	}
}

func sampleOrganisation() Best {
	heads := int32(23)
	return Best{Screen: &crmv1.GetCustomer360Response{
		Customer: &crmv1.Customer{
			CustomerId: 8, State: crmv1.CustomerState_CUSTOMER_STATE_FORMER,
			Party: &crmv1.Customer_Organisation{Organisation: &crmv1.Organisation{LegalName: "Farma Písek s.r.o.", IndustryNace: "01.50", Employees: &heads}},
		},
		Contracts: []*crmv1.Contract{
			{Kind: crmv1.ContractKind_CONTRACT_KIND_LOAN},
			{Kind: crmv1.ContractKind_CONTRACT_KIND_STANDING_ORDER},
			{Kind: crmv1.ContractKind_CONTRACT_KIND_STANDING_ORDER},
		},
	}}
}

func sampleNumberOnly() Best {
	return Best{Screen: &crmv1.GetCustomer360Response{Customer: &crmv1.Customer{
		CustomerId: 9, Key: &crmv1.ExternalKey{Source: "berka", ExternalId: "127"},
		Party: &crmv1.Customer_Individual{Individual: &crmv1.Individual{Sex: crmv1.Sex_SEX_MALE}},
	}}}
}

func sampleReport() Report {
	return Report{
		Title: "A generated bank: 10 000 customers, seed 1, 2024-07-01 to 2026-06-30",
		Volumes: []Volume{
			{Entity: "customer", Read: 10_000, Created: 9_000, Updated: 500, Unchanged: 499, Rejected: 1, Took: 2500 * time.Millisecond, Stored: 9_999},
			{Entity: "transaction", Read: 541_934, Created: 541_934, Took: 61 * time.Second, Stored: 541_934},
			{Entity: "region", Stored: 14},
		},
		Fresh: Freshness{Published: 120 * time.Millisecond, Ingested: 840 * time.Millisecond, Insights: 300 * time.Millisecond, Sequence: 12_345},
		Run:   sampleRun(),
		Why:   "Purchases by card of the last 730 days, seen from 2026-06-30.",
		Cells: Fingerprint{Now: "9f86d081884c7d65", Before: "9f86d081884c7d65"},
		Best:  []Best{samplePerson(), sampleOrganisation(), sampleNumberOnly()},
		Phases: []Phase{
			{"generate the bank", 1200 * time.Millisecond}, {"import", 64 * time.Second},
		},
	}
}

func TestReportIsReadable(t *testing.T) {
	t.Parallel()
	var got bytes.Buffer
	if err := sampleReport().Write(&got); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/report.txt"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("report differs from %s (-want +got):\n%s", golden, diff)
	}
}

func TestRanges(t *testing.T) {
	t.Parallel()
	// Equal edges leave a bin empty; that must not read as a range that runs backwards.
	edges := []int64{2, 2, 3, 9}
	want := []string{"< 2", "nobody", "2", "3–8", "≥ 9"}
	for bin := 1; bin <= bins; bin++ {
		if got := frequencyRange(edges, bin); got != want[bin-1] {
			t.Errorf("frequency bin %d is %q, want %q", bin, got, want[bin-1])
		}
	}
	days := []int32{5, 5, 20, 80}
	for bin, want := range map[int]string{5: "≤ 5 days", 4: "nobody", 3: "6–20 days", 2: "21–80 days", 1: "> 80 days"} {
		if got := recencyRange(days, bin); got != want {
			t.Errorf("recency bin %d is %q, want %q", bin, got, want)
		}
	}
	if recencyRange(nil, 3) != "" || frequencyRange(nil, 3) != "" {
		t.Error("a run without edges has ranges")
	}
}
