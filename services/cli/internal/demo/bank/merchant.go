package bank

// merchant is a shop where cards are used. What is bought has no influence on what it costs: the amounts follow the
// purchase process alone.
type merchant struct {
	weight  int
	purpose string
	names   []string
}

// onlineShop is the purpose of what is bought without a terminal.
const onlineShop = "online shop"

var merchants = []merchant{
	{34, "groceries", []string{"Potraviny U Zvonu", "Samoobsluha Lípa", "Večerka Na Rohu", "Market Slunečnice"}},
	{14, "restaurants", []string{"Hospoda Na Růžku", "Kavárna Mezi řádky", "Bistro Šafrán", "Pizzerie Kamínka"}},
	{12, "fuel", []string{"Čerpací stanice Východ", "Palivo U Mostu"}},
	{10, "clothing", []string{"Oděvy Jitka", "Obuv Krok", "Sport Vrchol"}},
	{8, "pharmacy", []string{"Lékárna U Lva", "Lékárna Zdraví"}},
	{8, onlineShop, []string{"Knihy na klik", "Elektro dům online", "Hračkárna Medvídek"}},
	{7, "household goods", []string{"Železářství Kovář", "Nábytek Dubina", "Zahrada a dům"}},
	{4, "leisure", []string{"Kino Hvězda", "Plavecký bazén", "Divadlo Na Hradbách"}},
	{3, "travel", []string{"Cestovní kancelář Horizont", "Jízdenky online"}},
}

var merchantWeights = func() []int {
	weights := make([]int, len(merchants))
	for i, merchant := range merchants {
		weights[i] = merchant.weight
	}
	return weights
}()

// bookPurchases turns purchases into bookings. Where each was made comes from a stream of its own, so that a change
// of shops leaves the process as it is.
func (g *generator) bookPurchases(c *customer) {
	s := g.stream(c.number, purposeMerchant)
	main := &g.accounts[mainAccount]
	for _, bought := range c.purchases {
		shop := &merchants[s.Weighted(merchantWeights)]
		main.bookings = append(main.bookings, booking{
			day: bought.day, kind: kindCardPayment, amount: bought.amount, purpose: shop.purpose,
			text: shop.names[s.Below(len(shop.names))], place: cityOf(c.branch),
		})
	}
}
