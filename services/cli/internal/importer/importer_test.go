package importer

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/mapping"
)

func run(t *testing.T, config Config) *Summary {
	t.Helper()
	summary, err := Run(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return summary
}

func customers(count int) string {
	return lines("id,name,kind", count, func(i int) string { return fmt.Sprintf("%d,Name %d,person", i, i) })
}

func transactions(count int) string {
	return lines("Id,Account,Amount,Currency", count, func(i int) string { return fmt.Sprintf("t%d,1,%d.50,CZK", i, i) })
}

func TestImport(t *testing.T) {
	t.Parallel()
	r, conn := startRecorder(t, nil)
	b := newBank(t, map[string]string{
		"customers.csv": customers(4) + "5,Lead,lead\n", "transactions.csv": transactions(7), "old.csv": "x", "notes.txt": "x",
	})
	b.config.Conn, b.config.InFlight = conn, 1
	summary := run(t, b.config)

	var got []string
	for _, c := range r.recorded() {
		if c.importID != summary.ImportID || c.validateOnly {
			t.Errorf("%s: import id %q, validate only %t", c.method, c.importID, c.validateOnly)
		}
		got = append(got, c.method+" "+strings.Join(ids(c.rows), " "))
	}
	want := []string{
		"BatchUpsertProducts account",
		"BatchUpsertCustomers 1 2 3", "BatchUpsertCustomers 4",
		"BatchUpsertAccounts 1 2 3", "BatchUpsertAccounts 4",
		"StreamTransactions t1 t2 t3", "StreamTransactions t4 t5 t6", "StreamTransactions t7",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	wantJobs := []JobResult{
		{File: "bank (mapping)", Entity: "product", Counts: Counts{Created: 1}, Finished: true},
		{File: "customers.csv", Entity: "customer", Counts: Counts{Created: 4, Passed: 1}, Finished: true},
		{File: "customers.csv", Entity: "account", Counts: Counts{Created: 4, Passed: 1}, Finished: true},
		{File: "transactions.csv", Entity: "transaction", Counts: Counts{Created: 7}, Finished: true},
	}
	if diff := cmp.Diff(wantJobs, summary.Jobs); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"notes.txt"}, summary.Unmatched); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"old.csv: out of date"}, summary.Ignored); diff != "" {
		t.Error(diff)
	}
	if left, err := os.ReadDir(b.config.StateDir); err != nil || len(left) != 0 {
		t.Errorf("a finished import leaves no checkpoint: %v, %v", left, err)
	}
	if again := run(t, b.config); again.ImportID != summary.ImportID || again.Resumed {
		t.Errorf("the same files are the same import, begun anew: %+v", again)
	}
	b.write(t, "customers.csv", customers(5))
	if other := run(t, b.config); other.ImportID == summary.ImportID {
		t.Error("other files must be another import")
	}
}

func TestRejections(t *testing.T) {
	t.Parallel()
	_, conn := startRecorder(t, func(c call) ([]*crmv1.UpsertResult, error) {
		results := created(c)
		for i, row := range c.rows {
			transaction, ok := row.(*crmv1.Transaction)
			if !ok {
				continue
			}
			switch id := transaction.GetKey().GetExternalId(); {
			case strings.HasPrefix(id, "4111"):
				results[i] = &crmv1.UpsertResult{Error: statusOf(apperr.InvalidField("description", "must not contain a full card number"))}
			case transaction.GetAccountKey().GetExternalId() == "9":
				results[i] = &crmv1.UpsertResult{Error: statusOf(apperr.ReferenceNotFound("account_key", "account bank/9 does not exist"))}
			case id == "t8":
				results[i] = &crmv1.UpsertResult{Error: statusOf(apperr.New(codes.AlreadyExists, apperr.ReasonDuplicate, "taken"))}
			}
		}
		return results, nil
	})
	b := newBank(t, map[string]string{"transactions.csv": `Id,Account,Amount,Currency
t1,1,1,CZK
t2,1,1
t3,1,"1"",CZK
t4,1,ten,CZK
t5,1,1,KCS
4111 1111 1111 1111,1,1,CZK
t7,9,1,CZK
t8,1,1,CZK
,1,one,CZK
t10,1,1,CZK
`})
	b.config.Conn = conn
	summary := run(t, b.config)
	want := Counts{Created: 2, Rejected: 8}
	job := summary.Jobs[1]
	if diff := cmp.Diff(want, job.Counts); diff != "" {
		t.Error(diff)
	}
	wantFile := `file,line,entity,column,field,reason,row
transactions.csv,3,transaction,,,the row has 3 values instead of 4,"t2,1,1"
transactions.csv,4,transaction,Amount,,the quote at character 6 is never closed,"t3,1,""1"""",CZK"
transactions.csv,5,transaction,Amount Currency,amount,"amount: ""ten"" is not a number","t4,1,ten,CZK"
transactions.csv,6,transaction,Amount Currency,amount,"amount: ""KCS"" is not an ISO 4217 currency","t5,1,1,KCS"
transactions.csv,7,transaction,Id,description,description: must not contain a full card number,"**** **** **** 1111,1,1,CZK"
transactions.csv,8,transaction,Account,account_key,account_key: account bank/9 does not exist,"t7,9,1,CZK"
transactions.csv,9,transaction,,,taken,"t8,1,1,CZK"
transactions.csv,10,transaction,Id Amount Currency,key amount,"key: has no value; amount: ""one"" is not a number",",1,one,CZK"
`
	if diff := cmp.Diff(wantFile, b.errorFileOf(t, "transactions.csv")); diff != "" {
		t.Error(diff)
	}
	// A second import without mistakes leaves no old error file.
	b.write(t, "transactions.csv", transactions(1))
	run(t, b.config)
	if _, err := os.Stat(job.ErrorFile); !os.IsNotExist(err) {
		t.Errorf("old error file: %v", err)
	}
}

// TestSameKey sends rows with one key while batches overtake each other: the first row of the file has to come first.
func TestSameKey(t *testing.T) {
	t.Parallel()
	content := "id,name,kind\n"
	for i := range 60 {
		content += fmt.Sprintf("%d,Name %d,person\n", i%7, i)
	}
	r, conn := startRecorder(t, nil)
	b := newBank(t, map[string]string{"customers.csv": content})
	b.config.Conn, b.config.InFlight, b.config.BatchRows = conn, 8, 4
	run(t, b.config)
	got := map[string][]string{}
	count := 0
	for _, c := range r.recorded() {
		if c.method != "BatchUpsertCustomers" {
			continue
		}
		if keys := ids(c.rows); len(slices.Compact(slices.Sorted(slices.Values(keys)))) != len(keys) {
			t.Errorf("one batch holds a key twice: %v", keys)
		}
		for _, row := range c.rows {
			key := row.(keyed).GetKey().GetExternalId()
			got[key] = append(got[key], row.(*crmv1.Customer).GetIndividual().GetFamilyName())
			count++
		}
	}
	if count != 60 {
		t.Errorf("%d rows arrived", count)
	}
	for key, names := range got {
		for i, name := range names {
			if want := fmt.Sprintf("Name %d", i*7+int(key[0]-'0')); name != want {
				t.Errorf("row %d of key %s is %s instead of %s", i, key, name, want)
			}
		}
	}
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	// The service knows no account, and says so.
	r, conn := startRecorder(t, func(c call) ([]*crmv1.UpsertResult, error) {
		results := created(c)
		if c.method == "StreamTransactions" {
			for i := range c.rows {
				results[i] = &crmv1.UpsertResult{Error: statusOf(apperr.ReferenceNotFound("account_key", "unknown"))}
			}
		}
		return results, nil
	})
	b := newBank(t, map[string]string{
		"customers.csv": customers(2) + "1,Other,person\n2,Name 2,person\n",
		"transactions.csv": `Id,Account,Amount,Currency
t1,1,1,CZK
t2,9,1,CZK
t1,1,2,CZK
`,
	})
	b.config.Conn, b.config.DryRun, b.config.StateDir = conn, true, ""
	summary := run(t, b.config)
	for _, c := range r.recorded() {
		if !c.validateOnly {
			t.Errorf("%s was not a trial", c.method)
		}
	}
	want := []Counts{{Created: 1}, {Created: 3, Rejected: 1}, {Created: 4}, {Created: 1, Rejected: 2}}
	for i, job := range summary.Jobs {
		if diff := cmp.Diff(want[i], job.Counts); diff != "" {
			t.Errorf("%s of %s: %s", job.Entity, job.File, diff)
		}
	}
	file := b.errorFileOf(t, "transactions.csv")
	if !strings.Contains(file, "account_key: unknown") || !strings.Contains(file, "an earlier row of these files has the same external id and other content") {
		t.Error(file)
	}
}

func TestOffline(t *testing.T) {
	t.Parallel()
	b := newBank(t, map[string]string{
		"customers.csv":    customers(2),
		"transactions.csv": "Id,Account,Amount,Currency\nt1,1,1,CZK\nt2,7,1,CZK\nt3,1,,CZK\nt4,1,4111111111111111,CZK\n4111111111111111,1,1,CZK\n",
	})
	b.config.Offline, b.config.StateDir = true, ""
	summary := run(t, b.config)
	if diff := cmp.Diff(Counts{Created: 3, Rejected: 2}, summary.Jobs[3].Counts); diff != "" {
		t.Error(diff)
	}
	if summary.UnknownReferences != 1 {
		t.Errorf("%d unknown references", summary.UnknownReferences)
	}
	file := b.errorFileOf(t, "transactions.csv")
	if !strings.Contains(file, ",Amount Currency,amount,") || strings.Contains(file, "4111") {
		t.Error(file)
	}
}

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	err := Config{BatchRows: 9999, InFlight: 0, RetryFor: -1}.Validate()
	want := `mapping: must be given
paths: at least one file or folder must be given
connection: must be given unless offline
batch rows: 9999 is not between 1 and 5000
batches in flight: 0 is not between 1 and 64
errors folder: must be given
state folder: must be given
retry time: can't be negative
progress: must be given`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
	if _, err := Run(context.Background(), Config{}); err == nil {
		t.Error("an empty configuration must be refused")
	}
}

func TestMaskCards(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"card 4111 1111 1111 1111 lost":        "card **** **** **** 1111 lost",
		"4111-1111-1111-1111;5555555555554444": "****-****-****-1111;************4444",
		"account 1234567890123456":             "account 1234567890123456",
		"A0000002378":                          "A0000002378",
	} {
		if got := maskCards(text); got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// TestEveryEntity sends one record of each entity to its service.
func TestEveryEntity(t *testing.T) {
	t.Parallel()
	r, conn := startRecorder(t, nil)
	u := upserter{conn: conn, importID: "id"}
	for _, entity := range mapping.Entities {
		record := entity.New()
		results, err := u.send(t.Context(), entity, []proto.Message{record})
		if err != nil || len(results) != 1 {
			t.Errorf("%s: %v, %v", entity, results, err)
		}
	}
	var got []string
	for _, c := range r.recorded() {
		got = append(got, c.method)
	}
	want := []string{
		"BatchUpsertRegions", "BatchUpsertBranches", "BatchUpsertManagers", "BatchUpsertProducts", "BatchUpsertServiceLevels",
		"BatchUpsertAttributeDefinitions", "BatchUpsertCustomers",
		"BatchUpsertConsents", "BatchUpsertRelations",
		"BatchUpsertAccounts", "BatchUpsertAccountHolders", "BatchUpsertCards", "BatchUpsertContracts",
		"BatchUpsertContractParties", "BatchUpsertInstalments", "BatchUpsertInteractions", "BatchUpsertDocuments",
		"BatchUpsertTransactions", "BatchUpsertBalances", "BatchRecordBehaviourEvents",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestLanes sends transactions of many accounts over several streams: those of one account have to arrive in order, and
// each row has to get its own answer.
func TestLanes(t *testing.T) {
	t.Parallel()
	const rows = 400
	var mu sync.Mutex
	arrived := map[string][]string{}
	r, conn := startRecorder(t, func(c call) ([]*crmv1.UpsertResult, error) {
		mu.Lock()
		defer mu.Unlock()
		results := created(c)
		for i, row := range c.rows {
			transaction, ok := row.(*crmv1.Transaction)
			if !ok {
				continue
			}
			account, id := transaction.GetAccountKey().GetExternalId(), transaction.GetKey().GetExternalId()
			arrived[account] = append(arrived[account], id)
			if strings.HasSuffix(id, "00") {
				results[i] = &crmv1.UpsertResult{Error: statusOf(apperr.NotFound("refused %s", id))}
			}
		}
		return results, nil
	})
	b := newBank(t, map[string]string{"transactions.csv": lines("Id,Account,Amount,Currency", rows, func(i int) string {
		return fmt.Sprintf("t%d,a%d,1,CZK", i, i%17)
	})})
	b.config.Conn, b.config.InFlight = conn, 4
	summary := run(t, b.config)
	for account, got := range arrived {
		var want []string
		for i := 1; i <= rows; i++ {
			if fmt.Sprintf("a%d", i%17) == account {
				want = append(want, fmt.Sprintf("t%d", i))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("account %s: %s", account, diff)
		}
	}
	for i, line := range strings.Split(strings.TrimSpace(b.errorFileOf(t, "transactions.csv")), "\n")[1:] {
		id := (i + 1) * 100
		if want := fmt.Sprintf("transactions.csv,%d,transaction,,,refused t%d,", id+1, id); !strings.HasPrefix(line, want) {
			t.Errorf("got %q instead of %q", line, want)
		}
	}
	if counts := summary.Jobs[1].Counts; counts.Created != rows-4 || counts.Rejected != 4 {
		t.Errorf("counts: %+v", counts)
	}
	if len(r.recorded()) < 10 {
		t.Errorf("only %d bundles", len(r.recorded()))
	}
}

// contactsMapping loads contacts with participants, documents and balances of one file.
const contactsMapping = `mapping: bank
source: bank
files:
  - match: clients.csv
    columns: [id]
    feeds:
      - {entity: customer, key: {id: id}, fields: {individual.family_name: id}}
      - {entity: account, key: {id: id}, constants: {currency: CZK}}
  - match: contacts.csv
    columns: [id, who, with, day, balance, text]
    feeds:
      - entity: interaction
        key: {id: id}
        constants: {kind: call, opened_time: "2026-01-31T12:00:00Z"}
        fields: {customer_key: {id: who}, "participants[0].customer_key": {id: with}}
      - entity: document
        key: {id: id}
        constants: {kind: note}
        fields: {customer_key: {id: who}, interaction_key: {id: id}, text: text}
      - entity: account_balance
        fields: {account_key: {id: who}, as_of_time: day + "T23:00:00Z", ledger: 'money(balance, "CZK")'}
`

// Contacts with their participants, documents and balances; what is wrong is named by line and field.
func TestContacts(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"clients.csv": "id\n1\n2\n",
		"contacts.csv": "id,who,with,day,balance,text\nc1,1,2,2026-01-30,10,Asked\nc2,1,,2026-01-31,11,Called\n" +
			"c3,2,9,2026-01-31,12,Came\nc4,2,1,31.1.,lots,Went\nc5,1,,2026-01-31,13,Twice\n",
	}
	r, conn := startRecorder(t, func(c call) ([]*crmv1.UpsertResult, error) {
		results := created(c)
		if c.method == "BatchUpsertInteractions" {
			for i, row := range c.rows {
				if p := row.(*crmv1.Interaction).GetParticipants(); len(p) > 0 && p[0].GetCustomerKey().GetExternalId() == "9" {
					results[i] = &crmv1.UpsertResult{Error: statusOf(apperr.ReferenceNotFound("participants[0].customer_key", "unknown"))}
				}
			}
		}
		return results, nil
	})
	b := newBank(t, files)
	b.config.Mapping, b.config.Conn, b.config.InFlight = mapped(t, contactsMapping), conn, 1
	summary := run(t, b.config)
	counts := map[mapping.Entity]Counts{}
	for _, job := range summary.Jobs {
		counts[job.Entity] = job.Counts
	}
	want := map[mapping.Entity]Counts{
		mapping.Customer: {Created: 2}, mapping.Account: {Created: 2}, mapping.Interaction: {Created: 4, Rejected: 1}, mapping.Document: {Created: 5},
		mapping.AccountBalance: {Created: 4, Rejected: 1},
	}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Error(diff)
	}
	// Two balances of one account and moment don't travel in one batch: which comes last decides.
	for _, c := range r.recorded() {
		if c.method == "BatchUpsertBalances" && len(c.rows) > 3 {
			t.Errorf("%v travel together", c.rows)
		}
	}
	for _, want := range []string{"4,interaction,with,participants[0].customer_key,", "5,account_balance,day balance,as_of_time ledger,"} {
		if file := b.errorFileOf(t, "contacts.csv"); !strings.Contains(file, want) {
			t.Errorf("%s does not have %s", file, want)
		}
	}
	// A trial knows who would have been there: also among the participants.
	b = newBank(t, files)
	b.config.Mapping, b.config.Offline, b.config.StateDir = mapped(t, contactsMapping), true, ""
	if summary := run(t, b.config); summary.UnknownReferences != 1 {
		t.Errorf("%d unknown references", summary.UnknownReferences)
	}
}
