package insight

import "tandem.bank/pkg/filter"

// OfCustomer is what the newest runs say of a customer, for lists of customers.
var OfCustomer = filter.Schema{
	{Name: "rfm.cell", Column: "f.cell", Kind: filter.Text, Required: true, Related: rfm},
	{Name: "rfm.recency_days", Column: "f.recency_days", Kind: filter.Int, Required: true, Related: rfm},
	{Name: "rfm.frequency", Column: "f.frequency", Kind: filter.Int, Required: true, Related: rfm},
	{Name: "rfm.monetary", Column: "f.monetary", Kind: filter.Decimal, Required: true, Related: rfm},
	{Name: "rfm.segment", Column: "f.segment", Kind: filter.Text, Required: true, Related: rfm},
	{Name: "rfm.as_of", Column: "f.as_of", Kind: filter.Date, Required: true, Related: rfm},
	{Name: "clv.historic", Column: "v.historic", Kind: filter.Decimal, Required: true, Related: clv},
	{Name: "clv.predictive", Column: "v.predictive", Kind: filter.Decimal, Related: clv},
	{Name: "clv.rank", Column: "v.rank", Kind: filter.Int, Required: true, Related: clv},
	{Name: "clv.as_of", Column: "v.as_of", Kind: filter.Date, Required: true, Related: clv},
}

var rfm = &filter.Related{Name: "rfm", From: "customer_rfm f", Key: "f.customer_id", Of: "customer.customer_id", One: true}

var clv = &filter.Related{Name: "clv", From: "customer_clv v", Key: "v.customer_id", Of: "customer.customer_id", One: true}
