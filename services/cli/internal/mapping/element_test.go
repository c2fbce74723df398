package mapping

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// elements is a mapping whose customers have lists and attributes.
const elements = head + `      - entity: customer
        key: {id: '"1"'}
        constants:
          contact_points[0].kind: phone
          contact_points[0].primary: "true"
          contact_points[1].kind: address
          other_banks[0].bank: Anybank
        fields:
          contact_points[0].value: a
          contact_points[1].address.city: b
          contact_points[1].address.location: latlng(c, c)
          contact_points[2].kind: '"messenger"'
          contact_points[2].value: c
          individual.citizenships[0]: a
          individual.citizenships[1]: b
          individual.identity_documents[0].number: c
          attributes.segment.option: a
          attributes.wealth.money: money(b, "CZK")
          attributes.age.integer: c
          attributes.hobbies.options.values[0]: a
          attributes.hobbies.options.values[1]: b
`

// An element is left out when no column gives it a value, whatever its constants say.
func TestElements(t *testing.T) {
	t.Parallel()
	m := load(t, elements)
	const key, always = `key:{source:"bank" external_id:"1"}`, ` other_banks:{bank:"Anybank"}`
	for _, test := range []struct{ a, b, c, want string }{
		{"", "", "", key + always},
		{
			"x", "", "", key + ` individual:{citizenships:"x"} contact_points:{kind:CONTACT_POINT_KIND_PHONE value:"x" primary:true}` + always +
				` attributes:{key:"hobbies" value:{options:{values:"x"}}} attributes:{key:"segment" value:{option:"x"}}`,
		},
		{
			"", "7", "", key + ` individual:{citizenships:"7"} contact_points:{kind:CONTACT_POINT_KIND_ADDRESS address:{city:"7"}}` + always +
				` attributes:{key:"hobbies" value:{options:{values:"7"}}} attributes:{key:"wealth" value:{money:{currency_code:"CZK" units:7}}}`,
		},
		{
			"x", "", "9", key + ` individual:{citizenships:"x" identity_documents:{number:"9"}}` +
				` contact_points:{kind:CONTACT_POINT_KIND_PHONE value:"x" primary:true}` +
				` contact_points:{kind:CONTACT_POINT_KIND_ADDRESS address:{location:{latitude:9 longitude:9}}}` +
				` contact_points:{kind:CONTACT_POINT_KIND_MESSENGER value:"9"}` + always +
				` attributes:{key:"age" value:{integer:9}} attributes:{key:"hobbies" value:{options:{values:"x"}}} attributes:{key:"segment" value:{option:"x"}}`,
		},
	} {
		if diff := cmp.Diff(test.want, record(t, m, test.a, test.b, test.c)); diff != "" {
			t.Errorf("%q, %q, %q: %s", test.a, test.b, test.c, diff)
		}
	}
	if got := record(t, m, "", "", "old"); got != `error: contact_points[1].address.location: "old" is not a number; attributes.age.integer: "old" is not a whole number of 64 bits` {
		t.Error(got)
	}
}

// Where an element was left out, a refused field has another index than in the mapping: all elements are named.
func TestColumnsOfElements(t *testing.T) {
	t.Parallel()
	feed := load(t, elements).Files[0].Feeds[0]
	for field, columns := range map[string][]string{
		"contact_points[0].value":        {"a", "c"},
		"contact_points[0].address":      {"b", "c"},
		`attributes["segment"].option`:   {"a"},
		"attributes.segment":             {"a"},
		"individual.citizenships[1]":     {"a", "b"},
		"individual.identity_documents":  {"c"},
		"individual.identity_documents.": nil,
	} {
		if diff := cmp.Diff(columns, feed.ColumnsOf(field)); diff != "" {
			t.Errorf("columns of %s: %s", field, diff)
		}
	}
}

// Records of constants have lists and attributes too.
func TestConstantElements(t *testing.T) {
	t.Parallel()
	m := load(t, `mapping: x
source: bank
records:
  - entity: attribute_definition
    key: {id: segment}
    constants: {name: segment, title: Segment, type: option, "allowed_values[0]": retail, "allowed_values[1]": private}
  - entity: service_level
    key: {id: card}
    constants: {class: card_declined, first_answer_hours: "4"}
files: []
`)
	want := []string{
		`key:{source:"bank" external_id:"segment"} name:"segment" title:"Segment" type:ATTRIBUTE_TYPE_OPTION allowed_values:"retail" allowed_values:"private"`,
		`key:{source:"bank" external_id:"card"} class:"card_declined" first_answer_hours:4`,
	}
	for i, constant := range m.Constants {
		if diff := cmp.Diff(want[i], compact(constant.Record)); diff != "" {
			t.Error(diff)
		}
	}
}

// What a contact and a balance are made of: references in lists, and a record without a key.
const contacts = head + `      - entity: interaction
        key: {id: a}
        constants: {kind: call}
        fields:
          customer_key: {id: b}
          participants[0].customer_key: {id: c}
          participants[1].name: c
      - entity: document
        key: {id: a}
        constants: {kind: note}
        fields:
          customer_key: {id: b}
          text: c
      - entity: account_balance
        fields:
          account_key: {id: a}
          business_date: b
          ledger: money(c, "CZK")
`

func TestContacts(t *testing.T) {
	t.Parallel()
	m := load(t, contacts)
	for _, test := range []struct {
		feed    int
		a, b, c string
		want    string
	}{
		{0, "1", "7", "8", `key:{source:"bank" external_id:"1"} customer_key:{source:"bank" external_id:"7"} kind:INTERACTION_KIND_CALL ` +
			`participants:{customer_key:{source:"bank" external_id:"8"}} participants:{name:"8"}`},
		{0, "1", "7", "", `key:{source:"bank" external_id:"1"} customer_key:{source:"bank" external_id:"7"} kind:INTERACTION_KIND_CALL`},
		{1, "d", "7", "text", `key:{source:"bank" external_id:"d"} customer_key:{source:"bank" external_id:"7"} kind:DOCUMENT_KIND_NOTE text:"text"`},
		{2, "5", "2026-01-31", "12,5", `account_key:{source:"bank" external_id:"5"} business_date:{year:2026 month:1 day:31} ` +
			`ledger:{currency_code:"CZK" units:12 nanos:500000000}`},
		{2, "5", "31.1.", "12,5", `error: business_date: "31.1." is not a date such as 1970-12-13; date() reads other forms`},
	} {
		if diff := cmp.Diff(test.want, recordOf(t, m, test.feed, test.a, test.b, test.c)); diff != "" {
			t.Errorf("%v: %s", test, diff)
		}
	}
}
