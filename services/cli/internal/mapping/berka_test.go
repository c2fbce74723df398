package mapping

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// berkaRow is a row of a file and what the mapping makes of it: a record, or the reason why not.
type berkaRow struct {
	name, file string
	values     []string
	line       int
	want       string
}

var berkaRows = []berkaRow{
	{
		"a woman", "client.asc",
		[]string{"1", "706213", "18"},
		2,
		`key:{source:"berka" external_id:"1"} individual:{birth_date:{year:1970 month:12 day:13} sex:SEX_FEMALE} state:CUSTOMER_STATE_ACTIVE region_key:{source:"berka" external_id:"18"}`,
	},
	{
		"a man", "client.asc",
		[]string{"2", "450204", "1"},
		3,
		`key:{source:"berka" external_id:"2"} individual:{birth_date:{year:1945 month:2 day:4} sex:SEX_MALE} state:CUSTOMER_STATE_ACTIVE region_key:{source:"berka" external_id:"1"}`,
	},
	{
		"a birth number that is no date", "client.asc",
		[]string{"3", "451332", "1"},
		4,
		`error: individual.birth_date: "19451332" is not a date of the expected form`,
	},
	{
		"a district with gaps", "district.asc",
		[]string{"69", "Jesenik", "north Moravia", "42821", "4", "13", "5", "1", "3", "48.4", "8173", "?", "7.01", "124", "?", "1358"},
		70,
		`key:{source:"berka" external_id:"69"} name:"Jesenik" parent_name:"north Moravia" population:42821 average_salary:"8173" ` +
			`indicators:{key:"cities" value:3} indicators:{key:"crimes_1996" value:1358} indicators:{key:"entrepreneurs_per_1000" value:124} ` +
			`indicators:{key:"municipalities_2000_to_9999" value:5} indicators:{key:"municipalities_500_to_1999" value:13} ` +
			`indicators:{key:"municipalities_from_10000" value:1} indicators:{key:"municipalities_under_500" value:4} ` +
			`indicators:{key:"unemployment_percent_1996" value:7.01} indicators:{key:"urban_inhabitants_percent" value:48.4}`,
	},
	{
		"an account", "account.asc",
		[]string{"576", "55", "POPLATEK PO OBRATU", "930101"},
		2,
		`key:{source:"berka" external_id:"576"} number:"576" currency:"CZK" product_key:{source:"berka" external_id:"account"} ` +
			`region_key:{source:"berka" external_id:"55"} state:ACCOUNT_STATE_OPEN statement_frequency:STATEMENT_FREQUENCY_PER_TRANSACTION opened:{year:1993 month:1 day:1}`,
	},
	{
		"a second holder", "disp.asc",
		[]string{"3", "3", "2", "DISPONENT"},
		4,
		`key:{source:"berka" external_id:"3"} account_key:{source:"berka" external_id:"2"} customer_key:{source:"berka" external_id:"3"} role:HOLDER_ROLE_AUTHORISED_USER`,
	},
	{
		"an unknown role", "disp.asc",
		[]string{"4", "3", "2", "HEIR"},
		5,
		`error: role: "HEIR" is not in the code table role`,
	},
	{
		"a card", "card.asc",
		[]string{"1005", "9285", "classic", "931107 00:00:00"},
		2,
		`key:{source:"berka" external_id:"1005"} scheme:"classic" state:CARD_STATE_ACTIVE account_holder_key:{source:"berka" external_id:"9285"} ` +
			`product_key:{source:"berka" external_id:"card-classic"} issued:{year:1993 month:11 day:7}`,
	},
	{
		"a bad loan", "loan.asc",
		[]string{"5314", "1787", "930705", "96396", "12", "8033.00", "B"},
		2,
		`key:{source:"berka" external_id:"loan-5314"} kind:CONTRACT_KIND_LOAN state:CONTRACT_STATE_DEFAULTED account_key:{source:"berka" external_id:"1787"} ` +
			`product_key:{source:"berka" external_id:"loan"} amount:{currency_code:"CZK" units:96396} instalment:{currency_code:"CZK" units:8033} ` +
			`duration_months:12 opened:{year:1993 month:7 day:5}`,
	},
	{
		"an order without a purpose", "order.asc",
		[]string{"46337", "11362", "KL", "20009470", "129.30", " "},
		6471,
		`key:{source:"berka" external_id:"order-46337"} kind:CONTRACT_KIND_STANDING_ORDER state:CONTRACT_STATE_RUNNING account_key:{source:"berka" external_id:"11362"} ` +
			`product_key:{source:"berka" external_id:"order"} amount:{currency_code:"CZK" units:129 nanos:300000000} counterparty_bank:"KL" counterparty_account:"20009470"`,
	},
	{
		"an insurance order", "order.asc",
		[]string{"1", "1", "AB", "5", "7.00", "POJISTNE"},
		2,
		`key:{source:"berka" external_id:"order-1"} kind:CONTRACT_KIND_STANDING_ORDER state:CONTRACT_STATE_RUNNING account_key:{source:"berka" external_id:"1"} ` +
			`product_key:{source:"berka" external_id:"order"} amount:{currency_code:"CZK" units:7} purpose:"insurance" counterparty_bank:"AB" counterparty_account:"5"`,
	},
	{
		"a pension of 1993", "trans_1993-01-01_1994-04-20.csv",
		[]string{"A0000002378", "1993-01-05", "credit", "collection_from_another_bank", "5298", "5998", "pension", "IJ", "62457513.0"},
		77,
		`key:{source:"berka" external_id:"trans_1993-01-01_1994-04-20.csv:77"} account_key:{source:"berka" external_id:"2378"} ` +
			`business_date:{year:1993 month:1 day:5} direction:DIRECTION_CREDIT kind:TRANSACTION_KIND_TRANSFER_IN amount:{currency_code:"CZK" units:5298} ` +
			`balance_after:{currency_code:"CZK" units:5998} purpose:"pension" counterparty_bank:"IJ" counterparty_account:"62457513"`,
	},
	{
		"cash of 1994 with an account of zero", "trans_1993-01-01_1994-04-20.csv",
		[]string{"A0000000790", "1994-04-20", "cash_withdraw", "withdraw_cash", "3500", "-46", "", "", "0.0"},
		52817,
		`key:{source:"berka" external_id:"trans_1993-01-01_1994-04-20.csv:52817"} account_key:{source:"berka" external_id:"790"} ` +
			`business_date:{year:1994 month:4 day:20} direction:DIRECTION_DEBIT kind:TRANSACTION_KIND_CASH_WITHDRAWAL amount:{currency_code:"CZK" units:3500} ` +
			`balance_after:{currency_code:"CZK" units:-46}`,
	},
	{
		"interest of 1996", "trans_354_loan_accounts.csv",
		[]string{"6145", "25", "960831", "credit", "", "13.60", "900.00", "interest credited", "", ""},
		2,
		`key:{source:"berka" external_id:"6145"} account_key:{source:"berka" external_id:"25"} business_date:{year:1996 month:8 day:31} ` +
			`direction:DIRECTION_CREDIT kind:TRANSACTION_KIND_INTEREST_CREDITED amount:{currency_code:"CZK" units:13 nanos:600000000} ` +
			`balance_after:{currency_code:"CZK" units:900} purpose:"interest"`,
	},
	{
		"a fee that is called cash", "trans_354_loan_accounts.csv",
		[]string{"7", "25", "960831", "withdrawal", "withdrawal in cash", "14.60", "-1011.20", "payment for statement", "", "0"},
		3,
		`key:{source:"berka" external_id:"7"} account_key:{source:"berka" external_id:"25"} business_date:{year:1996 month:8 day:31} ` +
			`direction:DIRECTION_DEBIT kind:TRANSACTION_KIND_FEE amount:{currency_code:"CZK" units:14 nanos:600000000} ` +
			`balance_after:{currency_code:"CZK" units:-1011 nanos:-200000000} purpose:"statement"`,
	},
	{
		"a pair of codes that nobody knows", "trans_354_loan_accounts.csv",
		[]string{"8", "25", "960831", "withdrawal", "withdrawal in cash", "1", "1", "pension", "", "0"},
		4,
		`error: kind: "withdrawal in cash / pension" is not in the code table kind`,
	},
}

func TestBerkaRows(t *testing.T) {
	t.Parallel()
	m, err := Open("berka")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range berkaRows {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var file *File
			for _, f := range m.Files {
				if f.Matches(test.file) {
					file = f
				}
			}
			values := append([]string{}, test.values...)
			var got string
			record, err := file.Feeds[0].Record(file.Row(values, test.line, test.file))
			if err != nil {
				got = "error: " + err.Error()
			} else {
				got = compact(record)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestBerkaProducts checks that each product the mapping refers to is one of its constants.
func TestBerkaProducts(t *testing.T) {
	t.Parallel()
	m, err := Open("berka")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, constant := range m.Constants {
		got = append(got, compact(constant.Record))
	}
	if len(got) != 6 || got[0] != `key:{source:"berka" external_id:"account"} code:"ACCOUNT" name:"Current account" family:PRODUCT_FAMILY_CURRENT_ACCOUNT currency:"CZK"` {
		t.Errorf("constants: %q", got)
	}
}
