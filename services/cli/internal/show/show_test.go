package show

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	datepb "google.golang.org/genproto/googleapis/type/date"
	moneypb "google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/protobuf/types/known/timestamppb"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

func czk(units int64, nanos int32) *moneypb.Money {
	return &moneypb.Money{CurrencyCode: "CZK", Units: units, Nanos: nanos}
}

func day(year, month, day int32) *datepb.Date {
	return &datepb.Date{Year: year, Month: month, Day: day}
}

// moment is shown in the zone of the machine, so it is made in it too.
func moment() *timestamppb.Timestamp {
	return timestamppb.New(time.Date(1998, 12, 31, 15, 4, 5, 0, time.Local))
}

func TestText(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		Money(czk(1234567, 500000000)): "1 234 567.50 CZK",
		Money(czk(-1011, -200000000)):  "-1 011.20 CZK",
		Money(nil):                     "-",
		Plain(czk(1234, 500000000)):    "1234.5",
		Plain(nil):                     "",
		Thousands(czk(1234567, 0)):     "1 235",
		Count(999):                     "999",
		Count(uint64(1000)):            "1 000",
		Date(day(1998, 1, 2)):          "1998-01-02",
		Date(nil):                      "-",
		Age(-1):                        "0 s ago",
		Age(119):                       "119 s ago",
		Age(121):                       "2 min ago",
		Age(3 * 3600):                  "3 h ago",
		Age(200000):                    "2 days ago",
		Since(nil, time.Now()):         "never",
		Since(moment(), moment().AsTime().Add(time.Minute)):                "60 s ago",
		Name(crmv1.HolderRole_HOLDER_ROLE_AUTHORISED_USER, "HOLDER_ROLE_"): "authorised user",
		Name(crmv1.Sex_SEX_UNSPECIFIED, "SEX_"):                            "-",
	} {
		if got != want {
			t.Errorf("got %q instead of %q", got, want)
		}
	}
}

// check compares texts with blanks at line ends left out.
func check(t *testing.T, want, got string) {
	t.Helper()
	lines := strings.Split(got, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	if diff := cmp.Diff(want, strings.Join(lines, "\n")); diff != "" {
		t.Error(diff)
	}
}

func TestRfmRun(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	err := RfmRun(&out, &analyticsv1.RfmRun{
		RunId: "r1", AsOf: day(1998, 12, 31), WindowDays: 365, TransactionKinds: []string{"cash_deposit", "transfer_in"},
		Customers: 1234, Transactions: 56789, Monetary: czk(9876543, 0), RecencyEdges: []int32{3, 7, 14, 40},
		FrequencyEdges: []int64{5, 10, 20, 40}, MonetaryEdges: []string{"1000", "2000.5", "3000", "4000"},
		Grid: []*analyticsv1.RfmGridCell{
			{Recency: 5, Frequency: 5, Customers: 1200, Monetary: czk(9000000, 0)},
			{Recency: 1, Frequency: 2, Customers: 34, Monetary: czk(876543, 0)},
		},
		ComputedTime: moment(), NewestEventTime: moment(),
	})
	if err != nil {
		t.Fatal(err)
	}
	check(t, `RFM as of 1998-12-31, 365 days back; run r1, computed 1998-12-31 15:04:05
1 234 customers, 56 789 transactions, 9 876 543.00 CZK; newest event of 1998-12-31 15:04:05
kinds: cash_deposit, transfer_in

            bin     1       2         3       4       5
  recency, days  more    ≤ 40      ≤ 14     ≤ 7     ≤ 3
      frequency  less     ≥ 5      ≥ 10    ≥ 20    ≥ 40
  monetary, CZK  less  ≥ 1000  ≥ 2000.5  ≥ 3000  ≥ 4000

Customers (and thousands of CZK) by recency and frequency bin, 5 is best:
      F1    F2         F3    F4       F5
  R5   -     -          -     -    1 200  (9 000)
  R4   -     -          -     -        -
  R3   -     -          -     -        -
  R2   -     -          -     -        -
  R1   -    34  (877)   -     -        -
`, out.String())
}

func TestCustomer360(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	err := Customer360(&out, &crmv1.GetCustomer360Response{
		Customer: &crmv1.Customer{
			CustomerId: 42, Key: &crmv1.ExternalKey{Source: "berka", ExternalId: "1"}, State: crmv1.CustomerState_CUSTOMER_STATE_ACTIVE,
			Party: &crmv1.Customer_Individual{Individual: &crmv1.Individual{
				BirthDate: day(1970, 12, 13), Sex: crmv1.Sex_SEX_FEMALE, MonthlyIncome: czk(21900, 0), Citizenships: []string{"CZ", "UA"},
				TaxId: &crmv1.TaxId{Country: "CZ", Number: "7012130123"},
			}},
			RegionId: 18, CustomerSince: day(1993, 1, 1), PreferredLanguage: "cs",
			ContactPoints: []*crmv1.ContactPoint{
				{Kind: crmv1.ContactPointKind_CONTACT_POINT_KIND_PHONE, Value: "+420601000001", Primary: true},
				{Kind: crmv1.ContactPointKind_CONTACT_POINT_KIND_EMAIL, Value: "eva@example.org"},
			},
			Attributes: map[string]*crmv1.AttributeValue{
				"club": {Value: &crmv1.AttributeValue_Option{Option: "gold"}}, "locker": {Value: &crmv1.AttributeValue_Integer{Integer: 17}},
			},
		},
		Accounts: []*crmv1.HeldAccount{{
			Role: crmv1.HolderRole_HOLDER_ROLE_OWNER,
			Account: &crmv1.Account{
				AccountId: 7, Number: "576", State: crmv1.AccountState_ACCOUNT_STATE_OPEN, Opened: day(1993, 1, 1),
				LedgerBalance: czk(1000, 0), BalanceDate: day(1998, 12, 31),
			},
		}},
		Cards: []*crmv1.Card{{CardId: 3, Last4: "1234", Scheme: "gold", State: crmv1.CardState_CARD_STATE_ACTIVE, Issued: day(1997, 2, 3)}},
		Contracts: []*crmv1.Contract{{
			ContractId: 5, Kind: crmv1.ContractKind_CONTRACT_KIND_STANDING_ORDER, State: crmv1.ContractState_CONTRACT_STATE_RUNNING,
			Amount: czk(129, 0), Purpose: "household",
		}},
		Consents: []*crmv1.StandingConsent{
			{
				Consent: &crmv1.Consent{
					ConsentId: 11, Purpose: "third_party_sharing", Channel: crmv1.ConsentChannel_CONSENT_CHANNEL_ANY, GrantedTime: moment(), TextVersion: "v2",
				},
				ExceptChannels: []crmv1.ConsentChannel{crmv1.ConsentChannel_CONSENT_CHANNEL_SMS, crmv1.ConsentChannel_CONSENT_CHANNEL_MOBILE_APP},
			},
			{Consent: &crmv1.Consent{
				ConsentId: 12, Purpose: "marketing", Channel: crmv1.ConsentChannel_CONSENT_CHANNEL_EMAIL, GrantedTime: moment(), ExpiresTime: moment(),
			}},
		},
		Relations: []*crmv1.Connection{
			{
				Party: &crmv1.RelatedParty{CustomerId: 43, Name: "Acme s.r.o."},
				Relations: []*crmv1.SeenRelation{
					{Name: "holding", Inverse: true, Relation: &crmv1.Relation{Share: "0.25", ValidFrom: day(2001, 2, 3)}},
					{Name: "contact of", Inverse: true, Relation: &crmv1.Relation{
						Position: "CFO", DecisionPower: crmv1.DecisionPower_DECISION_POWER_CO_DECIDES, ValidTo: day(2999, 1, 1),
					}},
				},
			},
			{
				Party:     &crmv1.RelatedParty{Name: "Adam", BirthDate: day(2019, 8, 7)},
				Relations: []*crmv1.SeenRelation{{Name: "child", Relation: &crmv1.Relation{}}},
			},
			{Party: &crmv1.RelatedParty{CustomerId: 44}, Relations: []*crmv1.SeenRelation{{Name: "spouse", Relation: &crmv1.Relation{}}}},
		},
		OpenComplaints: 1,
		Rfm: &crmv1.RfmInsight{
			AsOf: day(1998, 12, 31), Cell: "545", Segment: "loyal", RecencyDays: 2, Frequency: 30, Monetary: czk(50000, 0),
		},
		Clv: &crmv1.ClvInsight{
			AsOf: day(1998, 12, 31), Rank: 12, Customers: 4500, Historic: czk(800, 0), Predictive: czk(1200, 0), Trend: czk(-50, 0),
			HorizonDays: 365, PAlive: new(0.875),
		},
		Ages: map[string]*crmv1.PartAge{"customer": {NewestChangeTime: moment(), AgeSeconds: 5}, "rfm": {NewestChangeTime: moment(), AgeSeconds: 7200}},
	})
	if err != nil {
		t.Fatal(err)
	}
	check(t, `Customer 42  -  (5 s ago)
  key berka/1, state active, region 18, customer since 1993-01-01, preferred language cs
  individual: birth date 1970-12-13, sex female, monthly income 21 900.00 CZK, citizenships CZ, UA, tax id (country CZ, number 7012130123)
  contact points: kind phone, value +420601000001, primary
  contact points: kind email, value eva@example.org
  attributes: club gold, locker 17
RFM  cell 545 loyal as of 1998-12-31: last 2 days before, 30 transactions, 50 000.00 CZK  (2 h ago)
CLV  place 12 of 4 500 as of 1998-12-31: historic 800.00 CZK, next 365 days 1 200.00 CZK, trend -50.00 CZK, there with 87.5 %  (age unknown)
Accounts: 1  (age unknown)
  7  576  owner  open  opened 1993-01-01  1 000.00 CZK  on 1998-12-31  available -
Cards: 1  (age unknown)
  3  …1234  gold  active  issued 1997-02-03  until -  account 0
Contracts: 1  (age unknown)
  5  standing order  running  -  129.00 CZK  household  opened -  -
Consents: 2  (age unknown)
  11  third party sharing  any channel except sms, mobile app  since 1998-12-31 15:04:05  until -                    text v2
  12  marketing            email                               since 1998-12-31 15:04:05  until 1998-12-31 15:04:05  text -
Relations: 3  (age unknown)
  43  Acme s.r.o.  holding     share 0.25, since 2001-02-03
  43  Acme s.r.o.  contact of  CFO, co decides, until 2999-01-01
  -   Adam         child       born 2019-08-07
  44  -            spouse      -
Last interactions: none
Open complaints: 1
`, out.String())
}

func TestTimeline(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	err := Timeline(&out, []*crmv1.TimelineEntry{
		{
			Kind: crmv1.TimelineKind_TIMELINE_KIND_INTERACTION, Time: moment(), Title: "Lost card", Channel: "phone", Entity: "interaction", EntityId: 9,
			Source: "calls", Actor: "manager 17",
		},
		{Kind: crmv1.TimelineKind_TIMELINE_KIND_BALANCE_MARK, Time: moment(), Title: "balance fell below 0 CZK", Entity: "account", EntityId: 7, Source: "crm"},
	})
	if err != nil {
		t.Fatal(err)
	}
	check(t, `  time                 kind          what                      channel  record         source  by
  1998-12-31 15:04:05  interaction   Lost card                 phone    interaction 9  calls   manager 17
  1998-12-31 15:04:05  balance mark  balance fell below 0 CZK  -        account 7      crm     -
`, out.String())
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	d := &crmv1.Document{
		DocumentId: 5, CustomerId: 42, Kind: crmv1.DocumentKind_DOCUMENT_KIND_CONTRACT, Title: "Loan 17", Language: "cs", TextBytes: 12345,
		DocumentTime: moment(), Text: "Smlouva", ContractId: 3, MediaType: "application/pdf",
	}
	err := Documents(&out, &crmv1.ListDocumentsResponse{Documents: []*crmv1.Document{d}, Count: &crmv1.Count{Value: 1200}})
	if err == nil {
		err = Document(&out, d)
	}
	if err != nil {
		t.Fatal(err)
	}
	check(t, `  document  customer  kind      title    language  bytes   of
  5         42        contract  Loan 17  cs        12 345  1998-12-31 15:04:05
1 200 documents
Document 5
  customer 42, kind contract, title Loan 17, language cs, text bytes 12345, media type application/pdf, document time 1998-12-31 15:04:05, contract 3

Smlouva
`, out.String())
}

// What is shown of a bridge adds up in the places that are shown.
func TestBridgeAddsUpAsShown(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	err := ClvExplanation(&out, &analyticsv1.ExplainClvResponse{
		Value: &analyticsv1.ClvValue{Historic: czk(12, 5_100_000)},
		HistoricBridge: &analyticsv1.ClvHistoricBridge{
			From: czk(10, 4_900_000), Ageing: czk(-1, -4_900_000), Earned: czk(3, 5_100_000), To: czk(12, 5_100_000),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"historic value then  10.00 CZK", "+ ageing  -1.00 CZK", "+ earned   3.01 CZK", "= historic value now  12.01 CZK"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing:\n%s", want, out.String())
		}
	}
}

// Years, quarters and months are told by their names, weeks and days by their days.
func TestPeriod(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{"year": "2026", "quarter": "2026 Q2", "month": "2026-04", "week": "2026-04-01", "day": "2026-04-01", "": "2026-04-01"} {
		cell := &analyticsv1.ReportCell{Value: &analyticsv1.ReportCell_Day{Day: day(2026, 4, 1)}}
		if got := cellForPeople(cell, &analyticsv1.ReportColumn{Source: source}); got != want {
			t.Errorf("%s: %s, want %s", source, got, want)
		}
	}
}
