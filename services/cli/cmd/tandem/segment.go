package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/cli/internal/show"
)

const (
	memberPage = 10_000
	eventPage  = 1000
)

type segmentClient = analyticsv1.SegmentServiceClient

// SegmentCmd groups what is done with segments.
type SegmentCmd struct {
	Preview SegmentPreviewCmd `cmd:"" help:"Tell how many customers an expression finds, and what they are like; nothing is saved."`
	Run     SegmentRunCmd     `cmd:"" help:"Compute the snapshot of a segment for a day."`
	Members SegmentMembersCmd `cmd:"" help:"List the members of a segment, of now or of a snapshot."`
	Combine SegmentCombineCmd `cmd:"" help:"Combine the members of segments."`
	Compare SegmentCompareCmd `cmd:"" help:"Tell who joined and who left between two days."`
	Sizes   SegmentSizesCmd   `cmd:"" help:"List how large a segment was over time."`
	Explain SegmentExplainCmd `cmd:"" help:"Explain why a customer is or is not a member."`
	Events  SegmentEventsCmd  `cmd:"" help:"List who joined and left, and why."`
}

// SegmentPreviewCmd previews an expression.
type SegmentPreviewCmd struct {
	Expression string   `arg:"" help:"Expression over facts, such as: age >= 30 AND top(balance, 10%)."`
	AsOf       day      `placeholder:"YYYY-MM-DD" help:"Day to look at; default is today."`
	Sample     int32    `default:"5" help:"Members to show."`
	By         []string `help:"Facts to break members down by."`
	Overlap    []string `help:"Segments to compare with."`
}

// Run prints the preview.
func (c *SegmentPreviewCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, segmentService, listTimeout, analyticsv1.SegmentServiceClient.PreviewSegment, &analyticsv1.PreviewSegmentRequest{
		Expression: c.Expression, AsOf: c.AsOf.Date, SampleSize: c.Sample, BreakdownFacts: c.By, OverlapSegments: c.Overlap,
	}, show.SegmentPreview)
}

// SegmentRunCmd computes a snapshot.
type SegmentRunCmd struct {
	Name    string `arg:"" help:"Name of the segment."`
	AsOf    day    `required:"" placeholder:"YYYY-MM-DD" help:"Day to look at."`
	Version int64  `placeholder:"N" help:"Version of the definition; default is the newest."`
	runFlags
}

// Run prints the snapshot.
func (c *SegmentRunCmd) Run(ctx context.Context, app *App) error {
	return runOf(ctx, app, c.runFlags, segmentService, analyticsv1.SegmentServiceClient.RunSegment, &analyticsv1.RunSegmentRequest{
		Definition: &analyticsv1.DefinitionRef{Name: c.Name, Version: c.Version}, AsOf: c.AsOf.Date,
	}, func(out io.Writer, r *analyticsv1.RunSegmentResponse) error { return show.SegmentRun(out, r.GetRun()) })
}

// SegmentMembersCmd lists members.
type SegmentMembersCmd struct {
	Name  string `arg:"" help:"Name of the segment."`
	RunID string `name:"run" placeholder:"ID" help:"Snapshot; default is the members of now."`
	Limit int    `help:"Most members to list; 0 lists all."`
}

// Run prints customer numbers, one in a line.
func (c *SegmentMembersCmd) Run(ctx context.Context, app *App) error {
	return eachPage(ctx, app, c.Limit, func(ctx context.Context, client segmentClient, size int32, token string) ([]int64, string, error) {
		page, err := client.ListSegmentMembers(ctx, &analyticsv1.ListSegmentMembersRequest{
			Segment: c.Name, RunId: c.RunID, PageSize: size, PageToken: token,
		})
		return page.GetCustomerIds(), page.GetNextPageToken(), err
	})
}

// eachPage prints customer numbers page by page.
func eachPage(
	ctx context.Context, app *App, limit int,
	read func(ctx context.Context, client segmentClient, size int32, token string) ([]int64, string, error),
) error {
	client, err := segmentService.on(app)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	return each(limit, memberPage, func(size int32, token string) ([]int64, string, error) {
		return read(ctx, client, size, token)
	}, func(id int64) error {
		_, err := fmt.Fprintln(app.Out, id)
		return err
	})
}

// SegmentCombineCmd combines segments.
type SegmentCombineCmd struct {
	How   string   `arg:"" enum:"union,intersection,difference,symmetric_difference" help:"union, intersection, difference or symmetric_difference."`
	Names []string `arg:"" help:"Names of the segments, in order."`
	AsOf  day      `placeholder:"YYYY-MM-DD" help:"Day to look at; default is the members of now."`
	Limit int      `help:"Most customers to list; 0 lists all."`
	Count bool     `help:"Print only how many there are."`
}

var operationsByFlag = map[string]analyticsv1.SegmentOperation{
	"union":                analyticsv1.SegmentOperation_SEGMENT_OPERATION_UNION,
	"intersection":         analyticsv1.SegmentOperation_SEGMENT_OPERATION_INTERSECTION,
	"difference":           analyticsv1.SegmentOperation_SEGMENT_OPERATION_DIFFERENCE,
	"symmetric_difference": analyticsv1.SegmentOperation_SEGMENT_OPERATION_SYMMETRIC_DIFFERENCE,
}

// Run prints customer numbers, one in a line, or how many there are.
func (c *SegmentCombineCmd) Run(ctx context.Context, app *App) error {
	request := &analyticsv1.CombineSegmentsRequest{Segments: c.Names, Operation: operationsByFlag[c.How], AsOf: c.AsOf.Date}
	if c.Count || app.JSON {
		return ask(ctx, app, segmentService, listTimeout, segmentClient.CombineSegments, request,
			func(out io.Writer, r *analyticsv1.CombineSegmentsResponse) error {
				_, err := fmt.Fprintln(out, r.GetCustomers())
				return err
			})
	}
	return eachPage(ctx, app, c.Limit, func(ctx context.Context, client segmentClient, size int32, token string) ([]int64, string, error) {
		request.PageSize, request.PageToken = size, token
		page, err := client.CombineSegments(ctx, request)
		return page.GetCustomerIds(), page.GetNextPageToken(), err
	})
}

// SegmentCompareCmd compares two days.
type SegmentCompareCmd struct {
	Name    string `arg:"" help:"Name of the segment."`
	From    day    `required:"" placeholder:"YYYY-MM-DD" help:"Day to start from."`
	To      day    `required:"" placeholder:"YYYY-MM-DD" help:"Day to arrive at."`
	Version int64  `placeholder:"N" help:"Version of the definition; default is the newest."`
	Limit   int32  `default:"50" help:"Most customers to list."`
}

// Run prints the difference.
func (c *SegmentCompareCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, segmentService, listTimeout, analyticsv1.SegmentServiceClient.CompareSegment, &analyticsv1.CompareSegmentRequest{
		Definition: &analyticsv1.DefinitionRef{Name: c.Name, Version: c.Version}, From: c.From.Date, To: c.To.Date, PageSize: c.Limit,
	}, show.SegmentComparison)
}

// SegmentSizesCmd lists sizes.
type SegmentSizesCmd struct {
	Name string `arg:"" help:"Name of the segment."`
	From day    `placeholder:"YYYY-MM-DD" help:"First day."`
	To   day    `placeholder:"YYYY-MM-DD" help:"Last day."`
}

// Run prints the sizes.
func (c *SegmentSizesCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, segmentService, listTimeout, analyticsv1.SegmentServiceClient.ListSegmentSizes,
		&analyticsv1.ListSegmentSizesRequest{Segment: c.Name, From: c.From.Date, To: c.To.Date},
		show.SegmentSizes)
}

// SegmentExplainCmd explains a membership.
type SegmentExplainCmd struct {
	Customer int64     `arg:"" help:"Customer number."`
	Name     string    `arg:"" help:"Name of the segment."`
	At       time.Time `placeholder:"2026-01-31T12:00:00Z" help:"Time to look at; default is now."`
}

// Run prints the explanation.
func (c *SegmentExplainCmd) Run(ctx context.Context, app *App) error {
	request := &analyticsv1.ExplainMembershipRequest{CustomerId: c.Customer, Segment: c.Name}
	if !c.At.IsZero() {
		request.At = timestamppb.New(c.At)
	}
	return ask(ctx, app, segmentService, listTimeout, analyticsv1.SegmentServiceClient.ExplainMembership, request, show.SegmentExplanation)
}

// SegmentEventsCmd lists events.
type SegmentEventsCmd struct {
	Segment  string        `help:"Name of a segment."`
	Customer int64         `placeholder:"ID" help:"Customer number."`
	Since    time.Duration `placeholder:"24h" help:"How far to look back; default is to the beginning."`
	Limit    int32         `default:"50" help:"Most events to list, up to 1000."`
}

// Run prints the events, newest first.
func (c *SegmentEventsCmd) Run(ctx context.Context, app *App) error {
	request := &analyticsv1.ListMembershipEventsRequest{Segment: c.Segment, CustomerId: c.Customer, PageSize: min(c.Limit, eventPage)}
	if c.Since > 0 {
		request.FromTime = timestamppb.New(time.Now().Add(-c.Since))
	}
	return ask(ctx, app, segmentService, listTimeout, analyticsv1.SegmentServiceClient.ListMembershipEvents, request,
		func(out io.Writer, r *analyticsv1.ListMembershipEventsResponse) error {
			return show.SegmentEvents(out, r.GetEvents())
		})
}
