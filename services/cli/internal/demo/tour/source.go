package tour

import (
	"context"
	"fmt"
	"path/filepath"

	datepb "google.golang.org/genproto/googleapis/type/date"

	"tandem.bank/pkg/date"
	"tandem.bank/services/cli/internal/demo/bank"
	"tandem.bank/services/cli/internal/show"
)

// source is a bank's files and how its customers are valued.
type source struct {
	// name tells this bank from others in the work folder.
	name    string
	title   string
	mapping string
	paths   []string
	// asOf, windowDays and kinds are the settings of the RFM run; why explains them.
	asOf       *datepb.Date
	windowDays int32
	kinds      []string
	why        string
}

// prepare generates the bank, unless its files are there already or others are to be loaded.
func (t *tour) prepare(ctx context.Context) error {
	if t.config.Data != "" {
		t.source = berka(t.config.Data)
	} else {
		summary, err := t.generate(ctx)
		if err != nil {
			return err
		}
		if t.source, err = generated(summary, t.config.Bank.Dir); err != nil {
			return err
		}
	}
	t.report.Title, t.report.Why = t.source.title, t.source.why
	return nil
}

func (t *tour) generate(ctx context.Context) (bank.Summary, error) {
	cfg := &t.config.Bank
	cfg.Dir = filepath.Join(t.config.WorkDir, fmt.Sprintf("bank-%d-%d", cfg.Customers, cfg.Seed))
	if summary, ok := bank.Complete(*cfg); ok {
		t.console.note("%s customers are there already in %s", show.Count(cfg.Customers), cfg.Dir)
		return summary, nil
	}
	cfg.Progress = func(done int) {
		t.console.state("%s of %s customers", show.Count(done), show.Count(cfg.Customers))
	}
	summary, err := bank.Generate(ctx, *cfg)
	if err == nil {
		t.console.note("%s customers with %s transactions in %s", show.Count(cfg.Customers),
			show.Count(summary.Rows("transactions")), cfg.Dir)
	}
	return summary, err
}

// generated values the customers of a generated bank by their purchases over the whole history. Salaries and standing
// orders come each month to nearly everybody: they would put nearly everybody into one bin.
func generated(summary bank.Summary, dir string) (source, error) {
	start, end, err := summary.History()
	if err != nil {
		return source{}, err
	}
	days := int32(end.Sub(start).Hours()/24) + 1
	return source{
		name:  fmt.Sprintf("demo-%d-%d-%s", summary.Customers, summary.Seed, summary.End),
		title: fmt.Sprintf("A generated bank: %s customers, seed %d, %s to %s", show.Count(summary.Customers), summary.Seed, summary.Start, summary.End),

		mapping: bank.Source, paths: []string{dir},
		asOf: date.Proto(end), windowDays: days, kinds: []string{summary.Purchases.TransactionKind},
		why: fmt.Sprintf("Counted are purchases by card in the %s days to %s, the end of the generated history.\n"+
			"Salaries, standing orders and fees come every month to nearly everybody and would tell nobody apart.",
			show.Count(days), summary.End),
	}, nil
}

// berka values the customers of the Czech bank by what they do themselves, over all six years: the two files of
// transactions cover 1993-01-01 to 1994-04-20 and, for other accounts, 1995 to 1998, so that a year's window would miss
// most customers.
func berka(path string) source {
	return source{
		name: "berka", title: "The Czech bank of the PKDD'99 challenge, 1993 to 1998",
		mapping: "berka", paths: []string{path},
		asOf: &datepb.Date{Year: 1998, Month: 12, Day: 31}, windowDays: 2192,
		why: "Counted is all that customers do themselves (no interest, fees or loan pay-outs) in the 2 192 days to 1998-12-31:\n" +
			"the two files of transactions are parts of the years 1993 to 1998, and a shorter window would miss most customers.",
	}
}
