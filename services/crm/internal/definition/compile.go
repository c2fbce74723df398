package definition

import (
	"context"
	"errors"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"tandem.bank/pkg/apperr"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
)

// ReasonAnalyticsUnavailable is the reason of UNAVAILABLE while analytics does not answer: definitions wait for it, and
// nothing else of crm does.
const ReasonAnalyticsUnavailable = "ANALYTICS_UNAVAILABLE"

// compileTimeout is how long analytics may take: somebody waits at a screen.
const compileTimeout = 5 * time.Second

// authorization is the metadata that carries the caller's token.
const authorization = "authorization"

// Compiler tells whether a spec can be run.
type Compiler interface {
	// Compile returns nil when it can. What is wrong in the spec is INVALID_ARGUMENT, by paths that begin with "spec".
	Compile(ctx context.Context, name string, spec *definitionv1.Spec) error
}

// Analytics compiles specs where they are run.
type Analytics struct {
	client analyticsv1.DefinitionServiceClient
}

// NewAnalytics asks over a connection.
func NewAnalytics(conn grpc.ClientConnInterface) *Analytics {
	return &Analytics{client: analyticsv1.NewDefinitionServiceClient(conn)}
}

// Compile asks analytics, in the caller's name.
func (a *Analytics) Compile(ctx context.Context, name string, spec *definitionv1.Spec) error {
	bounded, cancel := context.WithTimeout(ctx, compileTimeout)
	defer cancel()
	if tokens := metadata.ValueFromIncomingContext(ctx, authorization); len(tokens) > 0 {
		bounded = metadata.AppendToOutgoingContext(bounded, authorization, tokens[0])
	}
	_, err := a.client.CompileDefinition(bounded, &analyticsv1.CompileDefinitionRequest{Name: name, Spec: spec})
	if err == nil || ctx.Err() != nil {
		return errors.Join(err, ctx.Err())
	}
	return refusal(err)
}

// refusal turns what analytics answered into what the caller of crm sees.
func refusal(err error) error {
	answer := status.Convert(err)
	switch answer.Code() {
	case codes.InvalidArgument:
		if violations := violationsOf(answer); len(violations) > 0 {
			return apperr.Invalid(violations...)
		}
		return apperr.InvalidField("spec", "%s", answer.Message())
	case codes.PermissionDenied, codes.Unauthenticated:
		return apperr.Wrap(err, codes.PermissionDenied, apperr.ReasonPermissionDenied,
			"analytics, which compiles definitions, does not let you in: %s", answer.Message())
	default:
		return apperr.Wrap(err, codes.Unavailable, ReasonAnalyticsUnavailable,
			"analytics, which compiles definitions, does not answer; try again later")
	}
}

func violationsOf(answer *status.Status) []apperr.Violation {
	var out []apperr.Violation
	for _, detail := range answer.Details() {
		bad, ok := detail.(*errdetails.BadRequest)
		if !ok {
			continue
		}
		for _, v := range bad.GetFieldViolations() {
			out = append(out, apperr.Violation{Field: v.GetField(), Description: v.GetDescription()})
		}
	}
	return out
}
