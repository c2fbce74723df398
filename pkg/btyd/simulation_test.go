package btyd_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"tandem.bank/pkg/btyd"
	"tandem.bank/pkg/testkit/shop"
)

// world draws histories with known parameters.
type world struct {
	kind       btyd.Kind
	parameters [4]float64
}

var worlds = []world{
	{btyd.BGNBD, [4]float64{0.8, 12, 0.8, 2.5}},
	{btyd.MBGNBD, [4]float64{0.8, 12, 0.8, 2.5}},
	{btyd.ParetoNBD, [4]float64{0.8, 12, 0.7, 14}},
}

// histories of customers who came within half a year and were watched for a year and a half.
func (w world) histories(seed uint64, customers int) []btyd.History {
	histories := make([]btyd.History, customers)
	w.draw(seed, customers, func(random *rand.Rand) int { return 364 + random.IntN(182) }, func(i, days int, repeats []int) {
		histories[i] = btyd.History{T: days, X: len(repeats)}
		if len(repeats) > 0 {
			histories[i].TX = repeats[len(repeats)-1]
		}
	})
	return histories
}

// draw gives, for each customer, how many days they are watched for and the days of their repeat purchases, counted from the first.
func (w world) draw(seed uint64, customers int, watched func(*rand.Rand) int, use func(i, days int, repeats []int)) {
	source := rand.NewPCG(seed, 1)
	random := rand.New(source)
	rates := distuv.Gamma{Alpha: w.parameters[0], Beta: w.parameters[1], Src: source}
	leaving := distuv.Beta{Alpha: w.parameters[2], Beta: w.parameters[3], Src: source}
	deaths := distuv.Gamma{Alpha: w.parameters[2], Beta: w.parameters[3], Src: source}
	for i := range customers {
		days := watched(random)
		rate, end := rates.Rand()/7, float64(days)
		leave := 0.0
		if w.kind == btyd.ParetoNBD {
			end = min(end, random.ExpFloat64()/(deaths.Rand()/7))
		} else {
			leave = leaving.Rand()
		}
		var repeats []int
		if w.kind == btyd.MBGNBD && random.Float64() < leave {
			end = 0
		}
		for at := random.ExpFloat64() / rate; at < end; at += random.ExpFloat64() / rate {
			if day := int(math.Ceil(at)); day <= days && (len(repeats) == 0 || day > repeats[len(repeats)-1]) {
				repeats = append(repeats, day)
			}
			if random.Float64() < leave {
				break
			}
		}
		use(i, days, repeats)
	}
}

// What a shop like CDNOW is drawn with: the parameters that were published for it.
var (
	drawn = map[btyd.Kind][]float64{
		btyd.BGNBD:     {0.243, 4.414, 0.793, 2.426},
		btyd.ParetoNBD: {0.553, 10.578, 0.606, 11.669},
	}
	drawnSpend = []float64{6.25, 3.74, 15.44}
)

// drawnShop has as many customers as CDNOW, who came in the first twelve weeks of 78.
func drawnShop(kind btyd.Kind) []btyd.Customer {
	const watched, holdout = 78 * 7, 39 * 7
	w := world{kind: kind, parameters: [4]float64(drawn[kind])}
	source := rand.NewPCG(5, 5)
	var customers []btyd.Customer
	w.draw(5, 2357, func(random *rand.Rand) int { return watched - random.IntN(84) }, func(_, days int, repeats []int) {
		first := shop.CalibrationEnd.AddDate(0, 0, holdout-days)
		scale := distuv.Gamma{Alpha: drawnSpend[1], Beta: drawnSpend[2], Src: source}.Rand()
		amounts := distuv.Gamma{Alpha: drawnSpend[0], Beta: scale, Src: source}
		purchases := []btyd.Purchase{{Day: first, Amount: amounts.Rand()}}
		for _, day := range repeats {
			purchases = append(purchases, btyd.Purchase{Day: first.AddDate(0, 0, day), Amount: amounts.Rand()})
		}
		if c, ok := btyd.Summarize(purchases, shop.CalibrationEnd); ok {
			customers = append(customers, c)
		}
	})
	return customers
}

// Of 95 % intervals, about 95 % must hold the true value. With 20 seeds and four parameters of three models, the share of
// the 240 intervals has a standard deviation of about 2.5 % (the four of a fit are not independent): 89 % up passes.
func TestIntervalsHoldTheTruth(t *testing.T) {
	t.Parallel()
	const seeds, customers = 20, 1200
	held, all := 0, 0
	for _, w := range worlds {
		for seed := range uint64(seeds) {
			d, err := btyd.NewData(w.histories(seed, customers), 7)
			if err != nil {
				t.Fatal(err)
			}
			for i, p := range fitCounts(t, w.kind, d).Parameters {
				all++
				if p.Low <= w.parameters[i] && w.parameters[i] <= p.High {
					held++
				}
			}
		}
	}
	if share := float64(held) / float64(all); share < 0.89 {
		t.Errorf("%d of %d intervals hold the truth", held, all)
	}
}

func TestSpendIntervalsHoldTheTruth(t *testing.T) {
	t.Parallel()
	const seeds, customers = 60, 1000
	truth := [3]float64{6, 4, 15}
	held := 0
	for seed := range uint64(seeds) {
		source := rand.NewPCG(seed, 2)
		random := rand.New(source)
		spends := make([]btyd.Spend, customers)
		for i := range spends {
			x := 1 + random.IntN(8)
			nu := distuv.Gamma{Alpha: truth[1], Beta: truth[2], Src: source}.Rand()
			spends[i] = btyd.Spend{X: x, Mean: distuv.Gamma{Alpha: truth[0] * float64(x), Beta: nu * float64(x), Src: source}.Rand()}
		}
		fit, err := btyd.FitSpend(spends)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range fit.Parameters {
			if p.Low <= truth[i] && truth[i] <= p.High {
				held++
			}
		}
	}
	// A standard deviation is about 2 %: the three parameters of a fit stand and fall together.
	if share := float64(held) / (3 * seeds); share < 0.89 || share > 1 {
		t.Errorf("%.3f of the intervals hold the truth", share)
	}
}

// What is expected is what comes, in the mean of many customers.
func TestPredictionsOfASimulation(t *testing.T) {
	t.Parallel()
	for _, w := range worlds {
		full := w.histories(7, 20_000)
		d, err := btyd.NewData(full, 7)
		if err != nil {
			t.Fatal(err)
		}
		fit := fitCounts(t, w.kind, d)
		expected, actual := 0.0, 0.0
		for _, h := range full {
			expected += fit.ExpectedNew(float64(h.T) / 7)
			actual += float64(h.X)
		}
		if math.Abs(expected/actual-1) > 0.01 {
			t.Errorf("%s expects %.0f purchases, %.0f were made", w.kind, expected, actual)
		}
	}
}
