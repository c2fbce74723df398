package main

import (
	"context"
	"io"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/show"
)

// ScoreCmd groups the work with scorecards and trained scores.
type ScoreCmd struct {
	Run     ScoreRunCmd     `cmd:"" help:"Score customers by a saved definition."`
	Runs    ScoreRunsCmd    `cmd:"" help:"List finished runs."`
	Train   ScoreTrainCmd   `cmd:"" help:"Train a model of a saved definition and put it into the registry."`
	Models  ScoreModelsCmd  `cmd:"" help:"List the models of a definition."`
	Model   ScoreModelCmd   `cmd:"" help:"Print a model: parameters, figures and features."`
	Promote ScorePromoteCmd `cmd:"" help:"Make a model the champion or the challenger of its definition."`
	List    ScoreListCmd    `cmd:"" help:"List the customers of a run."`
	Explain ScoreExplainCmd `cmd:"" help:"Explain a customer's score: what adds up to it, the facts behind, and earlier scores."`
}

// definitionArg is the definition that a command works with.
type definitionArg struct {
	Name    string `arg:"" help:"Name of the definition."`
	Version int64  `placeholder:"N" help:"Version of the definition; default is the newest."`
}

func (d definitionArg) ref() *analyticsv1.DefinitionRef {
	return &analyticsv1.DefinitionRef{Name: d.Name, Version: d.Version}
}

// ScoreRunCmd scores customers.
type ScoreRunCmd struct {
	definitionArg

	AsOf day `required:"" placeholder:"YYYY-MM-DD" help:"Day whose facts are looked at."`
	runFlags
}

// Run scores and prints the run.
func (c *ScoreRunCmd) Run(ctx context.Context, app *App) error {
	return runOf(ctx, app, c.runFlags, scoreService, analyticsv1.ScoreServiceClient.RunScore,
		&analyticsv1.RunScoreRequest{AsOf: c.AsOf.Date, Definition: c.ref()},
		func(out io.Writer, r *analyticsv1.RunScoreResponse) error { return show.ScoreRun(out, r.GetRun()) })
}

// ScoreRunsCmd lists runs.
type ScoreRunsCmd struct {
	Name  string `arg:"" optional:"" help:"Name of the score; default is all."`
	Limit int32  `default:"50" help:"Most runs to list."`
}

// Run lists the last runs.
func (c *ScoreRunsCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, scoreService, callTimeout, analyticsv1.ScoreServiceClient.ListScoreRuns,
		&analyticsv1.ListScoreRunsRequest{Score: c.Name, PageSize: c.Limit},
		func(out io.Writer, r *analyticsv1.ListScoreRunsResponse) error {
			return show.ScoreRuns(out, r.GetRuns())
		})
}

// ScoreTrainCmd trains a model.
type ScoreTrainCmd struct {
	definitionArg

	AsOf day `required:"" placeholder:"YYYY-MM-DD" help:"Day of the features; the day that lies the horizon later must have come."`
	runFlags
}

// Run trains and prints the model.
func (c *ScoreTrainCmd) Run(ctx context.Context, app *App) error {
	return runOf(ctx, app, c.runFlags, scoreService, analyticsv1.ScoreServiceClient.TrainModel,
		&analyticsv1.TrainModelRequest{AsOf: c.AsOf.Date, Definition: c.ref()},
		func(out io.Writer, r *analyticsv1.TrainModelResponse) error {
			return show.ScoreModel(out, r.GetModel())
		})
}

// ScoreModelsCmd lists models.
type ScoreModelsCmd struct {
	definitionArg
}

// Run lists the models, newest first.
func (c *ScoreModelsCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, scoreService, callTimeout, analyticsv1.ScoreServiceClient.ListModels,
		&analyticsv1.ListModelsRequest{Definition: c.ref(), PageSize: 1000},
		func(out io.Writer, r *analyticsv1.ListModelsResponse) error {
			return show.ScoreModels(out, r.GetModels())
		})
}

// ScoreModelCmd prints a model.
type ScoreModelCmd struct {
	definitionArg

	TrainedAsOf day `placeholder:"YYYY-MM-DD" help:"Day that the model was trained as of; default is the one trained last."`
}

// Run prints the model.
func (c *ScoreModelCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, scoreService, callTimeout, analyticsv1.ScoreServiceClient.GetModel,
		&analyticsv1.GetModelRequest{Definition: c.ref(), TrainedAsOf: c.TrainedAsOf.Date},
		func(out io.Writer, r *analyticsv1.GetModelResponse) error { return show.ScoreModel(out, r.GetModel()) })
}

// ScorePromoteCmd gives a role to a model.
type ScorePromoteCmd struct {
	Name        string `arg:"" help:"Name of the definition."`
	TrainedAsOf day    `placeholder:"YYYY-MM-DD" help:"Day that the model was trained as of; without it the role is taken away."`
	Role        string `enum:"champion,challenger" default:"champion" help:"champion scores the customers, challenger does so beside it."`
}

// Run asks analytics how the definition must look, and saves it in crm.
func (c *ScorePromoteCmd) Run(ctx context.Context, app *App) error {
	client, err := scoreService.on(app)
	if err != nil {
		return err
	}
	saved, err := definitionService.on(app)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	stored, err := definition(ctx, saved, c.Name)
	if err != nil {
		return err
	}
	role := analyticsv1.ScoreModelRole_SCORE_MODEL_ROLE_CHAMPION
	if c.Role == "challenger" {
		role = analyticsv1.ScoreModelRole_SCORE_MODEL_ROLE_CHALLENGER
	}
	// The version that crm has: a newer one is not there yet, and another's change is not undone.
	promoted, err := client.PromoteModel(ctx, &analyticsv1.PromoteModelRequest{
		Definition: &analyticsv1.DefinitionRef{Name: c.Name, Version: stored.GetVersion()}, TrainedAsOf: c.TrainedAsOf.Date, Role: role,
	})
	if err != nil {
		return err
	}
	edit := proto.CloneOf(stored)
	edit.Spec, edit.ChangeNote = promoted.GetSpec(), c.Role+": "+show.Date(c.TrainedAsOf.Date)
	changed, err := saved.UpdateDefinition(ctx, &crmv1.UpdateDefinitionRequest{
		Definition: edit, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"spec", "change_note"}},
	})
	if err != nil {
		return err
	}
	if app.JSON {
		return printJSON(app, changed.GetDefinition())
	}
	return show.ScorePromotion(app.Out, c.Role, c.TrainedAsOf.Date, changed.GetDefinition())
}

// ScoreListCmd lists scores.
type ScoreListCmd struct {
	Name  string `arg:"" optional:"" help:"Name of the score; default is that of the newest run."`
	RunID string `name:"run" placeholder:"ID" help:"Run; default is the newest."`
	Order string `enum:"customer,highest" default:"customer" help:"By customer number, or the highest score first."`
	Limit int    `help:"Most customers to list; 0 lists all."`
	CSV   bool   `name:"csv" help:"Print CSV."`
}

// Run prints the scores page by page.
func (c *ScoreListCmd) Run(ctx context.Context, app *App) error {
	client, err := scoreService.on(app)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	write, flush := lines(app, c.CSV)
	request := &analyticsv1.ListScoresRequest{RunId: c.RunID, Score: c.Name}
	if c.Order == "highest" {
		request.Order = analyticsv1.ScoreOrder_SCORE_ORDER_HIGHEST_FIRST
	}
	err = each(c.Limit, scorePage, func(size int32, token string) ([]*analyticsv1.CustomerScore, string, error) {
		request.PageSize, request.PageToken = size, token
		page, err := client.ListScores(ctx, request)
		if err == nil && token == "" {
			err = write(show.ScoreTitles(page.GetScores()))
		}
		return page.GetScores(), page.GetNextPageToken(), err
	}, func(s *analyticsv1.CustomerScore) error { return write(show.ScoreCells(s)) })
	if err != nil {
		return err
	}
	return flush()
}

// ScoreExplainCmd explains a score.
type ScoreExplainCmd struct {
	Customer int64  `arg:"" help:"Customer number."`
	Name     string `arg:"" optional:"" help:"Name of the score; default is that of the newest run."`
	AsOf     day    `placeholder:"YYYY-MM-DD" help:"Day; default is the newest that was looked at."`
	RunID    string `name:"run" placeholder:"ID" help:"Run, in place of name and day."`
}

// Run prints the explanation.
func (c *ScoreExplainCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, scoreService, callTimeout, analyticsv1.ScoreServiceClient.ExplainScore, &analyticsv1.ExplainScoreRequest{
		CustomerId: c.Customer, Score: c.Name, AsOf: c.AsOf.Date, RunId: c.RunID,
	}, show.ScoreExplanation)
}
