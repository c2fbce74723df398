package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// head begins a mapping with one file of the columns a, b and c, up to its feeds.
const head = `mapping: test
source: bank
time_zone: Europe/Prague
format: {date_formats: [DD.MM.YYYY, YYMMDD], decimal_comma: true}
codes:
  sex: {f: female, m: male}
files:
  - match: x.csv
    columns: [a, b, c]
    feeds:
`

// record runs one row through the first feed of a mapping.
func record(t *testing.T, m *Mapping, values ...string) string {
	t.Helper()
	return recordOf(t, m, 0, values...)
}

// recordOf is the record that a row makes in one of the feeds.
func recordOf(t *testing.T, m *Mapping, feed int, values ...string) string {
	t.Helper()
	got, err := m.Files[0].Feeds[feed].Record(m.Files[0].Row(values, 7, "x.csv"))
	switch {
	case err != nil:
		return "error: " + err.Error()
	case got == nil:
		return "passed over"
	default:
		return compact(got)
	}
}

func TestExpressions(t *testing.T) {
	t.Parallel()
	tests := []struct{ expression, a, b, want string }{
		{`a`, " x ", "", "x"},
		{`a + b`, "x", "y", "xy"},
		{`string(line) + file`, "", "", "7x.csv"},
		{`date(a)`, "31.12.1997", "", "1997-12-31"},
		{`date(a)`, "971231", "", "1997-12-31"},
		{`date(a)`, "", "", ""},
		{`date(a)`, "31.11.1997", "", `error: "31.11.1997" is not a date of the expected form`},
		{`date(a, "D/M/YYYY")`, "1/2/1998", "", "1998-02-01"},
		{`datetime(a)`, "1997-07-01T12:00:00+02:00", "", "1997-07-01T10:00:00Z"},
		{`datetime(a, "YYYY-MM-DD hh:mm:ss")`, "1997-07-01 12:00:00", "", "1997-07-01T10:00:00Z"},
		{`datetime(a)`, "01.01.1998", "", "1997-12-31T23:00:00Z"},
		{`datetime(a)`, "soon", "", `error: "soon" is not a time of the expected form`},
		{`decimal(a)`, "1.234,50", "", "1234.5"},
		{`decimal(a)`, "-7,0", "", "-7"},
		{`decimal(a)`, "2,5e-05", "", "0.000025"},
		{`decimal(a)`, "1e999", "", `error: "1e999" is not a number`},
		{`decimal(a, 8)`, "-0,17245782515092936", "", "-0.17245783"},
		{`decimal(a, 2)`, "", "", ""},
		{`decimal(a, -1)`, "1", "", "error: decimal: places must be from 0 to 40, are -1"},
		{`decimal(a)`, "1 000 000", "", "1000000"},
		{`decimal(a)`, "12,5 CZK", "", `error: "12,5 CZK" is not a number`},
		{`decimal(a)`, "1.23", "", `error: "1.23" is not a number`},
		{`money(a, "CZK")`, "12,50", "", "12.5 CZK"},
		{`money(a, b)`, "", "CZK", ""},
		{`latlng(a, b)`, "50,0875", "14,4214", "50.0875,14.4214"},
		{`latlng(a, b)`, "", "", ""},
		{`code("sex", a)`, "f", "", "female"},
		{`code("sex", a)`, "x", "", `error: "x" is not in the code table sex`},
		{`code("sex", a, "other")`, "x", "", "other"},
		{`code("sex", a, "other")`, "", "", ""},
		{`nullif(a, "0", "-")`, "-", "", ""},
		{`nullif(a, "0", "-")`, "1", "", "1"},
		{`first(a, b, "z")`, "", "y", "y"},
		{`substr(a, 1)`, "žluť", "", "luť"},
		{`substr(a, 1, 2)`, "žluť", "", "lu"},
		{`substr(a, 9, 2)`, "žluť", "", ""},
		{`substr(a, -1, 99)`, "žluť", "", "žluť"},
		{`pad(a, 4)`, "7", "", "0007"},
		{`pad(a, 4)`, "", "", ""},
		{`upper(lower(trim(a)))`, "Ž", "", "Ž"},
		{`replace(a, "-", "")`, "1-2", "", "12"},
		{`a == "x" ? "yes" : reject("no")`, "y", "", "error: no"},
		{`a in ["x", "y"] ? "known" : ""`, "y", "", "known"},
		{`string(int(a) + 1)`, "9223372036854775807", "", "error: integer overflow"},
	}
	for _, test := range tests {
		t.Run(test.expression+" of "+test.a, func(t *testing.T) {
			t.Parallel()
			m := load(t, head+"      - {entity: product, key: {id: '\"1\"'}, fields: {name: '"+test.expression+"'}}\n")
			want := `key:{source:"bank" external_id:"1"}`
			switch reason, failed := strings.CutPrefix(test.want, "error: "); {
			case failed:
				want = "error: name: " + reason
			case test.want != "":
				want += fmt.Sprintf(" name:%q", test.want)
			}
			if diff := cmp.Diff(want, record(t, m, test.a, test.b, "")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	tests := []struct{ entity, field, value, want string }{
		{"customer", "individual.sex", "female", "individual:{sex:SEX_FEMALE}"},
		{"customer", "individual.sex", "woman", `error: individual.sex: "woman" is not one of female, male`},
		{"customer", "individual.birth_date", "1970-12-13", "individual:{birth_date:{year:1970 month:12 day:13}}"},
		{"customer", "individual.birth_date", "13.12.1970", `error: individual.birth_date: "13.12.1970" is not a date such as 1970-12-13; date() reads other forms`},
		{"customer", "individual.monthly_income", "12000.5 CZK", `individual:{monthly_income:{currency_code:"CZK" units:12000 nanos:500000000}}`},
		{"customer", "individual.monthly_income", "12000", `error: individual.monthly_income: "12000" is not an amount such as 96396.00 CZK; money() makes it of two columns`},
		{"customer", "individual.monthly_income", "1 KCS", `error: individual.monthly_income: "KCS" is not an ISO 4217 currency`},
		{"customer", "individual.monthly_income", "1.23456 CZK", "error: individual.monthly_income: amount 1.23456 must have at most 4 decimal places"},
		{"customer", "individual.monthly_income", "99999999999999999999 CZK", `error: individual.monthly_income: "99999999999999999999" is not an amount`},
		{"customer", "organisation.employees", "0", "organisation:{employees:0}"},
		{"customer", "organisation.employees", "3000000000", `error: organisation.employees: "3000000000" is not a whole number of 32 bits`},
		{"region", "population", "1204953", "population:1204953"},
		{"region", "population", "many", `error: population: "many" is not a whole number of 64 bits`},
		{"region", "location", "50.1,14.4", "location:{latitude:50.1 longitude:14.4}"},
		{"region", "location", "91,0", `error: location: "91,0" is not a pair of latitude and longitude in degrees, such as 50.0875,14.4214`},
		{"region", "indicators.crimes_1996", "2.5", `indicators:{key:"crimes_1996" value:2.5}`},
		{"region", "indicators.crimes_1996", "NaN", `error: indicators.crimes_1996: "NaN" is not a number`},
		{"interaction", "opened_time", "1997-12-31T23:00:00Z", "opened_time:{seconds:883609200}"},
		{"consent", "channel", "any", "channel:CONSENT_CHANNEL_ANY"},
		{"transaction", "channel", "mobile_app", "channel:CHANNEL_MOBILE_APP"},
		{"interaction", "opened_time", "today", `error: opened_time: "today" is not a time such as 1997-12-31T15:04:05Z; datetime() reads other forms`},
		{"account", "statement_frequency", "per_transaction", "statement_frequency:STATEMENT_FREQUENCY_PER_TRANSACTION"},
	}
	for _, test := range tests {
		t.Run(test.field+" of "+test.value, func(t *testing.T) {
			t.Parallel()
			m := load(t, head+fmt.Sprintf("      - {entity: %s, key: {id: '\"1\"'}, fields: {%s: a}}\n", test.entity, test.field))
			got := strings.TrimPrefix(record(t, m, test.value, "", ""), `key:{source:"bank" external_id:"1"} `)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			// A blank value leaves the field unset.
			if got := record(t, m, "", "", ""); got != `key:{source:"bank" external_id:"1"}` {
				t.Errorf("blank: %s", got)
			}
		})
	}
}

func TestFeed(t *testing.T) {
	t.Parallel()
	m := load(t, head+`      - entity: card
        when: b != "skip"
        key: {source: cards, id: a}
        constants: {state: active, product_key: {id: visa}}
        fields:
          customer_key: {id: b}
          account_key: {source: core, id: 'nullif(c, "0")'}
`)
	want := `key:{source:"cards" external_id:"1"} state:CARD_STATE_ACTIVE customer_key:{source:"bank" external_id:"2"} ` +
		`account_key:{source:"core" external_id:"3"} product_key:{source:"bank" external_id:"visa"}`
	if diff := cmp.Diff(want, record(t, m, "1", "2", "3")); diff != "" {
		t.Error(diff)
	}
	want = `key:{source:"cards" external_id:"1"} state:CARD_STATE_ACTIVE customer_key:{source:"bank" external_id:"2"} product_key:{source:"bank" external_id:"visa"}`
	if diff := cmp.Diff(want, record(t, m, "1", "2", "0")); diff != "" {
		t.Error(diff)
	}
	if got := record(t, m, "1", "skip", "3"); got != "passed over" {
		t.Errorf("when: %s", got)
	}
	if got := record(t, m, "", "2", "3"); got != "error: key: has no value" {
		t.Errorf("blank key: %s", got)
	}
	feed := m.Files[0].Feeds[0]
	for field, columns := range map[string][]string{
		"customer_key": {"b"}, "account_key.external_id": {"c"}, "key.external_id": {"a"}, "scheme": nil,
	} {
		if diff := cmp.Diff(columns, feed.ColumnsOf(field)); diff != "" {
			t.Errorf("columns of %s: %s", field, diff)
		}
	}
}

// TestMistakes gives each mistake a place and a hint.
func TestMistakes(t *testing.T) {
	t.Parallel()
	feed := func(rest string) string { return head + "      - " + rest + "\n" }
	product := func(fields string) string {
		return feed("{entity: product, key: {id: a}, " + fields + "}")
	}
	tests := []struct{ name, content, want string }{
		{"empty", "", "test.yaml: the mapping is empty"},
		{"not YAML", "mapping: [", "test.yaml:1:1: not YAML: did not find expected node content"},
		{"two documents", "mapping: x\n---\na: b\n", "test.yaml:2:1: a mapping file holds one document; `---` begins a second"},
		{"unknown key", strings.Replace(head, "codes:", "code:", 1) + "      []\n", `test.yaml:5:1: the mapping has no key "code"; did you mean "codes"?`},
		{"key twice", "mapping: x\nmapping: y\nfiles: []", `test.yaml:2:1: the mapping has the key "mapping" twice`},
		{"no name", "files: []\n", "test.yaml:1:1: the mapping needs a name: `mapping: mybank`"},
		{"delimiter", "mapping: x\nformat: {delimiter: ab}\nfiles: []", `test.yaml:2:21: delimiter must be one character or tab, not "ab"`},
		{"encoding", "mapping: x\nformat: {encoding: cp12}\nfiles: []", `test.yaml:2:20: encoding "cp12" is not known; examples are utf-8, windows-1250, windows-1251, iso-8859-2`},
		{"unsafe encoding", "mapping: x\nformat: {encoding: utf-16}\nfiles: []", `test.yaml:2:20: encoding "utf-16" is not based on ASCII; convert the file to utf-8 first`},
		{"date format", "mapping: x\nformat: {date_formats: [DD-MON-YY]}\nfiles: []", `test.yaml:2:25: date layout "DD-MON-YY": "ON-YY" is not one of YYYY, YY, MM, M, DD, D, hh, mm, ss, T or a sign`},
		{"time zone", "mapping: x\ntime_zone: Europe/Praha\nfiles: []", `test.yaml:2:12: time_zone "Europe/Praha" is not known; an example is Europe/Prague`},
		{"null value", "mapping: x\nformat: {null_values: [NULL]}\nfiles: []", "test.yaml:2:24: null_values must be a plain text"},
		{"glob", "mapping: x\nfiles:\n  - {match: '[', columns: [a], feeds: []}", `test.yaml:3:13: match: "[" is not a pattern such as clients*.csv`},
		{"column name", "mapping: x\nfiles:\n  - {match: x, columns: [a b], feeds: []}", "test.yaml:3:26: column \"a b\" can't stand in an expression; give it a name: `columns: {name: \"a b\"}`"},
		{"reserved column", "mapping: x\nfiles:\n  - {match: x, columns: [line], feeds: []}", "test.yaml:3:26: column \"line\" has a name with a meaning of its own; give it another: `columns: {my_line: \"line\"}`"},
		{"no columns", "mapping: x\nfiles:\n  - {match: x, columns: [], feeds: []}", "test.yaml:3:25: columns must name at least one column"},
		{"entity", feed("{entity: client, key: {id: a}}"), `test.yaml:11:18: entity "client" is not one of region, branch, manager, product, service_level, attribute_definition, customer, consent, relation, account, account_holder, card, contract, contract_party, instalment, interaction, document, transaction, account_balance, behaviour_event`},
		{"a key of what has none", feed("{entity: account_balance, key: {id: a}}"), "test.yaml:11:40: account_balance has no `key`: a row is told apart by account_key, as_of_time and business_date"},
		{"no key", feed("{entity: product}"), "test.yaml:11:9: a feed needs a `key`: the external key that makes a second import an update"},
		{"field", feed("{entity: customer, key: {id: a}, fields: {individual.birthdate: a}}"), `test.yaml:11:51: customer has no field "individual.birthdate"; did you mean "individual.birth_date"?`},
		{"field with parts", feed("{entity: customer, key: {id: a}, fields: {organisation: a}}"), `test.yaml:11:51: customer.organisation has parts: name one of organisation.annual_turnover, organisation.employees, organisation.founded, organisation.industry_nace, organisation.legal_form, organisation.legal_name, organisation.legal_name_latin, organisation.registration_number, organisation.tax_ids[0].country, organisation.tax_ids[0].number, organisation.trade_names[0]`},
		{"part of a value", product("fields: {name.x: a}"), `test.yaml:11:50: product has no field "name.x": name holds a single value`},
		{"map", feed("{entity: region, key: {id: a}, fields: {indicators: a}}"), "test.yaml:11:49: region.indicators is a map: write indicators.name for one of its entries"},
		{"output only", product("fields: {product_id: a}"), "test.yaml:11:50: product.product_id is set by Tandem alone"},
		{"field of an element", feed("{entity: customer, key: {id: a}, fields: {'contact_points[2].valeu': a}}"), `test.yaml:11:51: customer has no field "contact_points[2].valeu"; did you mean "contact_points[2].value"?`},
		{"list", feed("{entity: customer, key: {id: a}, fields: {individual.citizenships: a}}"), "test.yaml:11:51: customer.individual.citizenships is a list: write individual.citizenships[0] for its first element"},
		{"index without a list", feed("{entity: customer, key: {id: a}, fields: {'phone[0]': a}}"), "test.yaml:11:51: customer.phone is no list"},
		{"index", feed("{entity: customer, key: {id: a}, fields: {'contact_points[01].value': a}}"), `test.yaml:11:51: customer has no field "contact_points[01].value"; did you mean "contact_points[0].value"?`},
		{"gap in a list", feed("{entity: customer, key: {id: a}, fields: {'other_banks[0].bank': a, 'other_banks[3].bank': b}}"), "test.yaml:11:9: customer.other_banks[3] is set and other_banks[2] is not: elements are counted from 0, without gaps"},
		{"parts of an attribute", feed("{entity: customer, key: {id: a}, fields: {attributes.segment: a}}"), "test.yaml:11:51: customer.attributes.segment has parts: name one of attributes.segment.boolean, attributes.segment.date, attributes.segment.decimal, attributes.segment.integer, attributes.segment.money, attributes.segment.option, attributes.segment.options.values[0], attributes.segment.text"},
		{"type of an attribute", feed("{entity: customer, key: {id: a}, fields: {attributes.segment.texts: a}}"), `test.yaml:11:51: customer has no field "attributes.segment.texts"; did you mean "attributes.segment.text"?`},
		{"two types of an attribute", feed("{entity: customer, key: {id: a}, fields: {attributes.segment.text: a, attributes.segment.option: a}}"), "test.yaml:11:9: customer can't have both attributes.segment.text and attributes.segment.option: write two feeds with `when`"},
		{"unknown column", product("fields: {name: d}"), "test.yaml:11:56: name: character 1 of the expression: undeclared reference to 'd'"},
		{"syntax", product("fields: {name: 'a +'}"), "test.yaml:11:56: name: character 4 of the expression: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"},
		{"type", product("fields: {valid_from: line}"), "test.yaml:11:62: valid_from takes a date, and the expression gives a int"},
		{"enum name", product(`fields: {family: '"cards"'}`), `test.yaml:11:58: family: "cards" is not one of card, current_account, deposit, insurance, investment, loan, payment`},
		{"code table for an enum", product(`fields: {family: 'code("sex", a)'}`), `test.yaml:11:58: family: "female" is not one of card, current_account, deposit, insurance, investment, loan, payment` + "\n" + `test.yaml:11:58: family: "male" is not one of card, current_account, deposit, insurance, investment, loan, payment`},
		{"code table", product(`fields: {name: 'code("sexes", a)'}`), `test.yaml:11:56: name: there is no code table "sexes"; did you mean "sex"?`},
		{"layout", product(`fields: {name: 'date(a, "YYYY")'}`), `test.yaml:11:56: name: date layout "YYYY" must hold year, month and day`},
		{"layout from a column", product(`fields: {name: 'date(a, b)'}`), `test.yaml:11:56: name: date: the layout must be a plain text such as "DD.MM.YYYY"`},
		{"constant", product("constants: {valid_from: 1.1.1998}"), `test.yaml:11:65: valid_from: "1.1.1998" is not a date such as 1970-12-13; date() reads other forms`},
		{"set twice", product("constants: {name: x}, fields: {name: a}"), "test.yaml:11:9: product.name is set twice"},
		{"both parties", feed("{entity: customer, key: {id: a}, fields: {individual.given_name: a, organisation.legal_name: b}}"), "test.yaml:11:9: customer can't have both individual and organisation: write two feeds with `when`"},
		{"when", feed("{entity: product, key: {id: a}, when: a}"), "test.yaml:11:47: when must give true or false, not a string"},
		{"reference", feed("{entity: account, key: {id: a}, fields: {branch_key: b}}"), "test.yaml:11:62: branch_key must be written as `key: value` lines\ntest.yaml:11:62: branch_key needs an `id`"},
		{"record", "mapping: x\nsource: x\nrecords:\n  - {entity: product, key: {id: p}, constants: {code: P}}\nfiles: []", "test.yaml:4:5: name: must be at least 1 characters\ntest.yaml:4:5: family: must not be in list [0]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := Load("test.yaml", []byte(test.content))
			if _, ok := errors.AsType[*InvalidError](err); !ok {
				t.Fatalf("got %v instead of an InvalidError", err)
			}
			if !strings.HasPrefix(err.Error(), test.want) {
				t.Error(cmp.Diff(test.want, err.Error()))
			}
		})
	}
}

func TestOpenUnknown(t *testing.T) {
	t.Parallel()
	_, err := Open("nobody")
	if err == nil || !strings.Contains(err.Error(), `mapping "nobody" is neither a file nor one of the built-in berka`) {
		t.Errorf("got %v", err)
	}
}

// FuzzLoad reads anything as a mapping: it has to end with a mapping or with mistakes, and a mapping has to work on rows,
// of blanks too.
func FuzzLoad(f *testing.F) {
	f.Add(head + "      - {entity: customer, key: {id: a}, when: b != c, fields: {individual.birth_date: date(b), region_key: {id: c}}}\n")
	f.Add("mapping: x\nrecords:\n  - {entity: region, key: {source: a, id: b}, constants: {name: n, indicators.x: 1.5}}\nfiles: []")
	f.Add(head + "      - {entity: customer, key: {id: a}, constants: {'contact_points[0].kind': phone, 'other_banks[0].bank': X}, " +
		"fields: {'contact_points[0].value': a, 'contact_points[1].address.city': b, 'individual.citizenships[0]': c, " +
		"attributes.x.money: b, 'attributes.y.options.values[0]': c}}\n")
	f.Add("mapping: &a [*a]\n")
	f.Add("? {a: b}\n: c\n")
	f.Fuzz(func(t *testing.T, content string) {
		m, err := Load("fuzz.yaml", []byte(content))
		var invalid *InvalidError
		if err != nil {
			if !errors.As(err, &invalid) || len(invalid.Problems) == 0 {
				t.Fatalf("got %v", err)
			}
			return
		}
		for _, file := range m.Files {
			for _, value := range []string{"", "1"} {
				row := file.Row(slices.Repeat([]string{value}, len(file.Columns)), 1, "f")
				for _, feed := range file.Feeds {
					var faults *FaultsError
					if _, err := feed.Record(row); err != nil && !errors.As(err, &faults) {
						t.Fatalf("got %v", err)
					}
				}
			}
		}
	})
}
