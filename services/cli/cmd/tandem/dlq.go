package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/cli/internal/show"
)

// reasonMost is how much of a reason the list shows, in characters.
const reasonMost = 100

// DlqCmd groups the commands for dead letters: changes that ClickHouse could not take.
type DlqCmd struct {
	List   DlqListCmd   `cmd:"" help:"List dead letters, oldest first."`
	Show   DlqShowCmd   `cmd:"" help:"Show a dead letter with its content."`
	Replay DlqReplayCmd `cmd:"" help:"Apply dead letters again; those that succeed leave the list."`
}

// DlqListCmd lists dead letters.
type DlqListCmd struct {
	After uint64 `help:"Begin after this sequence."`
	Limit int32  `default:"50" help:"Most letters to list, up to 1000."`
}

// Run prints one line a letter.
func (c *DlqListCmd) Run(ctx context.Context, app *App) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	letters, err := deadLetters(ctx, app, c.After, c.Limit)
	if err != nil {
		return err
	}
	if app.JSON {
		return printJSON(app, letters)
	}
	if len(letters.GetDeadLetters()) == 0 {
		_, err := fmt.Fprintln(app.Out, "no dead letters")
		return err
	}
	w := tabwriter.NewWriter(app.Out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "sequence\tfailed\tsubject\treason")
	for _, l := range letters.GetDeadLetters() {
		_, _ = fmt.Fprintf(w, "%d\t%s\t%s\t%s\n", l.GetSequence(), show.Time(l.GetFailedTime()), l.GetSubject(), shorten(l.GetReason()))
	}
	return w.Flush()
}

func shorten(reason string) string {
	runes := []rune(reason)
	if len(runes) <= reasonMost {
		return reason
	}
	return string(runes[:reasonMost-1]) + "…"
}

func deadLetters(ctx context.Context, app *App, after uint64, limit int32) (*analyticsv1.ListDeadLettersResponse, error) {
	conn, err := app.Analytics()
	if err != nil {
		return nil, err
	}
	return analyticsv1.NewIngestServiceClient(conn).ListDeadLetters(ctx, &analyticsv1.ListDeadLettersRequest{
		AfterSequence: after, PageSize: limit,
	})
}

// DlqShowCmd shows one dead letter.
type DlqShowCmd struct {
	Sequence uint64 `arg:"" help:"Sequence of the letter, from the list."`
}

// Run prints the letter.
func (c *DlqShowCmd) Run(ctx context.Context, app *App) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if c.Sequence == 0 {
		return fmt.Errorf("sequences begin with 1")
	}
	letters, err := deadLetters(ctx, app, c.Sequence-1, 1)
	if err != nil {
		return err
	}
	if len(letters.GetDeadLetters()) == 0 || letters.GetDeadLetters()[0].GetSequence() != c.Sequence {
		return fmt.Errorf("there is no dead letter %d", c.Sequence)
	}
	letter := letters.GetDeadLetters()[0]
	if app.JSON {
		return printJSON(app, letter)
	}
	_, err = fmt.Fprintf(app.Out, "dead letter %d: message %d of the stream on %s, %d bytes, put aside %s\nreason: %s\n%s\n",
		letter.GetSequence(), letter.GetStreamSequence(), letter.GetSubject(), letter.GetSizeBytes(), show.Time(letter.GetFailedTime()),
		letter.GetReason(), letter.GetChangeJson())
	return err
}

// DlqReplayCmd applies dead letters again.
type DlqReplayCmd struct {
	Sequences []uint64 `arg:"" optional:"" help:"Sequences of the letters, from the list."`
	All       bool     `help:"Replay all of them."`
}

// Run replays and says what became of the letters; it fails when some still can't be applied.
func (c *DlqReplayCmd) Run(ctx context.Context, app *App) error {
	if c.All == (len(c.Sequences) > 0) {
		return fmt.Errorf("name the sequences to replay, or use --all")
	}
	conn, err := app.Analytics()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	r, err := analyticsv1.NewIngestServiceClient(conn).ReplayDeadLetters(ctx, &analyticsv1.ReplayDeadLettersRequest{Sequences: c.Sequences})
	if err != nil {
		return err
	}
	if app.JSON {
		return printJSON(app, r)
	}
	_, _ = fmt.Fprintf(app.Out, "%d applied, %d failed again\n", r.GetApplied(), r.GetFailed())
	if r.GetFailed() > 0 {
		return fmt.Errorf("%d dead letters still can't be applied; `tandem dlq list` has the new reasons", r.GetFailed())
	}
	return nil
}
