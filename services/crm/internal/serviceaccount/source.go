package serviceaccount

import (
	"context"
	"regexp"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/auth"
)

const (
	// fresh is how long an account is remembered here, and how long its token is by the verifier: twice this time passes at
	// most until a change counts, which is below the 5 seconds that the API promises.
	fresh = 2 * time.Second
	// knownMax bounds what is remembered; invented names would fill it.
	knownMax = 10_000
	// lookupsMax bounds the reads of the database at the same time: whoever invents names and keys takes no more of it from the others.
	lookupsMax = 2
)

// ReasonAccountDisabled is the reason of a refusal, in the ErrorInfo.
const ReasonAccountDisabled = "SERVICE_ACCOUNT_DISABLED"

// namePattern is that of the API: other issuers are not looked up.
var namePattern = regexp.MustCompile(`^[a-z][a-z0-9-]{1,62}$`)

// Source proves tokens that service accounts sign for themselves.
type Source struct {
	pool    *pgxpool.Pool
	lookups *semaphore.Weighted

	mu    sync.Mutex
	known map[string]remembered
}

// remembered is an account, or that there is none, as it was a moment ago.
type remembered struct {
	row   *Row
	until time.Time
}

// NewSource reads accounts from the database.
func NewSource(pool *pgxpool.Pool) *Source {
	return &Source{pool: pool, lookups: semaphore.NewWeighted(lookupsMax), known: map[string]remembered{}}
}

// Vouch checks a token against the keys of the account that it names.
func (s *Source) Vouch(ctx context.Context, token *auth.Token) (auth.Voucher, error) {
	if !namePattern.MatchString(token.Issuer) {
		return auth.Voucher{}, auth.ErrUnknownIssuer
	}
	row, err := s.find(ctx, token.Issuer, token.KeyID)
	if err != nil {
		return auth.Voucher{}, err
	}
	if row == nil {
		return auth.Voucher{}, auth.ErrUnknownIssuer
	}
	now := time.Now()
	for _, k := range row.PublicKeys {
		if k.ID != token.KeyID || !k.counts(now) {
			continue
		}
		key, err := auth.ParsePublicKey([]byte(k.PublicKey))
		if err != nil {
			return auth.Voucher{}, err
		}
		if !token.SignedBy(key) {
			break
		}
		// Only now: who has no key of the account learns nothing about it.
		if row.State != active {
			return auth.Voucher{}, apperr.New(codes.Unauthenticated, ReasonAccountDisabled, "the service account is disabled")
		}
		return auth.Voucher{Account: &auth.Account{Name: row.Name, Roles: row.Roles}, Fresh: fresh}, nil
	}
	return auth.Voucher{}, auth.ErrSignature
}

// find returns the account, nil when there is none. A key that the account did not have a moment ago may be new, and counts at
// once: whoever got it calls with it.
func (s *Source) find(ctx context.Context, name, keyID string) (*Row, error) {
	if row, ok := s.recall(name, keyID); ok {
		return row, nil
	}
	if err := s.lookups.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer s.lookups.Release(1)
	// Others who waited may have brought it.
	if row, ok := s.recall(name, keyID); ok {
		return row, nil
	}
	found, err := Table.Select(ctx, s.pool, "name = $1", name)
	if err != nil {
		return nil, err
	}
	known := remembered{until: time.Now().Add(fresh)}
	if len(found) > 0 {
		known.row = &found[0].Row
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) >= knownMax {
		clear(s.known)
	}
	s.known[name] = known
	return known.row, nil
}

// recall returns what is remembered of an account; ok says whether that is enough for a key.
func (s *Source) recall(name, keyID string) (row *Row, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.known[name]
	return known.row, ok && time.Now().Before(known.until) && (known.row == nil || known.row.hasKey(keyID))
}
