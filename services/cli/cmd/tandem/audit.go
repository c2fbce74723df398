package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/auditcheck"
	"tandem.bank/services/cli/internal/show"
)

// AuditCmd groups the looks at who did what.
type AuditCmd struct {
	List   AuditListCmd   `cmd:"" help:"List who changed and read what, newest first."`
	Verify AuditVerifyCmd `cmd:"" help:"Prove that nobody touched the audit: compute the chain again and compare it with its copy."`
}

// AuditListCmd lists entries.
type AuditListCmd struct {
	Customer int64         `placeholder:"NUMBER" help:"Only what is about this customer: changes, reads, and lists that showed the customer."`
	Entity   string        `placeholder:"card" help:"Only one kind of record."`
	ID       int64         `name:"id" placeholder:"ID" help:"Only the record with this id."`
	By       string        `placeholder:"ACTOR" help:"Only what one actor did."`
	Since    time.Duration `placeholder:"24h" help:"Only this long back."`
	Filter   string        `help:"Further conditions, such as 'action = \"read\"'."`
	Limit    int           `default:"50" help:"Most entries to list; 0 lists all."`
}

// Run prints one line an entry, with what changed.
func (c *AuditListCmd) Run(ctx context.Context, app *App) error {
	request := &crmv1.ListAuditEntriesRequest{
		CustomerId: c.Customer, Entity: c.Entity, EntityId: c.ID, Actor: c.By, Filter: c.Filter,
	}
	if c.Since > 0 {
		request.FromTime = timestamppb.New(time.Now().Add(-c.Since))
	}
	return askPages(ctx, app, auditService, c.Limit, crmv1.AuditServiceClient.ListAuditEntries, request,
		(*crmv1.ListAuditEntriesResponse).GetEntries,
		func(out io.Writer, r *crmv1.ListAuditEntriesResponse) error { return printEntries(out, r.GetEntries()) })
}

func printEntries(out io.Writer, entries []*crmv1.AuditEntry) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "entry\ttime\tactor\tfrom\taction\trecord\trequest\tchange")
	for _, e := range entries {
		action := strings.ToLower(strings.TrimPrefix(e.GetAction().String(), "AUDIT_ACTION_"))
		_, _ = fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.GetEntryId(), show.Time(e.GetTime()), e.GetActor(), e.GetPeer(),
			action, auditRecord(e), e.GetRequestId(), auditChange(e))
	}
	return w.Flush()
}

func auditRecord(e *crmv1.AuditEntry) string {
	if n := len(e.GetCustomerIds()); n > 0 && e.GetEntityId() == 0 {
		return fmt.Sprintf("%d customers", n)
	}
	return fmt.Sprintf("%s %d", e.GetEntity(), e.GetEntityId())
}

func auditChange(e *crmv1.AuditEntry) string {
	if e.GetBefore() == "" {
		return e.GetAfter()
	}
	return e.GetBefore() + " → " + e.GetAfter()
}

// AuditVerifyCmd verifies the chain.
type AuditVerifyCmd struct {
	From    int64         `placeholder:"BLOCK" help:"First block; default is the first of all."`
	To      int64         `placeholder:"BLOCK" help:"Last block; default is the newest."`
	Timeout time.Duration `default:"24h" help:"How long it may take."`
}

// Run prints every fault and fails when there is one: 1. what analytics received is fixed, 2. crm is compared with it, 3. crm
// computes the chain again, and compares changes with their events. What analytics has comes first, so that a block sealed
// meanwhile is not taken for one that was cut off. Without analytics there is no proof: the rest is done, and the command
// fails all the same.
func (c *AuditVerifyCmd) Run(ctx context.Context, app *App) error {
	crm, err := app.CRM()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	client := crmv1.NewAuditServiceClient(crm)
	faults := 0
	report := func(text string) {
		faults++
		_, _ = fmt.Fprintln(app.Out, text)
	}
	compared, err := c.compare(ctx, app, client, report)
	away := errors.As(err, new(analyticsAwayError))
	if err != nil && !away {
		return err
	}
	last, recomputeErr := c.recompute(ctx, app, client, report)
	if recomputeErr != nil {
		return recomputeErr
	}
	_, _ = fmt.Fprintf(app.Out, "%s blocks with %s entries computed again, %s, %s events compared with entries\n",
		show.Count(last.GetBlocksVerified()), show.Count(last.GetEntriesVerified()), compared, show.Count(last.GetEventsCompared()))
	switch {
	case last.GetTruncated():
		return fmt.Errorf("the audit is damaged: more than %d faults, the rest was not looked for", faults)
	case faults > 0:
		return fmt.Errorf("the audit is damaged: %d faults", faults)
	case away:
		return err
	}
	return nil
}

// analyticsAwayError says that crm could not be held against anything outside of it.
type analyticsAwayError struct{ cause error }

// Error says what is not proved.
func (e analyticsAwayError) Error() string {
	return "analytics does not answer, so the audit was NOT compared with its copy: a chain that was cut or rewritten would not be found (" +
		status.Convert(e.cause).Message() + ")"
}

// compare holds crm against what analytics received, and says what was compared.
func (c *AuditVerifyCmd) compare(ctx context.Context, app *App, client crmv1.AuditServiceClient, report func(string)) (string, error) {
	const nothing = "NOT compared with the copy"
	conn, err := app.Analytics()
	if err != nil {
		return nothing, err
	}
	analytics := analyticsv1.NewAuditCopyServiceClient(conn)
	copies, err := auditcheck.OpenCopies(ctx, analytics, c.From, c.To)
	if status.Code(err) == codes.Unavailable {
		return nothing, analyticsAwayError{err}
	}
	if err != nil {
		return nothing, fmt.Errorf("read the copy of the chain: %w", err)
	}
	blocks, err := auditcheck.Compare(ctx, client, copies, c.From, c.To, report)
	if err != nil {
		return nothing, err
	}
	said := fmt.Sprintf("%s compared with the copy, %s not copied yet", show.Count(blocks.Equal), show.Count(blocks.Waiting))
	if c.From != 0 || c.To != 0 {
		return said, nil // changes have no blocks
	}
	published, err := auditcheck.OpenPublished(ctx, analytics)
	if err != nil {
		return said, fmt.Errorf("read the changes that were published: %w", err)
	}
	changes, err := auditcheck.CompareChanges(ctx, client, published, report)
	return said + fmt.Sprintf(", %s published changes compared with entries", show.Count(changes)), err
}

// recompute lets crm verify its chain, and prints what it finds as it comes.
func (c *AuditVerifyCmd) recompute(
	ctx context.Context, app *App, client crmv1.AuditServiceClient, report func(string),
) (*crmv1.VerifyAuditResponse, error) {
	stream, err := client.VerifyAudit(ctx, &crmv1.VerifyAuditRequest{FromBlock: c.From, ToBlock: c.To})
	if err != nil {
		return nil, err
	}
	for {
		step, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the verification broke off before its end")
		}
		if err != nil {
			return nil, err
		}
		for _, finding := range step.GetFindings() {
			report(finding.GetText())
		}
		if step.GetDone() {
			return step, nil
		}
		_, _ = fmt.Fprintf(app.Err, "block %d of %d\n", step.GetBlock(), step.GetLastBlock())
	}
}
