package fact_test

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/type/latlng"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/testkit"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/fact"
	"tandem.bank/services/analytics/internal/warehouse"
	"tandem.bank/services/analytics/migrations"
)

var changeTime = time.Date(2026, 3, 1, 10, 0, 0, 123456000, time.UTC)

func amount(currency, value string) *eventsv1.Amount {
	return &eventsv1.Amount{Currency: currency, Value: value}
}

func at(hour int) *timestamppb.Timestamp {
	return timestamppb.New(time.Date(2024, 2, 29, hour, 30, 0, 500000, time.UTC))
}

// full has every field of every entity set.
func full() []*eventsv1.Change {
	return []*eventsv1.Change{
		{Entity: "region", Payload: &eventsv1.Change_Region{Region: &eventsv1.RegionState{
			Name: "Jeseník", ParentName: "Olomouc", Location: &latlng.LatLng{Latitude: 50.25, Longitude: 17.25}, Population: 42821,
			AverageSalary: "8187.5", Indicators: map[string]float64{"unemployment_rate_1996": 7.01},
		}}},
		{Entity: "branch", Payload: &eventsv1.Change_Branch{Branch: &eventsv1.BranchState{
			Name: "Main", RegionId: 3, Location: &latlng.LatLng{Latitude: -1.5, Longitude: 0},
		}}},
		{Entity: "manager", Payload: &eventsv1.Change_Manager{Manager: &eventsv1.ManagerState{BranchId: 4}}},
		{Entity: "customer", Payload: &eventsv1.Change_Customer{Customer: &eventsv1.CustomerState{
			Kind: "individual", State: "active", RegionId: 1, BranchId: 2, ManagerId: 3, BirthDate: "1921-05-06", Sex: "female",
			Occupation: "nurse", MonthlyIncome: amount("EUR", "1234.5678"), IndustryNace: "64.19", Employees: 7,
			AnnualTurnover: amount("CZK", "99999999999999999999.99"), Founded: "1824-01-01", CustomerSince: "1993-02-03",
			StateReason: "referral", StateSince: "1993-02-04", Citizenships: []string{"CZ", "SK"}, MaritalStatus: "married",
			Dependants: proto.Int32(2), EducationLevel: "master", EmployerId: 8, Position: "head nurse", EmployedSince: "1990-01-01",
			IncomeSource: "employment", IncomeVerifiedOn: "2023-01-02", IncomeProof: "employer", Interests: []string{"travel"},
			LegalForm: "s.r.o.", PreferredChannel: "email", PreferredLanguage: "cs",
			OtherBanks: []*eventsv1.OtherBankState{{Bank: "Other", ProductFamily: "loan", Since: "2015-01-01"}},
			Attributes: map[string]*eventsv1.AttributeState{
				"segment": {Value: &eventsv1.AttributeState_Option{Option: "gold"}},
				"pets":    {Value: &eventsv1.AttributeState_Integer{Integer: 3}},
				"uses":    {Value: &eventsv1.AttributeState_Options{Options: &eventsv1.AttributeOptionsState{Values: []string{"app", "web"}}}},
			},
		}}},
		{Entity: "attribute_definition", Payload: &eventsv1.Change_AttributeDefinition{AttributeDefinition: &eventsv1.AttributeDefinitionState{
			Name: "segment", Title: "Segment", Type: "option", AppliesTo: "individual", AllowedValues: []string{"gold", "silver"}, Required: true,
		}}},
		{Entity: "consent", Payload: &eventsv1.Change_Consent{Consent: &eventsv1.ConsentState{
			CustomerId: 9, Purpose: "marketing", Channel: "any", GrantedTime: at(1), ExpiresTime: at(4), TextVersion: "2026-01", GrantedHow: "signed_form",
			WithdrawnTime: at(2), WithdrawnHow: "call",
		}}},
		{Entity: "relation", Payload: &eventsv1.Change_Relation{Relation: &eventsv1.RelationState{
			CustomerId: 1, OtherCustomerId: 2, Type: "shareholder", Formality: "formal", ValidFrom: "2001-02-03", ValidTo: "9999-12-31",
			Weight: "0.125", Share: "0.33333333", DecisionPower: "co_decides",
		}}},
		{Entity: "product", Payload: &eventsv1.Change_Product{Product: &eventsv1.ProductState{
			Code: "CA", Name: "Current", Family: "current_account", Currency: "CZK", Margin: "-0.02500001", ValidFrom: "2000-01-01", ValidTo: "9999-12-31",
			AnnualRate: "0.0849", AmountMin: amount("CZK", "1000"), AmountMax: amount("CZK", "2000.5"), MonthsMin: 6, MonthsMax: 60, Channels: []string{"web", "branch"},
		}}},
		{Entity: "contract", Payload: &eventsv1.Change_Contract{Contract: &eventsv1.ContractState{
			Kind: "loan", State: "running", AccountId: 5, ProductId: 6, Amount: amount("CZK", "165960"), Instalment: amount("CZK", "6915.00"),
			DurationMonths: 24, Opened: "1994-01-05", Closed: "1996-01-05", Purpose: "household",
			Currency: "CZK", AnnualRate: "0.0849", RateKind: "variable", ReferenceRate: "PRIBOR 3M", RateMargin: "0.045", DayCount: "actual_360",
			Limit: amount("CZK", "200000"), Secured: true, Signed: "1994-01-04", Maturity: "1996-01-05", StateSince: at(6),
		}}},
		{Entity: "contract_party", Payload: &eventsv1.Change_ContractParty{ContractParty: &eventsv1.ContractPartyState{
			ContractId: 2, CustomerId: 3, Role: "guarantor", Share: "0.5", ValidFrom: "1994-01-05", ValidTo: "1996-01-05",
		}}},
		{Entity: "instalment", Payload: &eventsv1.Change_Instalment{Instalment: &eventsv1.InstalmentState{
			ContractId: 2, Number: 3, Due: "1994-04-05", Currency: "CZK", Principal: "6000.25", Interest: "914.75", Fee: "1", Paid: "6000", PaidOn: "1994-04-07",
			State: "partly_paid",
		}}},
		{Entity: "account", Payload: &eventsv1.Change_Account{Account: &eventsv1.AccountState{
			Currency: "CZK", ProductId: 1, RegionId: 2, BranchId: 3, State: "open", StatementFrequency: "monthly", Opened: "1993-01-01", Closed: "2020-12-31",
			ContractId: 4, OverdraftLimit: "20000", StateSince: at(7),
		}}},
		{Entity: "balance_bundle", Payload: &eventsv1.Change_BalanceBundle{BalanceBundle: &eventsv1.BalanceBundle{Balances: []*eventsv1.BalanceState{{
			AccountId: 5, BusinessDate: "2024-02-28", Currency: "CZK", Ledger: "-12.5", Available: "100", AsOfTime: at(1), Closing: true,
		}}}}},
		{Entity: "account_holder", Payload: &eventsv1.Change_AccountHolder{AccountHolder: &eventsv1.AccountHolderState{
			AccountId: 8, CustomerId: 9, Role: "owner", ValidFrom: "1993-01-01", ValidTo: "1999-12-31",
		}}},
		{Entity: "card", Payload: &eventsv1.Change_Card{Card: &eventsv1.CardState{
			CustomerId: 1, AccountId: 2, ProductId: 3, Scheme: "gold", State: "active", Issued: "1998-10-16", Expiry: "2001-10-01",
			LinkedAccountIds: []int64{4, 5}, ReplacedByCardId: 6, StateSince: at(8),
		}}},
		{Entity: "document", Payload: &eventsv1.Change_Document{Document: &eventsv1.DocumentState{
			CustomerId: 9, Kind: "contract", AccountId: 3, ContractId: 4, InteractionId: 5, DocumentTime: at(1), Language: "cs", TextBytes: 1200,
			MediaType: "application/pdf",
		}}},
		{Entity: "interaction", Payload: &eventsv1.Change_Interaction{Interaction: &eventsv1.InteractionState{
			CustomerId: 1, Kind: "complaint", Channel: "mobile_app", OpenedTime: at(1), BusinessDate: "2024-02-29", ManagerId: 2, AccountId: 3,
			Outcome: "resolved", DurationSeconds: 600, Topic: "fees", Priority: "high", FirstAnswerTime: at(2), ResolvedTime: at(3), DueTime: at(4), Satisfaction: 5,
			Participants: []*eventsv1.InteractionParticipant{{CustomerId: 8, Role: "initiator"}, {ManagerId: 9}},
			ContractId:   4, CardId: 5, Campaign: "spring", Class: "fee", FirstAnswerDueTime: at(1), ServiceLevelId: 6, ReopenedCount: 2, ReopenedTime: at(2),
			RatedTime: at(3), Breached: true,
		}}},
		{Entity: "service_level", Payload: &eventsv1.Change_ServiceLevel{ServiceLevel: &eventsv1.ServiceLevelState{
			Name: "Fees", Class: "fee", Kind: "complaint", Priority: "high", FirstAnswerHours: 4, ResolutionHours: 48, Calendar: "business_hours",
		}}},
		{Entity: "definition", Payload: &eventsv1.Change_Definition{Definition: &eventsv1.DefinitionState{
			Name: "monthly_rfm", Title: "RFM by month", Kind: "rfm", State: "active", Owner: "eva", ReaderRoles: []string{"manager", "marketer"},
			EditorRoles: []string{"analyst"}, SpecVersion: 2, SpecTime: at(5), Schedule: &definitionv1.Schedule{Cron: "0 6 1 * *", DaysBack: 2, Paused: true},
			Spec: &definitionv1.Spec{Kind: &definitionv1.Spec_Rfm{Rfm: &definitionv1.RfmDefinition{WindowDays: 90, FrequencyEdges: []int64{2, 3, 4, 5}}}},
		}}},
		{Entity: "plan", Payload: &eventsv1.Change_Plan{Plan: &eventsv1.PlanBundle{
			Name: "sales_2026", PlanVersion: 4, PlanTime: at(6), Values: []*eventsv1.PlanValueState{{
				UnitKind: "branch", UnitId: 12, UnitName: "x", Indicator: "turnover", Period: "quarter", PeriodStart: "2026-04-01",
				Amount: "-12.5", Currency: "CZK", Volume: "0.00000001", Price: "3", Withdrawn: true,
			}},
		}}},
		{Entity: "behaviour_event_bundle", Payload: &eventsv1.Change_BehaviourEventBundle{BehaviourEventBundle: &eventsv1.BehaviourEventBundle{
			Events: []*eventsv1.BehaviourEventState{{
				BehaviourEventId: 78, Version: 2, CustomerId: 9, VisitorId: "v1", Kind: "site_visit", Time: at(1), BusinessDate: "2024-02-29", Channel: "web",
				Device: "phone", Page: "/loans", Campaign: "spring", ProductId: 3, DurationSeconds: 60,
			}},
		}}},
		{Entity: "transaction_bundle", Payload: &eventsv1.Change_TransactionBundle{TransactionBundle: &eventsv1.TransactionBundle{
			BaseCurrency: "CZK", Transactions: []*eventsv1.TransactionState{{
				TransactionId: 77, Version: 2, AccountId: 5, BusinessDate: "1995-03-24", Direction: "credit", Kind: "cash_deposit",
				Amount: amount("EUR", "0.0001"), BaseValue: "1234567890123456789012345678901234.5678", RateDate: "1995-03-23",
				BalanceAfter: "-5", Purpose: "pension", State: "reversed", CardId: 8, Channel: "mobile_app",
			}},
		}}},
		{Entity: "audit_block", Payload: &eventsv1.Change_AuditBlock{AuditBlock: &eventsv1.AuditBlockState{
			Hash: bytes.Repeat([]byte{0xab}, 32), PreviousHash: make([]byte, 32), Entries: 2, FirstEntryId: 11, LastEntryId: 12, SealedTime: at(5),
		}}},
	}
}

// golden is what the tables hold then.
var golden = map[string]string{
	"region": `{"region_id":"7","name":"Jeseník","parent_name":"Olomouc","latitude":50.25,"longitude":17.25,"population":"42821",` +
		`"average_salary_base":8187.5,"indicators":{"unemployment_rate_1996":7.01},"version":"3","deleted":0,"change_time":"2026-03-01 10:00:00.123456"}`,
	"branch": `{"branch_id":"7","name":"Main","region_id":"3","latitude":-1.5,"longitude":0,"version":"3","deleted":0,` +
		`"change_time":"2026-03-01 10:00:00.123456"}`,
	"manager": `{"manager_id":"7","branch_id":"4","version":"3","deleted":0,"change_time":"2026-03-01 10:00:00.123456"}`,
	"customer": `{"customer_id":"7","kind":"individual","state":"active","state_reason":"referral","state_since":"1993-02-04",` +
		`"region_id":"1","branch_id":"2","manager_id":"3","birth_date":"1921-05-06","sex":"female","citizenships":["CZ","SK"],` +
		`"marital_status":"married","dependants":2,"education_level":"master","occupation":"nurse","employer_id":"8","job_title":"head nurse",` +
		`"employed_since":"1990-01-01","monthly_income":1234.5678,"monthly_income_currency":"EUR","income_source":"employment",` +
		`"income_verified_on":"2023-01-02","income_proof":"employer","interests":["travel"],"legal_form":"s.r.o.","industry_nace":"64.19",` +
		`"employees":7,"annual_turnover":99999999999999999999.99,"annual_turnover_currency":"CZK","founded":"1900-01-01",` +
		`"customer_since":"1993-02-03","preferred_channel":"email","preferred_language":"cs","other_banks":["Other"],` +
		`"other_bank_products":["loan"],"attribute_values":{"segment":"gold"},"attribute_numbers":{"pets":3},` +
		`"attribute_options":{"uses":["app","web"]},"version":"3","deleted":0,"change_time":"2026-03-01 10:00:00.123456"}`,
	"attribute_definition": `{"attribute_definition_id":"7","name":"segment","title":"Segment","type":"option","applies_to":"individual",` +
		`"allowed_values":["gold","silver"],"required":1,"personal":0,"retired":0,"version":"3","deleted":0,` +
		`"change_time":"2026-03-01 10:00:00.123456"}`,
	"consent": `{"consent_id":"7","customer_id":"9","purpose":"marketing","channel":"any","granted_time":"2024-02-29 01:30:00.000500",` +
		`"expires_time":"2024-02-29 04:30:00.000500","wording_version":"2026-01","granted_how":"signed_form",` +
		`"withdrawn_time":"2024-02-29 02:30:00.000500","withdrawn_how":"call","version":"3","deleted":0,"change_time":"2026-03-01 10:00:00.123456"}`,
	"document": `{"document_id":"7","customer_id":"9","kind":"contract","account_id":"3","contract_id":"4","interaction_id":"5",` +
		`"written_time":"2024-02-29 01:30:00.000500","language":"cs","size_bytes":1200,"media_type":"application\/pdf","version":"3","deleted":0,` +
		`"change_time":"2026-03-01 10:00:00.123456"}`,
	"relation": `{"relation_id":"7","customer_id":"1","other_customer_id":"2","type":"shareholder","formality":"formal","valid_from":"2001-02-03",` +
		`"valid_to":"2299-12-31","weight":0.125,"share":0.33333333,"decision_power":"co_decides","version":"3","deleted":0,` +
		`"change_time":"2026-03-01 10:00:00.123456"}`,
	"product": `{"product_id":"7","code":"CA","name":"Current","family":"current_account","currency":"CZK","margin":-0.02500001,` +
		`"valid_from":"2000-01-01","valid_to":"2299-12-31","annual_rate":0.0849,"amount_min":1000,"amount_max":2000.5,"amount_currency":"CZK",` +
		`"months_min":6,"months_max":60,"channels":["web","branch"],"version":"3","deleted":0,"change_time":"2026-03-01 10:00:00.123456"}`,
	"contract": `{"contract_id":"7","kind":"loan","state":"running","account_id":"5","product_id":"6","amount":165960,"amount_currency":"CZK",` +
		`"instalment":6915,"instalment_currency":"CZK","duration_months":24,"opened":"1994-01-05","closed":"1996-01-05","purpose":"household",` +
		`"currency":"CZK","annual_rate":0.0849,"rate_kind":"variable","reference_rate":"PRIBOR 3M","rate_margin":0.045,"day_count":"actual_360",` +
		`"credit_limit":200000,"secured":1,"signed":"1994-01-04","maturity":"1996-01-05","state_since":"2024-02-29 06:30:00.000500",` +
		`"version":"3","deleted":0,"change_time":"2026-03-01 10:00:00.123456"}`,
	"contract_party": `{"contract_party_id":"7","contract_id":"2","customer_id":"3","role":"guarantor","share":0.5,"valid_from":"1994-01-05",` +
		`"valid_to":"1996-01-05","version":"3","deleted":0,"change_time":"2026-03-01 10:00:00.123456"}`,
	"instalment": `{"instalment_id":"7","contract_id":"2","position":3,"due":"1994-04-05","currency":"CZK","principal":6000.25,"interest":914.75,"fee":1,` +
		`"paid":6000,"paid_on":"1994-04-07","state":"partly_paid","version":"3","deleted":0,"change_time":"2026-03-01 10:00:00.123456"}`,
	"account": `{"account_id":"7","currency":"CZK","product_id":"1","region_id":"2","branch_id":"3","state":"open","statement_frequency":"monthly",` +
		`"opened":"1993-01-01","closed":"2020-12-31","contract_id":"4","overdraft_limit":20000,"state_since":"2024-02-29 07:30:00.000500","version":"3","deleted":0,"change_time":"2026-03-01 10:00:00.123456"}`,
	"account_balance": `{"account_id":"5","business_date":"2024-02-28","currency":"CZK","ledger":-12.5,"available":100,"closing":1,` +
		`"version":"1709170200000500","deleted":0,"change_time":"2026-03-01 10:00:00.123456"}`,
	"account_holder": `{"account_holder_id":"7","account_id":"8","customer_id":"9","role":"owner","valid_from":"1993-01-01","valid_to":"1999-12-31",` +
		`"version":"3","deleted":0,"change_time":"2026-03-01 10:00:00.123456"}`,
	"card": `{"card_id":"7","customer_id":"1","account_id":"2","product_id":"3","scheme":"gold","state":"active","issued":"1998-10-16",` +
		`"expiry":"2001-10-01","linked_account_ids":["4","5"],"replaced_by_card_id":"6","state_since":"2024-02-29 08:30:00.000500","version":"3","deleted":0,"change_time":"2026-03-01 10:00:00.123456"}`,
	"interaction": `{"interaction_id":"7","customer_id":"1","kind":"complaint","channel":"mobile_app","opened_time":"2024-02-29 01:30:00.000500",` +
		`"business_date":"2024-02-29","manager_id":"2","account_id":"3","outcome":"resolved","duration_seconds":600,"topic":"fees","priority":"high",` +
		`"first_answer_time":"2024-02-29 02:30:00.000500","resolved_time":"2024-02-29 03:30:00.000500","due_time":"2024-02-29 04:30:00.000500",` +
		`"satisfaction":5,"participant_customer_ids":["8","0"],"participant_manager_ids":["0","9"],"participant_roles":["initiator",""],` +
		`"contract_id":"4","card_id":"5","campaign":"spring","class":"fee","first_answer_due_time":"2024-02-29 01:30:00.000500","service_level_id":"6",` +
		`"reopened_count":2,"reopened_time":"2024-02-29 02:30:00.000500","rated_time":"2024-02-29 03:30:00.000500","breached":1,"version":"3","deleted":0,"change_time":"2026-03-01 10:00:00.123456"}`,
	"service_level": `{"service_level_id":"7","name":"Fees","class":"fee","kind":"complaint","priority":"high","first_answer_hours":4,` +
		`"resolution_hours":48,"calendar":"business_hours","version":"3","deleted":0,"change_time":"2026-03-01 10:00:00.123456"}`,
	"definition": `{"definition_id":"7","name":"monthly_rfm","title":"RFM by month","kind":"rfm","state":"active","owner":"eva",` +
		`"reader_roles":["manager","marketer"],"editor_roles":["analyst"],"spec_version":"2",` +
		`"spec":"{\"rfm\":{\"window_days\":90,\"frequency_edges\":[\"2\",\"3\",\"4\",\"5\"]}}","spec_time":"2024-02-29 05:30:00.000500",` +
		`"cron":"0 6 1 * *","days_back":2,"paused":1,"version":"3","deleted":0,"change_time":"2026-03-01 10:00:00.123456"}`,
	"plan_value": `{"plan_id":"7","name":"sales_2026","indicator":"turnover","unit_kind":"branch","unit_id":"12","unit_name":"x",` +
		`"period":"quarter","period_start":"2026-04-01","amount":-12.5,"currency":"CZK","volume":0.00000001,"price":3,"withdrawn":1,` +
		`"plan_version":"4","plan_time":"2024-02-29 06:30:00.000500","version":"3","deleted":0,"change_time":"2026-03-01 10:00:00.123456"}`,
	"behaviour_event": `{"behaviour_event_id":"78","customer_id":"9","visitor_id":"v1","kind":"site_visit","event_time":"2024-02-29 01:30:00.000500",` +
		`"business_date":"2024-02-29","channel":"web","device":"phone","page":"\/loans","campaign":"spring","product_id":"3","duration_seconds":60,` +
		`"version":"2","deleted":0,"change_time":"2026-03-01 10:00:00.123456"}`,
	"transaction": `{"transaction_id":"77","account_id":"5","business_date":"1995-03-24","direction":"credit","kind":"cash_deposit","amount":0.0001,` +
		`"currency":"EUR","base_value":1234567890123456789012345678901234.5678,"base_currency":"CZK","rate_date":"1995-03-23","balance_after":-5,` +
		`"purpose":"pension","card_id":"8","channel":"mobile_app","state":"reversed","version":"2","deleted":0,"change_time":"2026-03-01 10:00:00.123456"}`,
	"audit_block": `{"audit_block_id":"7","hash":"` + strings.Repeat("ab", 32) + `","previous_hash":"` + strings.Repeat("00", 32) + `","entries":"2",` +
		`"first_entry_id":"11","last_entry_id":"12","sealed_time":"2024-02-29 05:30:00.000500","version":"3","deleted":0,` +
		`"change_time":"2026-03-01 10:00:00.123456"}`,
}

func encode(t testing.TB, c *eventsv1.Change) []byte {
	t.Helper()
	c.EntityId, c.Version, c.ChangeTime = 7, 3, timestamppb.New(changeTime)
	data, err := proto.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Every field of every entity arrives in its column.
func TestEveryField(t *testing.T) {
	t.Parallel()
	url := testkit.ClickHouse(t)
	if err := migrations.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	conn, err := warehouse.Open(warehouse.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	batch := fact.NewBatch()
	for _, c := range full() {
		if err := batch.Add(encode(t, c)); err != nil {
			t.Fatal(err)
		}
	}
	if batch.Rows() != len(golden) || !batch.Newest().Equal(changeTime) {
		t.Errorf("%d rows, newest %s", batch.Rows(), batch.Newest())
	}
	if err := batch.Insert(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	records := slices.DeleteFunc(fact.Tables(), func(table string) bool { return table == "published_change" })
	for _, table := range records {
		var line string
		sql := "SELECT formatRowNoNewline('JSONEachRow', *) FROM " + table + " FINAL SETTINGS output_format_json_quote_64bit_integers = 1"
		if err := conn.QueryRow(t.Context(), sql).Scan(&line); err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		got[table] = line
	}
	if diff := gocmp.Diff(golden, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if want, tables := slices.Sorted(maps.Keys(golden)), slices.Sorted(slices.Values(records)); !slices.Equal(want, tables) {
		t.Errorf("tables %v, want %v", tables, want)
	}
	var published, wrong uint64
	sql := "SELECT count(), countIf(entity_id != 7 OR version != 3 OR change_time != '2026-03-01 10:00:00.123456') FROM published_change FINAL"
	if err := conn.QueryRow(t.Context(), sql).Scan(&published, &wrong); err != nil || int(published) != len(full())-1 || wrong != 0 {
		t.Errorf("%d changes published, %d of them wrong, %v; want all but that of the audit", published, wrong, err)
	}
}

// What is unknown stays NULL or 0, and is no error.
func TestEmptyFields(t *testing.T) {
	t.Parallel()
	batch := fact.NewBatch()
	for _, c := range []*eventsv1.Change{
		{Entity: "region", Payload: &eventsv1.Change_Region{Region: &eventsv1.RegionState{}}},
		{Entity: "branch", Payload: &eventsv1.Change_Branch{Branch: &eventsv1.BranchState{}}},
		{Entity: "manager", Payload: &eventsv1.Change_Manager{Manager: &eventsv1.ManagerState{}}},
		{Entity: "customer", Payload: &eventsv1.Change_Customer{Customer: &eventsv1.CustomerState{}}},
		{Entity: "relation", Payload: &eventsv1.Change_Relation{Relation: &eventsv1.RelationState{CustomerId: 1}}},
		{Entity: "product", Payload: &eventsv1.Change_Product{Product: &eventsv1.ProductState{}}},
		{Entity: "contract", Payload: &eventsv1.Change_Contract{Contract: &eventsv1.ContractState{}}},
		{Entity: "account", Payload: &eventsv1.Change_Account{Account: &eventsv1.AccountState{Currency: "CZK"}}},
		{Entity: "card", Payload: &eventsv1.Change_Card{Card: &eventsv1.CardState{}}},
		{Entity: "interaction", Payload: &eventsv1.Change_Interaction{Interaction: &eventsv1.InteractionState{OpenedTime: at(1), BusinessDate: "2024-02-29"}}},
	} {
		if err := batch.Add(encode(t, c)); err != nil {
			t.Errorf("%s: %v", c.GetEntity(), err)
		}
	}
}

// A fault in any field names it, and leaves no row behind.
func TestFaultsNameTheField(t *testing.T) {
	t.Parallel()
	customer := func(s *eventsv1.CustomerState) *eventsv1.Change {
		return &eventsv1.Change{Entity: "customer", Payload: &eventsv1.Change_Customer{Customer: s}}
	}
	interaction := func(change func(*eventsv1.InteractionState)) *eventsv1.Change {
		s := &eventsv1.InteractionState{OpenedTime: at(1), BusinessDate: "2024-02-29"}
		change(s)
		return &eventsv1.Change{Entity: "interaction", Payload: &eventsv1.Change_Interaction{Interaction: s}}
	}
	cases := map[string]*eventsv1.Change{
		`customer.region_id: must not be negative, is -1`:                     customer(&eventsv1.CustomerState{RegionId: -1}),
		`customer.birth_date: "6.5.1921" is not a day like 2006-01-02`:        customer(&eventsv1.CustomerState{BirthDate: "6.5.1921"}),
		`customer.employees: must not be negative, is -7`:                     customer(&eventsv1.CustomerState{Employees: -7}),
		`customer.monthly_income.value: "" is not a decimal`:                  customer(&eventsv1.CustomerState{MonthlyIncome: amount("CZK", "")}),
		`customer.monthly_income.currency: "czk" is not an ISO 4217 currency`: customer(&eventsv1.CustomerState{MonthlyIncome: amount("czk", "1")}),
		`interaction.opened_time: must be set`:                                interaction(func(s *eventsv1.InteractionState) { s.OpenedTime = nil }),
		`interaction.business_date: "" is not a day like 2006-01-02`:          interaction(func(s *eventsv1.InteractionState) { s.BusinessDate = "" }),
		`behaviour_event_bundle.events: must not be empty`:                    {Entity: "behaviour_event_bundle", Payload: &eventsv1.Change_BehaviourEventBundle{}},
		`behaviour_event_bundle.events[0].kind: must be set`: {Entity: "behaviour_event_bundle", Payload: &eventsv1.Change_BehaviourEventBundle{
			BehaviourEventBundle: &eventsv1.BehaviourEventBundle{Events: []*eventsv1.BehaviourEventState{{BehaviourEventId: 1, Time: at(1), BusinessDate: "2024-02-29"}}},
		}},
		`interaction.satisfaction: must be at most 5, is 6`:                  interaction(func(s *eventsv1.InteractionState) { s.Satisfaction = 6 }),
		`interaction.due_time: is not a point in time between 1900 and 2299`: interaction(func(s *eventsv1.InteractionState) { s.DueTime = &timestamppb.Timestamp{Nanos: -1} }),
		`account.currency: "" is not an ISO 4217 currency`:                   {Entity: "account", Payload: &eventsv1.Change_Account{Account: &eventsv1.AccountState{}}},
		`account_holder.account_id: must be positive, is 0`:                  {Entity: "account_holder", Payload: &eventsv1.Change_AccountHolder{AccountHolder: &eventsv1.AccountHolderState{}}},
		`consent.customer_id: must be positive, is 0`:                        {Entity: "consent", Payload: &eventsv1.Change_Consent{Consent: &eventsv1.ConsentState{GrantedTime: at(1)}}},
		`consent.granted_time: must be set, or withdrawn_time`:               {Entity: "consent", Payload: &eventsv1.Change_Consent{Consent: &eventsv1.ConsentState{CustomerId: 1}}},
		`relation.customer_id: must be positive, is 0`:                       {Entity: "relation", Payload: &eventsv1.Change_Relation{Relation: &eventsv1.RelationState{}}},
		`product.margin: 0.123456789 has more than 8 decimal places`:         {Entity: "product", Payload: &eventsv1.Change_Product{Product: &eventsv1.ProductState{Margin: "0.123456789"}}},
		`transaction_bundle.transactions: must not be empty`:                 {Entity: "transaction_bundle", Payload: &eventsv1.Change_TransactionBundle{TransactionBundle: &eventsv1.TransactionBundle{BaseCurrency: "CZK"}}},
		`transaction_bundle.base_currency: "" is not an ISO 4217 currency`:   {Entity: "transaction_bundle", Payload: &eventsv1.Change_TransactionBundle{TransactionBundle: &eventsv1.TransactionBundle{}}},
		`entity: "" has no payload that this version knows`:                  {},
	}
	for want, c := range cases {
		batch := fact.NewBatch()
		if err := batch.Add(encode(t, c)); err == nil || err.Error() != want {
			t.Errorf("fault %v, want %s", err, want)
		}
		if batch.Rows() != 0 || len(batch.RowsByTable()) != 0 {
			t.Errorf("%s: rows were left behind", want)
		}
	}
}

// Whatever comes on the stream, reading it ends with rows or a fault.
func FuzzAdd(f *testing.F) {
	for _, c := range full() {
		f.Add(encode(f, c))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		batch := fact.NewBatch()
		if err := batch.Add(data); err != nil && batch.Rows() != 0 {
			t.Errorf("%d rows beside %v", batch.Rows(), err)
		}
	})
}
