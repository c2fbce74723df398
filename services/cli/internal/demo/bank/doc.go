// Package bank makes up a believable Czech bank and writes it as CSV files.
//
// # What is written
//
// Files of references first, so that they can be loaded in this order: regions, branches, managers, products,
// customers, consents, relations, accounts, account_holders, cards, contracts, transactions, interactions. parameters.json says how the bank
// was made; truth.csv holds what no bank knows, the hidden rates behind each customer's purchases.
//
// # The same bytes
//
// A bank is a function of (seed, customers, months, end) and of nothing else: no clock, no map order, no machine. Each
// customer has streams of random numbers of its own, by purpose (see package chance), and refers only to customers with
// smaller numbers, so that customer k is the same however many customers there are: a smaller bank's files are the
// beginnings of a larger one's. One customer at a time is in memory.
//
// # The purchase process
//
// A transaction of kind card_payment is a purchase of the customer who owns the account, and purchases follow the model
// "buy till you die" in its BG/NBD form (Fader, Hardie & Lee 2005, "Counting Your Customers" the Easy Way):
//
//   - each customer has a rate λ, drawn from Gamma(r, α), and buys at that rate: times between purchases are
//     exponential, in weeks;
//   - after each purchase but the first the customer stops for good with probability p, drawn from Beta(a, b);
//   - what a purchase costs is Gamma-Gamma (Fader & Hardie 2013): each customer has ν from Gamma(q, v), each purchase
//     costs Gamma(p, ν). The mean is p·v/(q−1). Spending and rates are independent, as that model assumes.
//
// The values are Parameters. What was done to keep the process pure, so that a model fitted to the transactions finds
// them again:
//
//   - The first purchase of a customer in the files is the first there ever was: the story is that the bank gave all
//     customers new cards in the first half year. Each existing customer starts evenly within the first 26 weeks, each
//     new one within some weeks of joining.
//   - Seasons, salaries, fees, prices and the balance leave purchases alone. The seasons of this bank are in flows of
//     their own, which have no influence on purchases: cash withdrawals (a Poisson process thinned month by month, so
//     that December has three times the withdrawals of February), transfers for gifts and holidays, heating
//     in the utilities, bonuses with the November salary.
//   - A customer leaves the bank only some weeks after having stopped buying, so that no account is closed on a living
//     process.
//   - Purchases carry a day and no hour. A customer's purchases of one day merge for whoever counts days: two in a
//     hundred at these rates, which are low on purpose. A fit to days finds a mean rate about 2 % too low and a p of the
//     amounts a few percent off; nothing else is visible beside the sampling error of ten thousand customers.
//   - Amounts are rounded to whole hellers, and are at least one.
//
// # Nobody real
//
// Names, numbers and addresses of mail are made up. Account numbers and registration numbers have right check digits.
// Mail addresses end in example.com, example.net or example.org. Accounts of other banks have wrong check digits on
// purpose: nobody has them. Of a card there are a token, the first six and the last four digits, never a number.
package bank
