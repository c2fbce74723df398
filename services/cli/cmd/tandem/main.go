// Command tandem brings data into Tandem, runs analyses, and looks at what came out.
//
// Exit codes: 0 all went well; 1 failure; 2 the command line is wrong; 3 an import went through, but some rows were
// rejected.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

const (
	exitFailure  = 1
	exitUsage    = 2
	exitRejected = 3
)

// commandLine is the root of the command line.
type commandLine struct {
	Globals

	Import    ImportCmd         `cmd:"" help:"Load files into Tandem by a mapping."`
	Check     CheckCmd          `cmd:"" help:"Check things without touching data."`
	Run       RunCmd            `cmd:"" help:"Run an analysis."`
	Wait      WaitCmd           `cmd:"" help:"Wait until every change made so far is in ClickHouse, and facts and segments have followed."`
	Status    StatusCmd         `cmd:"" help:"Show volumes, freshness and the state of the relay."`
	Customer  CustomerCmd       `cmd:"" help:"Look at a customer."`
	Document  DocumentCmd       `cmd:"" help:"Look at customers' documents."`
	Rfm       RfmCmd            `cmd:"" help:"Look at RFM results."`
	Clv       ClvCmd            `cmd:"" help:"Work with customer lifetime value."`
	Segment   SegmentCmd        `cmd:"" help:"Find the customers of segments, and explain who belongs to them."`
	Score     ScoreCmd          `cmd:"" help:"Score customers by points or by trained models, and see why."`
	Cluster   ClusterCmd        `cmd:"" help:"Group customers who are alike, and see what is special about each group."`
	Profile   ProfileCmd        `cmd:"" help:"Place customers in a bank's profile scheme: whom to invest in, develop, assess, manage."`
	Facts     FactsCmd          `cmd:"" help:"See what is known of customers: the facts that segments and scores are made of."`
	Report    ReportCmd         `cmd:"" help:"Ask the warehouse, look behind the numbers, and make files of reports."`
	Define    DefinitionCmd     `cmd:"" name:"definition" help:"Look after what analysts define: RFM, lifetime value, segments, scores, reports."`
	Plan      PlanCmd           `cmd:"" help:"Bring in what the bank plans, and look at it."`
	Schedule  ScheduleCmd       `cmd:"" help:"See what runs by itself, and run it now."`
	Operation OperationCmd      `cmd:"" help:"Look after runs that were begun with --detach."`
	Audit     AuditCmd          `cmd:"" help:"Look at who did what, and prove that nobody touched the record of it."`
	Dlq       DlqCmd            `cmd:"" help:"Look at dead letters and replay them."`
	Demo      DemoCmd           `cmd:"" help:"Generate a demonstration bank and report on it."`
	Account   ServiceAccountCmd `cmd:"" name:"service-account" help:"Make and look after the accounts of programs."`
	Access    AccessCmd         `cmd:"" help:"Look at who may do what, and why."`
	Token     TokenCmd          `cmd:"" help:"Print a token that is signed by a key of ours, for other clients."`
	Key       KeyCmd            `cmd:"" help:"Make keys."`
	Version   VersionCmd        `cmd:"" help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The second Ctrl-C kills at once, should the orderly way take too long.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main without the process: it parses, runs one command and returns the exit code.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	var line commandLine
	exit := -1
	parser, err := kong.New(&line,
		kong.Name("tandem"),
		kong.Description("Tandem, the bank CRM, from the command line."),
		kong.UsageOnError(),
		kong.Writers(out, errs),
		kong.Exit(func(code int) { exit = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		printError(errs, err)
		return exitFailure
	}
	parsed, err := parser.Parse(args)
	if exit >= 0 { // help was asked for and printed
		return exit
	}
	if err != nil {
		printError(errs, err)
		return exitUsage
	}
	app := newApp(line.Globals, out, errs)
	defer app.Close()
	parsed.BindTo(ctx, (*context.Context)(nil))
	return exitCode(errs, parsed.Run(app))
}

// exitCode prints an error and says how the process ends.
func exitCode(errs io.Writer, err error) int {
	var rejected *rejectedError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &rejected):
		printError(errs, err)
		return exitRejected
	default:
		printError(errs, err)
		return exitFailure
	}
}
