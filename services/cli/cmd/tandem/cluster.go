package main

import (
	"context"
	"io"

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

// ClusterRunCmd computes clusters.
type ClusterRunCmd struct {
	Definition string `arg:"" help:"Saved definition of the kind clustering."`
	AsOf       day    `required:"" placeholder:"YYYY-MM-DD" help:"Day whose facts count."`
	Version    int64  `placeholder:"N" help:"Version of the definition; default is the newest."`
	runFlags
}

// Run computes and prints.
func (c *ClusterRunCmd) Run(ctx context.Context, app *App) error {
	return runOf(ctx, app, c.runFlags, clusterService, analyticsv1.ClusterServiceClient.RunClustering, &analyticsv1.RunClusteringRequest{
		Definition: &analyticsv1.DefinitionRef{Name: c.Definition, Version: c.Version}, AsOf: c.AsOf.Date,
	}, func(out io.Writer, r *analyticsv1.RunClusteringResponse) error {
		return show.ClusteringRun(out, r.GetRun())
	})
}

// ClusterListCmd lists runs.
type ClusterListCmd struct {
	Definition string `placeholder:"NAME" help:"Only runs of this definition."`
	Limit      int32  `default:"50" help:"Most runs to list, up to 1000."`
}

// Run prints the runs.
func (c *ClusterListCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, clusterService, listTimeout, analyticsv1.ClusterServiceClient.ListClusteringRuns,
		&analyticsv1.ListClusteringRunsRequest{Definition: c.Definition, PageSize: c.Limit},
		func(out io.Writer, r *analyticsv1.ListClusteringRunsResponse) error {
			return show.ClusteringRuns(out, r.GetRuns())
		})
}

// ClusterShowCmd describes a run.
type ClusterShowCmd struct {
	clusterRun
}

// Run prints the clusters.
func (c *ClusterShowCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, clusterService, listTimeout, analyticsv1.ClusterServiceClient.GetClusteringRun,
		&analyticsv1.GetClusteringRunRequest{RunId: c.RunID, Definition: c.Definition},
		func(out io.Writer, r *analyticsv1.GetClusteringRunResponse) error {
			return show.ClusteringRun(out, r.GetRun())
		})
}

// ClusterExplainCmd explains a customer's cluster.
type ClusterExplainCmd struct {
	clusterRun
	Customer int64 `arg:"" help:"Customer number."`
}

// Run prints the explanation.
func (c *ClusterExplainCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, clusterService, listTimeout, analyticsv1.ClusterServiceClient.ExplainCluster,
		&analyticsv1.ExplainClusterRequest{CustomerId: c.Customer, RunId: c.RunID, Definition: c.Definition},
		show.ClusterExplanation)
}
