package insight

import "tandem.bank/pkg/filter"

// OfCustomer is a customer's place in the newest RFM run, for lists of customers.
var OfCustomer = filter.Schema{
	{Name: "rfm.cell", Column: "f.cell", Kind: filter.Text, Required: true, Related: rfm},
	{Name: "rfm.recency_days", Column: "f.recency_days", Kind: filter.Int, Required: true, Related: rfm},
	{Name: "rfm.frequency", Column: "f.frequency", Kind: filter.Int, Required: true, Related: rfm},
	{Name: "rfm.monetary", Column: "f.monetary", Kind: filter.Decimal, Required: true, Related: rfm},
	{Name: "rfm.as_of", Column: "f.as_of", Kind: filter.Date, Required: true, Related: rfm},
}

var rfm = &filter.Related{Name: "rfm", From: "customer_rfm f", Key: "f.customer_id", Of: "customer.customer_id", One: true}
