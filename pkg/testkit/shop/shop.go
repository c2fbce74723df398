// Package shop has the purchases of a shop for tests: those of the music shop CDNOW, the reference of the literature on
// lifetime value, where its file lies beside the project, and otherwise those of a shop that is drawn with the parameters that
// were published of it (Fader, Hardie and Lee 2005; Fader and Hardie 2013).
package shop

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

// Days of CDNOW: customers came in the first 12 weeks; models see the time up to CalibrationEnd, 39 weeks.
var (
	CalibrationEnd = time.Date(1997, 9, 30, 0, 0, 0, 0, time.UTC)
	End            = time.Date(1998, 6, 30, 0, 0, 0, 0, time.UTC)
)

// Parameters of CDNOW: r, alpha, a, b of BG/NBD per week, and p, q, gamma of Gamma-Gamma.
var (
	Counts = [4]float64{.2426, 4.4136, .7929, 2.4259}
	Spends = [3]float64{6.25, 3.74, 15.44}
)

// Purchase is one purchase.
type Purchase struct {
	Customer uint64
	Day      time.Time
	// Amount is a decimal.
	Amount string
}

// Open returns the purchases of CDNOW, and whether they are: without its file they are Drawn. The log of the test says which.
func Open(t testing.TB) (purchases []Purchase, published bool) {
	t.Helper()
	purchases, err := read()
	if errors.Is(err, fs.ErrNotExist) {
		t.Log("no CDNOW in ../shared/data/cdnow beside the project: the shop is drawn with its parameters")
		return Drawn(), false
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Log("the shop is CDNOW")
	return purchases, true
}

func read() ([]Purchase, error) {
	root, err := root()
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(filepath.Dir(root), "shared", "data", "cdnow", "CDNOW_sample.txt"))
	if err != nil {
		return nil, err
	}
	var purchases []Purchase
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line) // number in the whole, number in the sample, day, discs, dollars
		if len(fields) != 5 {
			return nil, fmt.Errorf("CDNOW: a line is %q", line)
		}
		customer, err := strconv.ParseUint(fields[1], 10, 64)
		if err != nil {
			return nil, err
		}
		day, err := time.Parse("20060102", fields[2])
		if err != nil {
			return nil, err
		}
		purchases = append(purchases, Purchase{Customer: customer, Day: day, Amount: fields[4]})
	}
	return purchases, nil
}

// root is the folder of the project: the one with its workspace file.
func root() (string, error) {
	folder, err := os.Getwd()
	for ; err == nil; folder = filepath.Dir(folder) {
		if _, missing := os.Stat(filepath.Join(folder, "go.work")); missing == nil {
			return folder, nil
		}
		if folder == filepath.Dir(folder) {
			return "", fs.ErrNotExist
		}
	}
	return "", err
}

// Drawn draws the purchases of 4 000 customers by BG/NBD and Gamma-Gamma, always the same.
func Drawn() (purchases []Purchase) {
	source := rand.NewPCG(5, 5)
	random := rand.New(source) //nolint:gosec // the same shop every time
	rate := distuv.Gamma{Alpha: Counts[0], Beta: Counts[1], Src: source}
	leaving := distuv.Beta{Alpha: Counts[2], Beta: Counts[3], Src: source}
	scale := distuv.Gamma{Alpha: Spends[1], Beta: Spends[2], Src: source}
	first := CalibrationEnd.AddDate(0, 0, -272)
	for customer := range uint64(4_000) {
		lambda, p := rate.Rand(), leaving.Rand()
		amounts := distuv.Gamma{Alpha: Spends[0], Beta: scale.Rand(), Src: source}
		begin, weeks := first.AddDate(0, 0, random.IntN(84)), 0.0
		for watched := End.Sub(begin).Hours() / 24 / 7; weeks <= watched; weeks += random.ExpFloat64() / lambda {
			purchases = append(purchases, Purchase{
				Customer: customer + 1, Day: begin.AddDate(0, 0, int(weeks*7)), Amount: strconv.FormatFloat(amounts.Rand(), 'f', 2, 64),
			})
			if weeks > 0 && random.Float64() < p {
				break
			}
		}
	}
	return purchases
}
