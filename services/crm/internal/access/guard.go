package access

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/reflect/protoreflect"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/auth"
	"tandem.bank/services/crm/internal/sight"
)

// Guard holds calls to the policy.
type Guard struct {
	policy  *Policy
	grants  *grants
	places  *places
	methods map[string]protoreflect.MethodDescriptor
}

// NewGuard holds calls to a policy. A caller without a principal has no role.
func NewGuard(policy *Policy, pool *pgxpool.Pool) *Guard {
	g := &Guard{
		policy: policy, grants: &grants{policy: policy}, places: newPlaces(pool),
		methods: map[string]protoreflect.MethodDescriptor{},
	}
	for _, name := range apiMethods() {
		g.methods[name] = apiMethod(name)
	}
	return g
}

// Covers names the methods of a server that stand in no group of the policy: nobody could call them.
func (g *Guard) Covers(services map[string]grpc.ServiceInfo) error {
	var methods []string
	for service, info := range services {
		for _, m := range info.Methods {
			if name := "/" + service + "/" + m.Name; guarded(name) {
				methods = append(methods, name)
			}
		}
	}
	if missing := g.policy.Unruled(methods); len(missing) > 0 {
		slices.Sort(missing)
		return fmt.Errorf("%s: no group of methods holds %s", g.policy.Origin, strings.Join(missing, ", "))
	}
	return nil
}

// Unary holds calls to the policy. It must stand behind what finds out who calls.
func (g *Guard) Unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	method := g.methods[info.FullMethod]
	if method == nil && !guarded(info.FullMethod) {
		return next(ctx, req)
	}
	ctx, granted, err := g.enter(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	if err := g.policy.checkRequest(granted, method, req); err != nil {
		return nil, err
	}
	answer, err := next(ctx, req)
	g.policy.mask(granted, answer)
	return answer, err
}

// Stream does the same for streams, for every message of them.
func (g *Guard) Stream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	method := g.methods[info.FullMethod]
	if method == nil && !guarded(info.FullMethod) {
		return next(srv, stream)
	}
	ctx, granted, err := g.enter(stream.Context(), info.FullMethod)
	if err != nil {
		return err
	}
	return next(srv, &guardedStream{ServerStream: stream, ctx: ctx, policy: g.policy, grant: granted, method: method})
}

// guarded leaves health checks and reflection alone: they tell nothing of the bank.
func guarded(method string) bool { return strings.HasPrefix(method, "/tandem.") }

// enter refuses a method that the caller may not call, and puts what the caller sees into the context.
func (g *Guard) enter(ctx context.Context, method string) (context.Context, *grant, error) {
	caller, roles := g.caller(ctx)
	granted := g.grants.of(roles, method)
	if !granted.allowed() {
		return ctx, nil, g.refusal(roles, method)
	}
	seen := &sight.Sight{Rows: sight.Rows{All: true}, Clouded: granted.clouded}
	if !granted.scopes[rowsAll] {
		at, err := g.places.of(ctx, caller)
		if err != nil {
			return ctx, nil, err
		}
		seen.Rows = granted.rows(at)
	}
	return sight.With(ctx, seen), granted, nil
}

func (g *Guard) caller(ctx context.Context) (subject string, roles []string) {
	principal, _ := auth.FromContext(ctx)
	return principal.Subject, principal.Roles
}

// refusal names the group that would have to be given.
func (g *Guard) refusal(roles []string, method string) error {
	rule, text := "none", "no rule of the policy allows it to anybody"
	if group := g.policy.groupOf(method); group != nil {
		rule = group.name
		text = "none of your roles (" + strings.Join(roles, ", ") + ") may " + group.name
		if len(roles) == 0 {
			text = "you have no role that may " + group.name
		}
	}
	return &apperr.Error{
		Code: codes.PermissionDenied, Reason: apperr.ReasonPermissionDenied, Message: shortMethod(method) + ": " + text,
		Metadata: map[string]string{"rule": rule, "method": method, "roles": strings.Join(roles, ",")},
	}
}

type guardedStream struct {
	grpc.ServerStream
	ctx    context.Context //nolint:containedctx // a stream hands out its context
	policy *Policy
	grant  *grant
	method protoreflect.MethodDescriptor
}

// Context returns the context with what the caller sees.
func (s *guardedStream) Context() context.Context { return s.ctx }

// RecvMsg refuses messages with fields that the caller may not write.
func (s *guardedStream) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	return s.policy.checkRequest(s.grant, s.method, m)
}

// SendMsg takes out what the caller does not see.
func (s *guardedStream) SendMsg(m any) error {
	s.policy.mask(s.grant, m)
	return s.ServerStream.SendMsg(m)
}
