package logit_test

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tandem.bank/pkg/logit"
)

// credit are loans: twenty attributes of each, and whether it went bad.
type credit struct {
	rows [][]string
	bad  []bool
}

// readCredit reads the German credit data, which lie beside the project; false when they do not.
func readCredit(t *testing.T) (credit, bool) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../..", "shared", "data", "german_credit", "german.data"))
	if os.IsNotExist(err) {
		return credit{}, false
	}
	if err != nil {
		t.Fatal(err)
	}
	var c credit
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) != 21 {
			t.Fatalf("a line has %d fields", len(fields))
		}
		c.rows, c.bad = append(c.rows, fields[:20]), append(c.bad, fields[20] == "2")
	}
	return c, true
}

// drawCredit draws loans whose log-odds are known: −1 + 0.8 for the second level, −0.5 for the third, and 0.7 a unit.
func drawCredit(n int) credit {
	random := rand.New(rand.NewPCG(1, 2))
	effects := []float64{0, 0.8, -0.5}
	var c credit
	for range n {
		level, x := random.IntN(3), math.Round(random.NormFloat64()*1000)/1000
		c.rows = append(c.rows, []string{"A" + strconv.Itoa(level), strconv.FormatFloat(x, 'f', -1, 64)})
		c.bad = append(c.bad, random.Float64() < logit.Probability(-1+effects[level]+0.7*x))
	}
	return c
}

// table encodes numbers as they are and codes by level, all but the alphabetically first.
func (c credit) table(t *testing.T) *logit.Table {
	t.Helper()
	var encoders []logit.Encoder
	var names []string
	for j := range c.rows[0] {
		name := "a" + strconv.Itoa(j+1)
		texts, numbers := c.column(j)
		var e logit.Encoder
		var err error
		if numbers != nil {
			e.Linear, err = logit.NewLinear(numbers)
		} else {
			e.Levels, err = logit.NewLevels(texts, "")
		}
		if err != nil {
			t.Fatal(err)
		}
		encoders, names = append(encoders, e), append(names, e.Columns(name)...)
	}
	table, err := logit.NewTable(names)
	if err != nil {
		t.Fatal(err)
	}
	row := make([]float64, len(names))
	for i, r := range c.rows {
		at := 0
		for j, e := range encoders {
			number, _ := strconv.ParseFloat(r[j], 64)
			width := len(e.Columns(""))
			e.Encode(logit.Value{Number: number, Text: r[j]}, row[at:at+width])
			at += width
		}
		if err := table.Append(row, c.bad[i]); err != nil {
			t.Fatal(err)
		}
	}
	return table
}

// column is one attribute of all loans; numbers is nil when it is a code.
func (c credit) column(j int) (texts []string, numbers []float64) {
	for _, r := range c.rows {
		texts = append(texts, r[j])
		if v, err := strconv.ParseFloat(r[j], 64); err == nil {
			numbers = append(numbers, v)
		}
	}
	if len(numbers) < len(texts) {
		numbers = nil
	}
	return texts, numbers
}

// The published figures come out of the German credit data; where they are not at hand, known parameters of drawn loans.
func TestGermanCredit(t *testing.T) {
	t.Parallel()
	c, there := readCredit(t)
	if !there {
		t.Log("the German credit data are not at ../shared/data/german_credit beside the project: drawn loans take their place")
		drawnCredit(t)
		return
	}
	t.Log("with the German credit data")
	table := c.table(t)
	if len(table.Columns()) != 48 {
		t.Fatalf("%d columns", len(table.Columns()))
	}
	fit, err := logit.Train(table, logit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := logit.Evaluate(fit.Apply(table))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "log-likelihood", fit.LogLikelihood, -447.9089, 4)
	same(t, "log-likelihood of the rows", m.LogLikelihood, -447.9089, 4)
	same(t, "AUC", m.AUC, .8338, 4)
	same(t, "KS", m.KS, .5314, 4)
	same(t, "top 10 % lift", m.Lifts[2].Lift, 2.667, 3)
	same(t, "log-likelihood without columns", fit.NullLogLikelihood, 300*math.Log(.3)+700*math.Log(.7), 9)
	if len(fit.Left) != 0 || fit.Rows != 1000 || fit.Events != 300 || fit.Iterations > 8 {
		t.Errorf("left %v, %d rows, %d events, %d iterations", fit.Left, fit.Rows, fit.Events, fit.Iterations)
	}
}

func drawnCredit(t *testing.T) {
	t.Helper()
	table := drawCredit(20_000).table(t)
	fit, err := logit.Train(table, logit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{-1, .8, -.5, .7} {
		p := fit.Parameters[i]
		if math.Abs(p.Value-want) > 4*p.StandardError || !(p.StandardError > 0) {
			t.Errorf("%+v, want %g", p, want)
		}
	}
	m, err := logit.Evaluate(fit.Apply(table))
	if err != nil {
		t.Fatal(err)
	}
	if m.AUC < .65 || m.AUC > .75 || m.HosmerLemeshow.P < 1e-4 {
		t.Errorf("%+v", m)
	}
}

// Known parameters come out of drawn loans, also where the real ones are at hand.
func TestDrawnCredit(t *testing.T) {
	t.Parallel()
	drawnCredit(t)
}

func same(t *testing.T, what string, got, want float64, places int) {
	t.Helper()
	if scale := math.Pow10(places); math.Round(got*scale) != math.Round(want*scale) {
		t.Errorf("%s %.8g, want %g", what, got, want)
	}
}
