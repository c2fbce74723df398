package flow

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// holdingsMapping reads what the people of relationMapping hold, say and sign, out of one file of each.
const holdingsMapping = `mapping: holdings
source: kin
format: {delimiter: ",", header: true}
codes:
  paper: {L: contract}
files:
  - match: accounts.csv
    columns: [id, number, owner, second, loan, surety]
    feeds:
      - {entity: account, key: {id: id}, constants: {currency: CZK, state: open}, fields: {number: number}}
      - entity: account_holder
        key: {id: id + "-owner"}
        constants: {role: owner}
        fields: {account_key: {id: id}, customer_key: {id: owner}}
      - entity: account_holder
        when: second != ""
        key: {id: id + "-second"}
        constants: {role: authorised_user, valid_from: "2020-01-01"}
        fields: {account_key: {id: id}, customer_key: {id: second}}
      - entity: contract
        when: loan != ""
        key: {id: id}
        constants: {kind: loan, state: running}
        fields: {account_key: {id: id}, amount: 'money(loan, "CZK")'}
      - entity: contract_party
        when: surety != ""
        key: {id: id}
        constants: {role: guarantor}
        fields: {contract_key: {id: id}, customer_key: {id: surety}, share: '"0.5"'}
  - match: contacts.csv
    columns: [id, who, with, paper, title, text]
    feeds:
      - entity: interaction
        key: {id: id}
        constants: {kind: meeting, opened_time: "2026-01-31T12:00:00Z"}
        fields: {customer_key: {id: who}, "participants[0].customer_key": {id: with}, "participants[1].name": '"Mgr. Dlouhá"'}
      - entity: document
        when: paper != ""
        key: {id: id}
        constants: {document_time: "2026-01-31T13:00:00Z", language: en}
        fields: {customer_key: {id: who}, interaction_key: {id: id}, kind: 'code("paper", paper)', title: title, text: text}
  - match: balances.csv
    columns: [account, day, booked, held, currency]
    feeds:
      - entity: account_balance
        fields:
          account_key: {id: account}
          as_of_time: day + "T23:00:00Z"
          business_date: date(day)
          ledger: money(booked, currency)
          held: money(held, currency)
`

// What is wrong here: account 2 has an owner whom nobody knows; 2 meets himself; kind X of paper has no meaning; the account
// of the third balance keeps crowns, and that of the fourth is not known.
var holdingsFiles = map[string]string{
	"holdings.yaml": holdingsMapping,
	"accounts.csv":  "id,number,owner,second,loan,surety\n1,000001,1,2,50000,2\n2,000002,77,,,\n",
	"contacts.csv": "id,who,with,paper,title,text\n1,1,2,L,Loan,Terms of the mortgage\n2,2,2,,Alone,Nobody came\n" +
		"3,1,,X,Odd,Unknown kind\n",
	"balances.csv": "account,day,booked,held,currency\n1,2026-01-30,100.50,20,CZK\n1,2026-01-31,-7,,CZK\n1,2026-02-01,1,,EUR\n9,2026-01-31,1,,CZK\n",
}

// importsHoldings loads accounts with holders, loans with parties, meetings with participants, documents and balances into a
// bank that has the people of TestRelations, twice, and sees them where people look for them.
func (b *bank) importsHoldings(t *testing.T) {
	t.Helper()
	for name, text := range holdingsFiles {
		if err := os.WriteFile(filepath.Join(b.work, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	load := []string{"import", "--mapping", "holdings.yaml", "accounts.csv", "contacts.csv", "balances.csv"}
	b.tandem(t, 3, append(load, "--errors-dir", "held")...)
	refused := b.refused(t, "held")
	for line, reason := range map[string]string{
		"accounts.csv:3": "does not exist", "contacts.csv:3": "takes part already", "contacts.csv:4": "paper",
		"balances.csv:4": "CZK", "balances.csv:5": "does not exist",
	} {
		if !strings.Contains(refused[line], reason) || len(refused) != 5 {
			t.Errorf("%s: refused with %q, want %q; all: %v", line, refused[line], reason, refused)
		}
	}
	b.tandem(t, 3, append(load, "--errors-dir", "again", "--state-dir", "again")...) // changes nothing
	postgres := b.postgres(t)
	for table, want := range map[string]int64{
		"account": 2, "account_holder": 2, "contract": 1, "contract_party": 1, "interaction": 2, "interaction_participant": 3, "document": 1,
		"account_balance_day": 2,
	} {
		if got := count(t, postgres, table); got != want {
			t.Errorf("%d rows in %s, want %d", got, table, want)
		}
	}
	for _, look := range []struct {
		args []string
		want []string
	}{
		{[]string{"customer", "360", "kin/1"}, []string{"Accounts: 1", "000001", "owner", "-7.00 CZK", "Contracts: 1", "000.00 CZK"}},
		{[]string{"customer", "360", "kin/2"}, []string{"authorised", "Contracts: 1", "meeting"}},
		{[]string{"document", "list", "--filter", "kind = contract"}, []string{"Loan"}},
		{[]string{"customer", "search", "mortgage"}, []string{"Nováková"}},
	} {
		shown := b.tandem(t, 0, look.args...)
		for _, want := range look.want {
			if !strings.Contains(shown, want) {
				t.Errorf("%s lacks %q:\n%s", strings.Join(look.args, " "), want, shown)
			}
		}
	}
}
