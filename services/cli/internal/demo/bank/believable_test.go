package bank

import (
	"bufio"
	"maps"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tandem.bank/pkg/check"
)

// references lists which column of a file names a record of another file.
var references = []struct{ file, column, target string }{
	{"branches", "region", "regions"},
	{"managers", "branch", "branches"},
	{"customers", "region", "regions"},
	{"customers", "branch", "branches"},
	{"customers", "manager", "managers"},
	{"consents", "customer", "customers"},
	{"relations", "customer", "customers"},
	{"relations", "other_customer", "customers"},
	{"accounts", "product", "products"},
	{"accounts", "region", "regions"},
	{"accounts", "branch", "branches"},
	{"account_holders", "account", "accounts"},
	{"account_holders", "customer", "customers"},
	{"cards", "account_holder", "account_holders"},
	{"cards", "customer", "customers"},
	{"cards", "account", "accounts"},
	{"cards", "product", "products"},
	{"contracts", "account", "accounts"},
	{"contracts", "product", "products"},
	{"transactions", "account", "accounts"},
	{"transactions", "card", "cards"},
	{"interactions", "customer", "customers"},
	{"interactions", "manager", "managers"},
	{"interactions", "account", "accounts"},
	{"truth", "customer", "customers"},
}

func TestReferencesAreComplete(t *testing.T) {
	t.Parallel()
	dir, summary := sharedBank(t)
	ids := map[string]map[string]bool{}
	for _, entry := range layout {
		ids[entry.name] = map[string]bool{}
		rows := int64(0)
		each(t, dir, entry.name, func(r row) {
			rows++
			if id, ok := r["id"]; ok {
				if ids[entry.name][id] {
					t.Errorf("%s: id %s comes twice", entry.name, id)
				}
				ids[entry.name][id] = true
			}
			for _, reference := range references {
				if reference.file != entry.name {
					continue
				}
				// Every target stands in a file before this one.
				if to := r[reference.column]; to != "" && !ids[reference.target][to] {
					t.Errorf("%s %s: %s %q is unknown", entry.name, r["id"], reference.column, to)
				}
			}
		})
		if rows != summary.Rows(entry.name) || rows == 0 {
			t.Errorf("%s has %d rows, the summary says %d", entry.name, rows, summary.Rows(entry.name))
		}
	}
}

// mod97 computes the rest of ISO 13616 digit by digit, in another way than iban does.
func mod97(code string) int {
	rest := 0
	for _, letter := range code[4:] + code[:4] {
		value, _ := strconv.ParseInt(string(letter), 36, 64)
		if value > 9 {
			rest *= 10
		}
		rest = (rest*10 + int(value)) % 97
	}
	return rest
}

func TestCheckDigits(t *testing.T) {
	t.Parallel()
	if mod97("CZ6508000000192000145399") != 1 { // the example in the IBAN registry
		t.Fatal("mod97 is wrong")
	}
	dir, _ := sharedBank(t)
	seen := map[string]bool{}
	each(t, dir, "accounts", func(r row) {
		number := r["number"]
		if len(number) != 24 || mod97(number) != 1 || seen[number] {
			t.Errorf("account %s: %s is not an IBAN of its own", r["id"], number)
		}
		seen[number] = true
		local, _ := strconv.ParseInt(number[14:], 10, 64)
		if weightedSum(local) != 0 {
			t.Errorf("account %s: %s breaks the rule for Czech account numbers", r["id"], number)
		}
	})
	each(t, dir, "customers", func(r row) {
		if ico := r["registration_number"]; ico != "" && !validICO(ico) {
			t.Errorf("customer %s: %s is not a registration number", r["id"], ico)
		}
	})
	each(t, dir, "transactions", func(r row) {
		other, _ := strconv.ParseInt(r["counterparty_account"], 10, 64)
		if bank := r["counterparty_bank"]; bank != "" && bank != bankCode && weightedSum(other) == 0 {
			t.Errorf("transaction %s: account %d at bank %s could be somebody's", r["id"], other, bank)
		}
	})
}

// validICO follows the published rule in words: weights 8 to 2, remainders 0 and 1 give the digits 1 and 0.
func validICO(ico string) bool {
	sum := 0
	for i := range 7 {
		sum += int(ico[i]-'0') * (8 - i)
	}
	want := 11 - sum%11
	switch sum % 11 {
	case 0:
		want = 1
	case 1:
		want = 0
	}
	return len(ico) == 8 && int(ico[7]-'0') == want
}

func TestKnownRegistrationNumbers(t *testing.T) {
	t.Parallel()
	// Numbers of public institutions: the Czech National Bank and the Ministry of Finance.
	if !validICO("48136450") || !validICO("00006947") || validICO("48136451") {
		t.Error("validICO is wrong")
	}
}

// TestNoCardNumber looks for digits that pass the Luhn check, whatever they begin with, in every line of every file.
func TestNoCardNumber(t *testing.T) {
	t.Parallel()
	dir, _ := sharedBank(t)
	for _, entry := range layout {
		file, err := os.Open(filepath.Join(dir, entry.name+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = file.Close() }()
		lines := bufio.NewScanner(file)
		for lines.Scan() {
			line := lines.Text()
			if check.HasCardNumber(line) {
				t.Errorf("%s: the service would refuse %s", entry.name, line)
			}
			for _, digits := range digitRuns(line) {
				if luhn(digits) {
					t.Errorf("%s: %s passes for a card number in %s", entry.name, digits, line)
				}
			}
		}
		if err := lines.Err(); err != nil {
			t.Error(err)
		}
	}
}

// digitRuns returns runs of 13 to 19 digits, which single blanks or dashes may group.
func digitRuns(line string) []string {
	var runs []string
	var run []byte
	flush := func() {
		if len(run) >= 13 && len(run) <= 19 {
			runs = append(runs, string(run))
		}
		run = run[:0]
	}
	for i := range len(line) {
		grouped := len(run) > 0 && (line[i] == ' ' || line[i] == '-') && line[i-1] >= '0' && line[i-1] <= '9'
		switch {
		case line[i] >= '0' && line[i] <= '9':
			run = append(run, line[i])
		case !grouped:
			flush()
		}
	}
	flush()
	return runs
}

func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			d = d*2/10 + d*2%10
		}
		sum += d
	}
	return sum%10 == 0
}

var phoneForm = regexp.MustCompile(`^\+420[67][0-9]{8}$`)

func TestPeopleAreBelievable(t *testing.T) {
	t.Parallel()
	dir, _ := sharedBank(t)
	counts := map[string]int{}
	given := map[string][]string{"female": givenFemale, "male": givenMale}
	each(t, dir, "customers", func(r row) {
		counts[r["party"]]++
		counts[r["state"]]++
		counts[r["sex"]]++
		if address := r["email"]; address != "" {
			_, domain, _ := strings.Cut(address, "@")
			if _, err := mail.ParseAddress(address); err != nil || !slices.Contains(mailDomains, domain) {
				t.Errorf("%s: mail address %q", r["id"], address)
			}
		}
		if phone := r["phone"]; phone != "" && !phoneForm.MatchString(phone) {
			t.Errorf("%s: phone %q", r["id"], phone)
		}
		if r["party"] == "organisation" {
			if r["legal_name"] == "" || r["founded"] > r["customer_since"] && r["customer_since"] != "" {
				t.Errorf("organisation %s: %v", r["id"], r)
			}
			return
		}
		if !slices.Contains(given[r["sex"]], r["given_name"]) {
			t.Errorf("%s: %s is not a name of the sex %s", r["id"], r["given_name"], r["sex"])
		}
		pair := slices.IndexFunc(familyNames, func(names struct{ male, female string }) bool {
			return names.male == r["family_name"] && r["sex"] == "male" || names.female == r["family_name"] && r["sex"] == "female"
		})
		if pair < 0 {
			t.Errorf("%s: %s does not agree with the sex %s", r["id"], r["family_name"], r["sex"])
		}
	})
	for what, share := range map[string][2]float64{
		"organisation": {0.06, 0.10}, "female": {0.42, 0.52}, "prospect": {0.03, 0.07}, "former": {0.04, 0.12},
	} {
		if got := float64(counts[what]) / sharedCustomers; got < share[0] || got > share[1] {
			t.Errorf("%.3f of the customers are %s, want %.2f to %.2f", got, what, share[0], share[1])
		}
	}
}

func TestBalancesAddUp(t *testing.T) {
	t.Parallel()
	dir, _ := sharedBank(t)
	balance := map[string]int64{}
	last := map[string]string{}
	rows := 0
	each(t, dir, "transactions", func(r row) {
		rows++
		account, amount, after := r["account"], r.hundredths(t, "amount"), r.hundredths(t, "balance_after")
		if r["direction"] == "debit" {
			amount = -amount
		}
		if r["state"] == "reversed" {
			amount = 0
		}
		if before, ok := balance[account]; ok && before+amount != after {
			t.Errorf("%s: %d + %d is not %d", r["id"], before, amount, after)
		}
		if r["business_date"] < last[account] {
			t.Errorf("%s: %s comes after %s", r["id"], r["business_date"], last[account])
		}
		if (r["currency"] == Currency) != (r["base_amount"] == "") {
			t.Errorf("%s: %s %s with base amount %q", r["id"], r["amount"], r["currency"], r["base_amount"])
		}
		balance[account], last[account] = after, r["business_date"]
	})
	if perCustomer := float64(rows) / sharedCustomers; perCustomer < 40 || perCustomer > 60 {
		t.Errorf("%.1f transactions a customer, want 40 to 60", perCustomer)
	}
}

// TestOrdersAreBelievable: who pays by card has one, who orders a transfer does so by a channel, and the bank does without.
func TestOrdersAreBelievable(t *testing.T) {
	t.Parallel()
	dir, _ := sharedBank(t)
	issued := map[string]string{}
	each(t, dir, "cards", func(r row) { issued[r["id"]] = r["issued"] })
	channels, withCard, byCard, second := map[string]int{}, 0, 0, 0
	each(t, dir, "transactions", func(r row) {
		isCard := strings.HasPrefix(r["kind"], "card_")
		if isCard {
			byCard++
		}
		if card := r["card"]; card != "" {
			withCard++
			if !isCard || issued[card] > r["business_date"] || !strings.HasPrefix(r["account"], strings.Split(card, "K")[0]+"A") {
				t.Errorf("%s, a %s of %s, is made with %s of %s", r["id"], r["kind"], r["business_date"], card, issued[card])
			}
			if strings.HasSuffix(card, "K2") {
				second++
			}
		}
		ordered := isCard || r["kind"] == "transfer_out" || strings.HasPrefix(r["kind"], "cash_")
		if (r["channel"] != "") != ordered {
			t.Errorf("%s, a %s, has channel %q", r["id"], r["kind"], r["channel"])
		}
		channels[r["channel"]]++
	})
	if share := float64(withCard) / float64(byCard); share < 0.9 || second == 0 {
		t.Errorf("%.2f of the card payments are made with a card, %d with a second one", share, second)
	}
	for _, pair := range [][2]string{{"mobile_app", "web"}, {"terminal", "web"}, {"web", "branch"}, {"branch", "phone"}, {"phone", "none"}} {
		if channels[pair[0]] <= channels[pair[1]] {
			t.Errorf("not more by %s than by %s: %v", pair[0], pair[1], channels)
		}
	}
}

func TestSeasonsAreInCashAndNotInPurchases(t *testing.T) {
	t.Parallel()
	dir, _ := sharedBank(t)
	cash := map[string]float64{}
	each(t, dir, "transactions", func(r row) {
		if r["purpose"] == "cash" {
			cash[r["business_date"][5:7]]++
		}
	})
	if ratio := cash["12"] / cash["02"]; ratio < 2.4 || ratio > 3.6 {
		t.Errorf("December has %.2f times the withdrawals of February, want about 3", ratio)
	}
}

func TestComplaintsFollowTheirCourse(t *testing.T) {
	t.Parallel()
	dir, summary := sharedBank(t)
	complaints, resolved, late, rated := 0, 0, 0, 0
	each(t, dir, "interactions", func(r row) {
		if opened := r["opened_time"]; opened < summary.Start || opened > summary.End+"T24" {
			t.Errorf("%s: opened %s", r["id"], opened)
		}
		if r["kind"] != "complaint" {
			return
		}
		complaints++
		if r["topic"] == "" || r["priority"] == "" || r["due_time"] <= r["opened_time"] {
			t.Errorf("complaint without class, priority or service level: %v", r)
		}
		if answer := r["first_answer_time"]; answer != "" && answer < r["opened_time"] || r["resolved_time"] != "" && r["resolved_time"] < answer {
			t.Errorf("complaint out of order: %v", r)
		}
		if r["resolved_time"] != "" {
			resolved++
			if r["resolved_time"] > r["due_time"] {
				late++
			}
		}
		if r["satisfaction"] != "" {
			rated++
		}
	})
	if complaints < 200 || resolved < complaints*9/10 || late < complaints/20 || late > complaints/3 || rated < complaints/2 {
		t.Errorf("%d complaints, %d resolved, %d late, %d rated", complaints, resolved, late, rated)
	}
}

func TestAnnuity(t *testing.T) {
	t.Parallel()
	// 1 000 000 at 6 % a year over 20 years: 7164.31, as any table of annuities has it.
	if got := annuity(1_000_000_00, 6, 240); got != 7164_31 {
		t.Errorf("instalment is %d hellers, want 716431", got)
	}
}

func TestParametersFileIsWritten(t *testing.T) {
	t.Parallel()
	dir, _ := sharedBank(t)
	content, err := os.ReadFile(filepath.Join(dir, summaryFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"seed": 11`, `"customers": 4000`, `"start": "2024-07-01"`, `"end": "2026-06-30"`, `"alpha": 5`, `"mean_purchase": 640`} {
		if !strings.Contains(string(content), part) {
			t.Errorf("%s lacks %s", summaryFile, part)
		}
	}
}

// TestFamiliesAreBelievable looks at both sides of couples, at children and at who works for whom.
func TestFamiliesAreBelievable(t *testing.T) {
	t.Parallel()
	dir, summary := sharedBank(t)
	customers := map[string]row{}
	each(t, dir, "customers", func(r row) { customers[r["id"]] = maps.Clone(r) })
	counts, married := map[string]int{}, map[string]bool{}
	each(t, dir, "relations", func(r row) {
		counts[r["type"]]++
		c, other := customers[r["customer"]], customers[r["other_customer"]]
		if (r["other_name"] == "") == (other == nil) {
			t.Errorf("%s: the other party is %q and %q", r["id"], r["other_customer"], r["other_name"])
		}
		switch r["type"] {
		case "spouse":
			if married[c["id"]] || c["marital_status"] != "married" {
				t.Errorf("%s is %s, with another spouse: %t", c["id"], c["marital_status"], married[c["id"]])
			}
			married[c["id"]] = true
			if other == nil {
				return
			}
			married[other["id"]] = true
			if other["marital_status"] != "married" || c["sex"] == other["sex"] || c["region"] != other["region"] || c["dependants"] != other["dependants"] ||
				familyNameOf(c["family_name"], false) != familyNameOf(other["family_name"], false) {
				t.Errorf("no couple: %v and %v", c, other)
			}
		case "child":
			if born := r["other_birth_date"]; born > summary.End || born[:4] < c["birth_date"][:4] {
				t.Errorf("%s: child of %s born %s", r["id"], c["birth_date"], born)
			}
		case "employer":
			if c["party"] != "individual" || other["party"] != "organisation" || c["employer_name"] != "" || r["valid_from"] > summary.End {
				t.Errorf("%s does not work for %s", c["id"], other["id"])
			}
		case "director":
			if c["party"] != "organisation" || other != nil && other["party"] != "individual" {
				t.Errorf("%s does not direct %s", r["other_customer"], c["id"])
			}
		default:
			t.Errorf("relation %s", r["type"])
		}
	})
	for kind, least := range map[string]int{"spouse": 150, "child": 200, "employer": 100, "director": 150} {
		if counts[kind] < least {
			t.Errorf("%d relations of the type %s, want at least %d", counts[kind], kind, least)
		}
	}
}

// TestConsentsAreBelievable: marketing by channels that the bank has, some of it withdrawn, all of it by those who left.
func TestConsentsAreBelievable(t *testing.T) {
	t.Parallel()
	dir, summary := sharedBank(t)
	customers := map[string]row{}
	each(t, dir, "customers", func(r row) { customers[r["id"]] = maps.Clone(r) })
	given, withdrawn := 0, 0
	each(t, dir, "consents", func(r row) {
		given++
		c := customers[r["customer"]]
		if r["channel"] == "email" && c["email"] == "" || (r["channel"] == "phone" || r["channel"] == "sms") && c["phone"] == "" {
			t.Errorf("%s: no way to reach by %s", r["id"], r["channel"])
		}
		if r["granted_time"] < c["customer_since"] || r["granted_time"] > summary.End+"T24" {
			t.Errorf("%s: granted %s by a customer since %s", r["id"], r["granted_time"], c["customer_since"])
		}
		if r["withdrawn_time"] != "" {
			withdrawn++
			if r["withdrawn_time"] <= r["granted_time"] || r["withdrawn_how"] == "" {
				t.Errorf("%s: granted %s, withdrawn %s by %q", r["id"], r["granted_time"], r["withdrawn_time"], r["withdrawn_how"])
			}
		} else if c["state"] == "former" {
			t.Errorf("%s: %s left and is still asked", r["id"], c["id"])
		}
	})
	if given < sharedCustomers/2 || withdrawn < given/12 || withdrawn > given/4 {
		t.Errorf("%d consents, %d withdrawn", given, withdrawn)
	}
}
