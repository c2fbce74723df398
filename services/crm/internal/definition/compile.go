package definition

import (
	"context"
	"crypto"
	"errors"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/auth"
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

// ReasonNoDelegation is the reason of FAILED_PRECONDITION when a service account saves a definition and crm has no key to ask
// analytics in its name.
const ReasonNoDelegation = "NO_DELEGATION"

// Delegate makes a token for analytics in the name of a service account, whose own tokens analytics does not know.
type Delegate func(account auth.Principal) (token string, err error)

// delegatedLifetime is how long such a token lives: for one call, and by how much clocks differ.
const delegatedLifetime = time.Minute

// NewDelegate signs with a key that analytics believes, as one of an issuer that it believes.
func NewDelegate(key crypto.Signer, issuer, audience string) Delegate {
	return func(account auth.Principal) (string, error) {
		signer, err := auth.NewSigner(auth.SignerConfig{
			Key: key, Issuer: issuer, Subject: account.Subject, Audience: audience, Roles: account.Roles, Actor: "crm", Lifetime: delegatedLifetime,
		})
		if err != nil {
			return "", err
		}
		return signer.Token()
	}
}

// Analytics compiles specs where they are run.
type Analytics struct {
	client   analyticsv1.DefinitionServiceClient
	delegate Delegate
}

// NewAnalytics asks over a connection. Without a delegate service accounts can't save definitions.
func NewAnalytics(conn grpc.ClientConnInterface, delegate Delegate) *Analytics {
	return &Analytics{client: analyticsv1.NewDefinitionServiceClient(conn), delegate: delegate}
}

// Compile asks analytics, in the caller's name: with the caller's token, or with one made for a service account.
func (a *Analytics) Compile(ctx context.Context, name string, spec *definitionv1.Spec) error {
	bounded, cancel := context.WithTimeout(ctx, compileTimeout)
	defer cancel()
	header, err := a.header(ctx)
	if err != nil {
		return err
	}
	if header != "" {
		bounded = metadata.AppendToOutgoingContext(bounded, authorization, header)
	}
	_, err = a.client.CompileDefinition(bounded, &analyticsv1.CompileDefinitionRequest{Name: name, Spec: spec})
	if err == nil || ctx.Err() != nil {
		return errors.Join(err, ctx.Err())
	}
	return refusal(err)
}

// header is what proves the caller to analytics; empty when nothing proved the caller here either.
func (a *Analytics) header(ctx context.Context) (string, error) {
	if caller, ok := auth.FromContext(ctx); ok && caller.ServiceAccount {
		if a.delegate == nil {
			return "", apperr.New(codes.FailedPrecondition, ReasonNoDelegation,
				"service accounts can't save definitions here: crm has no key (CRM_ANALYTICS_SIGNING_KEY_FILE) to ask analytics in their name")
		}
		token, err := a.delegate(caller)
		return "Bearer " + token, err
	}
	if tokens := metadata.ValueFromIncomingContext(ctx, authorization); len(tokens) > 0 {
		return tokens[0], nil
	}
	return "", nil
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
