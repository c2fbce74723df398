// Package auth proves who calls, and tells the rest of a program.
package auth

import (
	"context"
	"slices"
	"time"
)

// Principal is who makes a call, as proved by a token: a person, or a program with a service account.
type Principal struct {
	// Subject is the name that entries of the audit and events carry.
	Subject string
	// Roles are what the subject is here for; unknown names among them give nothing.
	Roles []string
	// Branches are those that the token limits its owner to in analytics; empty when it names none.
	Branches []int64
	// ServiceAccount tells a program from a person.
	ServiceAccount bool
	// Issuer made the token: an identity provider, the local key, or the service account itself.
	Issuer string
	// Expires is when the token ends; zero when the principal came without one.
	Expires time.Time
}

// Has reports whether the principal has one of the roles.
func (p Principal) Has(roles ...string) bool {
	return slices.ContainsFunc(p.Roles, func(role string) bool { return slices.Contains(roles, role) })
}

type principalKey struct{}

// WithPrincipal returns a context of a call by the principal.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// FromContext returns who makes the call; false when nobody proved it, as in work that no call asked for.
func FromContext(ctx context.Context) (Principal, bool) {
	p, ok := ctx.Value(principalKey{}).(Principal)
	return p, ok
}
