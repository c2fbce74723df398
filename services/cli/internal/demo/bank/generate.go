package bank

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"tandem.bank/services/cli/internal/demo/chance"
)

// Config says which bank to make and where to put it.
type Config struct {
	// Customers is how many there are.
	Customers int
	// Seed picks one bank of the many.
	Seed uint64
	// End is the last day of the history; its time of day does not count. DefaultEnd when zero.
	End time.Time
	// Months is how long the history is; DefaultMonths when 0.
	Months int
	// Dir is the folder to write to; it is made when missing, files in it are overwritten.
	Dir string
	// Progress, when set, is called now and then with the number of customers done.
	Progress func(done int)
}

func (c Config) withDefaults() Config {
	if c.End.IsZero() {
		c.End = DefaultEnd
	}
	if c.Months == 0 {
		c.Months = DefaultMonths
	}
	return c
}

// Validate returns an error that names each broken field.
func (c Config) Validate() error {
	var errs []error
	if c.Customers < 1 || c.Customers > customersMax {
		errs = append(errs, fmt.Errorf("customers: must be 1 to %d, is %d", customersMax, c.Customers))
	}
	if c.Months < 0 || c.Months > monthsMax {
		errs = append(errs, fmt.Errorf("months: must be 1 to %d, is %d", monthsMax, c.Months))
	}
	if !c.End.IsZero() && (c.End.Year() < 2000 || c.End.Year() > 2099) {
		errs = append(errs, fmt.Errorf("end: must be a day of 2000 to 2099, is %s", c.End.Format(time.DateOnly)))
	}
	if c.Dir == "" {
		errs = append(errs, errors.New("dir: must not be empty"))
	}
	return errors.Join(errs...)
}

// history is the time that the files cover.
func (c Config) history() period {
	end := dayOf(c.End)
	return period{from: (end + 1).addMonths(-c.Months), to: end}
}

// Purposes of streams; a new one goes at the end, else every bank changes.
const (
	purposeManager uint64 = iota
	purposeProfile
	purposeRelationship
	purposePurchase
	purposeLeaving
	purposeAccount
	purposeHolder
	purposeCard
	purposeFirstCard
	purposeSecondCard
	purposeMerchant
	purposeFlow
	purposeEuro
	purposeContract
	purposeContact
	purposeFamily
	purposeHousehold
	purposeDetail
	purposeConsent
	purposeRelation
	purposeDirector
	purposeOrder
	purposes
)

// generator holds what is alive while a bank is written: open files and the customer at hand.
type generator struct {
	seed    uint64
	history period
	files   files
	streams [purposes]chance.Stream

	current  customer
	other    customer // one that the current customer refers to
	partner  customer // one who may be married to the customer that is drawn
	accounts [accountsMax]account
	contacts []contact
	// cards are the days on which the cards of the current customer were issued; 0: there is none.
	cards [cardsMax]day
	// ordersBy is the channel by which the current customer usually orders transfers.
	ordersBy string
}

// stream starts a customer's stream for a purpose over.
func (g *generator) stream(k int, purpose uint64) *chance.Stream {
	s := &g.streams[purpose]
	s.Seed(g.seed, uint64(k), purpose)
	return s
}

// Generate writes a bank and says what was written. When it fails, the folder holds unfinished files and no summary.
func Generate(ctx context.Context, cfg Config) (Summary, error) {
	if err := cfg.Validate(); err != nil {
		return Summary{}, err
	}
	cfg = cfg.withDefaults()
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return Summary{}, fmt.Errorf("make folder: %w", err)
	}
	if err := removeSummary(cfg.Dir); err != nil {
		return Summary{}, err
	}
	g := &generator{seed: cfg.Seed, history: cfg.history()}
	if err := g.files.create(cfg.Dir); err != nil {
		return Summary{}, err
	}
	err := g.writeAll(ctx, cfg)
	rows, closeErr := g.files.close()
	if err := errors.Join(err, closeErr); err != nil {
		return Summary{}, err
	}
	summary := summarise(cfg, rows)
	return summary, summary.write(cfg.Dir)
}

func (g *generator) writeAll(ctx context.Context, cfg Config) error {
	const customersPerCheck = 500
	writeRegions(g.files.regions)
	writeBranches(g.files.branches)
	g.writeManagers(g.files.managers)
	writeProducts(g.files.products)
	for k := 1; k <= cfg.Customers; k++ {
		g.writeAllOf(k)
		if k%customersPerCheck != 0 && k != cfg.Customers {
			continue
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("stopped after %d customers: %w", k, err)
		}
		if cfg.Progress != nil {
			cfg.Progress(k)
		}
	}
	return nil
}

// writeAllOf writes customer k with everything that is the customer's.
func (g *generator) writeAllOf(k int) {
	c := &g.current
	g.draw(k, c)
	g.writeCustomer(g.files.customers, c)
	c.writeTruth(g.files.truth)
	g.writeConsents(c)
	g.writeRelations(c)
	g.openAccounts(c)
	for i := range g.accounts {
		if a := &g.accounts[i]; a.open() {
			g.writeAccount(c, a)
		}
	}
	second := g.writeHolders(c)
	g.writeCards(c, second)
	if stay := c.stay(g.history); stay.days() > 0 {
		g.bookContracts(c)
		if c.organisation {
			g.bookCompany(c)
		} else {
			g.bookPerson(c)
		}
		g.bookPurchases(c)
		g.bookEuro(c)
		g.bookBankside(c)
		g.drawOrders(c)
		// Savings before the main account, which gets what is taken from them.
		for _, position := range [...]int{savingsAccount, mainAccount, euroAccount} {
			g.post(c, &g.accounts[position])
		}
	}
	if c.standing == prospect || c.stay(g.history).days() > 0 {
		g.writeContacts(c)
	}
}
