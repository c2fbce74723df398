package bank

// product is something the bank sells. Margins are yearly, as a fraction.
type product struct {
	code     string
	name     string
	family   string
	currency string
	margin   string
	from     string
	to       string
	fee      int64 // a month, in hellers
}

// Codes that the generator refers to.
const (
	productStandard  = "CA-STD"
	productStudent   = "CA-STU"
	productSenior    = "CA-SEN"
	productPremium   = "CA-PRM"
	productClassic   = "CA-CLS"
	productBusiness  = "CA-BUS"
	productEuro      = "CA-EUR"
	productSavings   = "SA-STD"
	productDeposit   = "TD-STD"
	productCard      = "DC-CLA"
	productGold      = "DC-GLD"
	productCorporate = "DC-BUS"
	productConsumer  = "LN-CON"
	productMortgage  = "LN-MTG"
	productCredit    = "LN-BUS"
	productOrder     = "PS-STO"
)

var products = []product{
	{productStandard, "Everyday account", "current_account", "CZK", "0.0140", "2012-01-01", "", 0},
	{productStudent, "Student account", "current_account", "CZK", "0.0090", "2010-09-01", "", 0},
	{productSenior, "Senior account", "current_account", "CZK", "0.0120", "2016-04-01", "", 0},
	{productPremium, "Premium account", "current_account", "CZK", "0.0210", "2012-06-01", "", 19900},
	{productClassic, "Classic account", "current_account", "CZK", "0.0180", "2003-01-01", "2011-12-31", 5900},
	{productBusiness, "Business account", "current_account", "CZK", "0.0230", "2008-01-01", "", 14900},
	{productEuro, "Euro account", "current_account", "EUR", "0.0160", "2011-03-01", "", 0},
	{productSavings, "Savings account", "deposit", "CZK", "0.0085", "2009-01-01", "", 0},
	{productDeposit, "Term deposit", "deposit", "CZK", "0.0065", "2007-01-01", "", 0},
	{productCard, "Debit card Classic", "card", "CZK", "0.0050", "2006-01-01", "", 0},
	{productGold, "Debit card Gold", "card", "CZK", "0.0080", "2012-06-01", "", 0},
	{productCorporate, "Business card", "card", "CZK", "0.0070", "2009-05-01", "", 0},
	{productConsumer, "Consumer loan", "loan", "CZK", "0.0420", "2005-01-01", "", 0},
	{productMortgage, "Mortgage", "loan", "CZK", "0.0135", "2005-01-01", "", 0},
	{productCredit, "Business loan", "loan", "CZK", "0.0260", "2008-01-01", "", 0},
	{productOrder, "Standing order", "payment", "", "0", "2003-01-01", "", 0},
	{"IV-BAL", "Balanced fund", "investment", "CZK", "0.0110", "2013-02-01", "", 0},
	{"IN-LIF", "Life insurance", "insurance", "CZK", "0.0310", "2011-10-01", "", 0},
}

func writeProducts(f *csvFile) {
	for _, p := range products {
		f.text(p.code).text(p.code).text(p.name).text(p.family).text(p.currency)
		f.text(p.margin).text(p.from).text(p.to).end()
	}
}

// feeOf gives the monthly fee of an account's product.
func feeOf(code string) int64 {
	for _, p := range products {
		if p.code == code {
			return p.fee
		}
	}
	return 0
}
