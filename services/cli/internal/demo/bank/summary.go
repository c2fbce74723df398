package bank

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"time"
)

// summaryFile is written last: a folder that has it is complete.
const summaryFile = "parameters.json"

// formatVersion grows when the same settings begin to give other bytes.
const formatVersion = 3

// Summary says how a bank was made and how much of it there is.
type Summary struct {
	// Version of the generator's output.
	Version   int    `json:"version"`
	Seed      uint64 `json:"seed"`
	Customers int    `json:"customers"`
	Months    int    `json:"months"`
	// Start and End are the first and the last day of the history.
	Start    string `json:"start"`
	End      string `json:"end"`
	Currency string `json:"currency"`
	// Purchases is the process behind the transactions of kind card_payment.
	Purchases PurchaseModel `json:"purchases"`
	// Files lists the rows of each file, without the header.
	Files []FileRows `json:"files"`
}

// PurchaseModel is the purchase process with what follows from its values.
type PurchaseModel struct {
	Model           string `json:"model"`
	TransactionKind string `json:"transaction_kind"`
	Parameters
	// MeanRate is r/α, MeanStop a/(a+b), MeanPurchase p·v/(q−1) in the base currency.
	MeanRate     float64 `json:"mean_purchases_a_week"`
	MeanStop     float64 `json:"mean_stop_probability"`
	MeanPurchase float64 `json:"mean_purchase"`
	// FirstPurchases says where the first purchases stand.
	FirstPurchases string `json:"first_purchases"`
}

// Model describes the purchase process of every generated bank.
func Model() PurchaseModel {
	return PurchaseModel{
		Model:           "BG/NBD purchases (Fader, Hardie and Lee 2005), Gamma-Gamma amounts (Fader and Hardie 2013); time in weeks",
		TransactionKind: kindCardPayment,
		Parameters:      Process,
		MeanRate:        Process.R / Process.Alpha,
		MeanStop:        Process.A / (Process.A + Process.B),
		MeanPurchase:    Process.MeanSpend(),
		FirstPurchases:  "truth.csv: week and day of each customer's first purchase, with the customer's own rates",
	}
}

// FileRows is the size of one file.
type FileRows struct {
	Name string `json:"name"`
	Rows int64  `json:"rows"`
}

// Rows counts the rows of a file.
func (s Summary) Rows(name string) int64 {
	for _, file := range s.Files {
		if file.Name == name {
			return file.Rows
		}
	}
	return 0
}

// History returns the first and the last day.
func (s Summary) History() (start, end time.Time, err error) {
	start, startErr := time.Parse(time.DateOnly, s.Start)
	end, endErr := time.Parse(time.DateOnly, s.End)
	return start, end, errors.Join(startErr, endErr)
}

func summarise(cfg Config, rows []FileRows) Summary {
	history := cfg.history()
	return Summary{
		Version: formatVersion, Seed: cfg.Seed, Customers: cfg.Customers, Months: cfg.Months,
		Start: history.from.time().Format(time.DateOnly), End: history.to.time().Format(time.DateOnly),
		Currency: Currency, Purchases: Model(), Files: rows,
	}
}

// Complete returns the summary of a folder that already holds exactly the bank that cfg asks for.
func Complete(cfg Config) (Summary, bool) {
	content, err := os.ReadFile(filepath.Join(cfg.Dir, summaryFile))
	if err != nil {
		return Summary{}, false
	}
	var found Summary
	if json.Unmarshal(content, &found) != nil {
		return Summary{}, false
	}
	return found, reflect.DeepEqual(found, summarise(cfg.withDefaults(), found.Files))
}

func (s Summary) write(dir string) error {
	content, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encode summary: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, summaryFile), append(content, '\n'), 0o644); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	return nil
}

// removeSummary takes the mark of completeness away before the files change.
func removeSummary(dir string) error {
	if err := os.Remove(filepath.Join(dir, summaryFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove old summary: %w", err)
	}
	return nil
}
