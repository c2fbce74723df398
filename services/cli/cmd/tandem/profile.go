package main

import (
	"context"
	"fmt"
	"io"
	"os"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/cli/internal/definitionfile"
	"tandem.bank/services/cli/internal/show"
)

// ProfileCmd groups the work with profile schemes.
type ProfileCmd struct {
	Run       ProfileRunCmd       `cmd:"" help:"Place customers in the cells of a saved profile scheme."`
	List      ProfileListCmd      `cmd:"" help:"List the runs."`
	Show      ProfileShowCmd      `cmd:"" help:"Print the cells of a run."`
	DryRun    ProfileDryRunCmd    `cmd:"" help:"Try other weights or thresholds, out of a YAML file: who would move since the last run. Nothing is stored."`
	Migration ProfileMigrationCmd `cmd:"" help:"Count who went from which cell to which between two days."`
	Matrix    ProfileMatrixCmd    `cmd:"" help:"Set products against segments: penetration, average balance, margin and growth."`
	Explain   ProfileExplainCmd   `cmd:"" help:"Explain a customer's cell: facts, points, weights, levels and thresholds."`
}

// ProfileRunCmd places customers.
type ProfileRunCmd struct {
	Definition string `arg:"" help:"Saved definition of the kind profile_scheme."`
	AsOf       day    `required:"" placeholder:"YYYY-MM-DD" help:"Day whose facts count."`
	Version    int64  `placeholder:"N" help:"Version of the definition; default is the newest."`
	runFlags
}

// Run computes and prints.
func (c *ProfileRunCmd) Run(ctx context.Context, app *App) error {
	return runOf(ctx, app, c.runFlags, profileService, analyticsv1.ProfileSchemeServiceClient.RunProfileScheme, &analyticsv1.RunProfileSchemeRequest{
		Definition: &analyticsv1.DefinitionRef{Name: c.Definition, Version: c.Version}, AsOf: c.AsOf.Date,
	}, func(out io.Writer, r *analyticsv1.RunProfileSchemeResponse) error {
		return show.ProfileRun(out, r.GetRun())
	})
}

// ProfileListCmd lists runs.
type ProfileListCmd struct {
	Definition string `placeholder:"NAME" help:"Only runs of this definition."`
	Limit      int32  `default:"50" help:"Most runs to list, up to 1000."`
}

// Run prints the runs.
func (c *ProfileListCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, profileService, listTimeout, analyticsv1.ProfileSchemeServiceClient.ListProfileRuns,
		&analyticsv1.ListProfileRunsRequest{Definition: c.Definition, PageSize: c.Limit},
		func(out io.Writer, r *analyticsv1.ListProfileRunsResponse) error {
			return show.ProfileRuns(out, r.GetRuns())
		})
}

// profileRun names a run.
type profileRun struct {
	RunID      string `name:"run" placeholder:"ID" help:"Run; default is the last computed."`
	Definition string `placeholder:"NAME" help:"Definition whose last run is meant."`
}

// ProfileShowCmd prints a run.
type ProfileShowCmd struct {
	profileRun
}

// Run prints the cells.
func (c *ProfileShowCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, profileService, listTimeout, analyticsv1.ProfileSchemeServiceClient.GetProfileRun,
		&analyticsv1.GetProfileRunRequest{RunId: c.RunID, Definition: c.Definition},
		func(out io.Writer, r *analyticsv1.GetProfileRunResponse) error {
			return show.ProfileRun(out, r.GetRun())
		})
}

// ProfileDryRunCmd tries a scheme.
type ProfileDryRunCmd struct {
	File string `arg:"" type:"existingfile" help:"YAML file of the definition with the weights and thresholds to try; its name tells what it is compared with."`
	AsOf day    `placeholder:"YYYY-MM-DD" help:"Day whose facts count; default is that of the last run."`
}

// Run prints the cells and the moves.
func (c *ProfileDryRunCmd) Run(ctx context.Context, app *App) error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	d, err := definitionfile.Parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	scheme := d.GetSpec().GetProfileScheme()
	if scheme == nil {
		return fmt.Errorf("%s: spec: is no profile_scheme", c.File)
	}
	return ask(ctx, app, profileService, listTimeout, analyticsv1.ProfileSchemeServiceClient.DryRunProfileScheme,
		&analyticsv1.DryRunProfileSchemeRequest{Scheme: scheme, Definition: d.GetName(), AsOf: c.AsOf.Date},
		show.ProfileDryRun)
}

// ProfileMigrationCmd counts moves.
type ProfileMigrationCmd struct {
	Definition string `arg:"" help:"Definition whose runs are compared."`
	From       day    `required:"" placeholder:"YYYY-MM-DD" help:"Day to start from; the newest snapshot at or before it counts."`
	To         day    `required:"" placeholder:"YYYY-MM-DD" help:"Day to arrive at."`
}

// Run prints the moves.
func (c *ProfileMigrationCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, profileService, listTimeout, analyticsv1.ProfileSchemeServiceClient.GetProfileMigration,
		&analyticsv1.GetProfileMigrationRequest{Definition: c.Definition, From: c.From.Date, To: c.To.Date},
		show.ProfileMigration)
}

// ProfileExplainCmd explains a customer's cell.
type ProfileExplainCmd struct {
	profileRun
	Customer int64 `arg:"" help:"Customer number."`
}

// Run prints the explanation.
func (c *ProfileExplainCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, profileService, listTimeout, analyticsv1.ProfileSchemeServiceClient.ExplainProfile,
		&analyticsv1.ExplainProfileRequest{CustomerId: c.Customer, RunId: c.RunID, Definition: c.Definition},
		show.ProfileExplanation)
}
