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
	{Name: "segments.name", Column: "g.segment", Kind: filter.Text, Required: true, Related: segments},
	{Name: "segments.as_of", Column: "g.as_of", Kind: filter.Date, Required: true, Related: segments},
	{Name: "scores.name", Column: "p.score", Kind: filter.Text, Required: true, Related: scores},
	{Name: "scores.value", Column: "p.value", Kind: filter.Decimal, Required: true, Related: scores},
	{Name: "scores.grade", Column: "p.grade", Kind: filter.Text, Related: scores},
	{Name: "scores.as_of", Column: "p.as_of", Kind: filter.Date, Required: true, Related: scores},
}

var rfm = &filter.Related{Name: "rfm", From: "customer_rfm f", Key: "f.customer_id", Of: "customer.customer_id", One: true}

var clv = &filter.Related{Name: "clv", From: "customer_clv v", Key: "v.customer_id", Of: "customer.customer_id", One: true}

// segments are those that the customer is in: `segments:"affluent"`.
var segments = &filter.Related{
	Name: "segments", From: "(SELECT * FROM customer_segment WHERE member) g", Key: "g.customer_id", Of: "customer.customer_id", Value: "name",
}

var scores = &filter.Related{
	Name: "scores", From: "(SELECT * FROM customer_score WHERE value IS NOT NULL) p", Key: "p.customer_id", Of: "customer.customer_id",
}
