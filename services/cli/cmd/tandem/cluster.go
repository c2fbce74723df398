package main

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/cli/internal/show"
)

// ClusterCmd groups the work with clusters.
type ClusterCmd struct {
	Run     ClusterRunCmd     `cmd:"" help:"Group customers into clusters by a saved definition."`
	List    ClusterListCmd    `cmd:"" help:"List the runs."`
	Show    ClusterShowCmd    `cmd:"" help:"Describe the clusters of a run."`
	Explain ClusterExplainCmd `cmd:"" help:"Explain why a customer is in a cluster and not in the next likely one."`
}

// clusterRun names a run.
type clusterRun struct {
	RunID      string `name:"run" placeholder:"ID" help:"Run; default is the last computed."`
	Definition string `placeholder:"NAME" help:"Definition whose last run is meant."`
}

// askClusters calls the service, and prints the answer for programs or for people.
func askClusters[A proto.Message](
	ctx context.Context, app *App, ask func(context.Context, analyticsv1.ClusterServiceClient) (A, error), show func(A) error,
) error {
	conn, err := app.Analytics()
	if err != nil {
		return err
	}
	answer, err := ask(ctx, analyticsv1.NewClusterServiceClient(conn))
	if err != nil {
		return err
	}
	if app.JSON {
		return printJSON(app, answer)
	}
	return show(answer)
}

// ClusterRunCmd computes clusters.
type ClusterRunCmd struct {
	Definition string        `arg:"" help:"Saved definition of the kind clustering."`
	AsOf       day           `required:"" placeholder:"YYYY-MM-DD" help:"Day whose facts count."`
	Version    int64         `placeholder:"N" help:"Version of the definition; default is the newest."`
	Timeout    time.Duration `default:"10m" help:"How long the run may take."`
}

// Run computes and prints.
func (c *ClusterRunCmd) Run(ctx context.Context, app *App) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	return askClusters(ctx, app, func(ctx context.Context, client analyticsv1.ClusterServiceClient) (*analyticsv1.RunClusteringResponse, error) {
		return client.RunClustering(ctx, &analyticsv1.RunClusteringRequest{
			Definition: &analyticsv1.DefinitionRef{Name: c.Definition, Version: c.Version}, AsOf: c.AsOf.Date,
		})
	}, func(r *analyticsv1.RunClusteringResponse) error { return show.ClusteringRun(app.Out, r.GetRun()) })
}

// ClusterListCmd lists runs.
type ClusterListCmd struct {
	Definition string `placeholder:"NAME" help:"Only runs of this definition."`
	Limit      int32  `default:"50" help:"Most runs to list, up to 1000."`
}

// Run prints the runs.
func (c *ClusterListCmd) Run(ctx context.Context, app *App) error {
	return askClusters(ctx, app, func(ctx context.Context, client analyticsv1.ClusterServiceClient) (*analyticsv1.ListClusteringRunsResponse, error) {
		return client.ListClusteringRuns(ctx, &analyticsv1.ListClusteringRunsRequest{Definition: c.Definition, PageSize: c.Limit})
	}, func(r *analyticsv1.ListClusteringRunsResponse) error {
		return show.ClusteringRuns(app.Out, r.GetRuns())
	})
}

// ClusterShowCmd describes a run.
type ClusterShowCmd struct {
	clusterRun
}

// Run prints the clusters.
func (c *ClusterShowCmd) Run(ctx context.Context, app *App) error {
	return askClusters(ctx, app, func(ctx context.Context, client analyticsv1.ClusterServiceClient) (*analyticsv1.GetClusteringRunResponse, error) {
		return client.GetClusteringRun(ctx, &analyticsv1.GetClusteringRunRequest{RunId: c.RunID, Definition: c.Definition})
	}, func(r *analyticsv1.GetClusteringRunResponse) error { return show.ClusteringRun(app.Out, r.GetRun()) })
}

// ClusterExplainCmd explains a customer's cluster.
type ClusterExplainCmd struct {
	clusterRun
	Customer int64 `arg:"" help:"Customer number."`
}

// Run prints the explanation.
func (c *ClusterExplainCmd) Run(ctx context.Context, app *App) error {
	return askClusters(ctx, app, func(ctx context.Context, client analyticsv1.ClusterServiceClient) (*analyticsv1.ExplainClusterResponse, error) {
		return client.ExplainCluster(ctx, &analyticsv1.ExplainClusterRequest{CustomerId: c.Customer, RunId: c.RunID, Definition: c.Definition})
	}, func(r *analyticsv1.ExplainClusterResponse) error { return show.ClusterExplanation(app.Out, r) })
}
