package serviceaccount

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/request"
)

// overlapDefault is how long old keys count beside a new one: a program has a day to change over.
const overlapDefault = 24 * time.Hour

// named is a request that names an account.
type named interface {
	proto.Message
	GetName() string
	GetRequestId() string
}

// edit changes an account under its row lock.
func (s *Server) edit(ctx context.Context, req named, do func(row *Row, now time.Time) error) (*crmv1.ServiceAccount, error) {
	method := string(req.ProtoReflect().Descriptor().Name())
	return request.Once(ctx, s.pool, req.GetRequestId(), method, req, func(tx pgx.Tx) (*crmv1.ServiceAccount, error) {
		found, err := Table.Select(ctx, tx, "name = $1 FOR NO KEY UPDATE", req.GetName())
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, unknown(req.GetName())
		}
		old := found[0].Row
		found[0].Row.PublicKeys = append([]Key{}, old.PublicKeys...)
		if err := do(&found[0].Row, time.Now().UTC().Truncate(time.Microsecond)); err != nil {
			return nil, err
		}
		if err := s.store.Rewrite(ctx, tx, found, []*Row{&old}); err != nil {
			return nil, err
		}
		return toProto(found[0]), nil
	})
}

// AddServiceAccountKey adds a key.
func (s *Server) AddServiceAccountKey(
	ctx context.Context, req *crmv1.AddServiceAccountKeyRequest,
) (*crmv1.AddServiceAccountKeyResponse, error) {
	var in record.Reader
	expires := in.Time("expire_time", req.GetExpireTime())
	if err := apperr.Invalid(in.Violations...); err != nil {
		return nil, err
	}
	account, err := s.edit(ctx, req, func(row *Row, now time.Time) error {
		key, err := newKey(req.GetPublicKey(), now)
		if err != nil {
			return err
		}
		if expires != nil && !expires.After(now) {
			return apperr.InvalidField("expire_time", "must be in the future")
		}
		key.Expires = expires
		return row.addKey(key)
	})
	return &crmv1.AddServiceAccountKeyResponse{ServiceAccount: account}, err
}

// RotateServiceAccountKey adds a key and lets the others end.
func (s *Server) RotateServiceAccountKey(
	ctx context.Context, req *crmv1.RotateServiceAccountKeyRequest,
) (*crmv1.RotateServiceAccountKeyResponse, error) {
	overlap := overlapDefault
	if req.GetOverlap() != nil {
		overlap = req.GetOverlap().AsDuration()
	}
	account, err := s.edit(ctx, req, func(row *Row, now time.Time) error {
		key, err := newKey(req.GetPublicKey(), now)
		if err != nil {
			return err
		}
		end := now.Add(overlap)
		for i, k := range row.PublicKeys {
			if k.Revoked == nil && (k.Expires == nil || end.Before(*k.Expires)) {
				row.PublicKeys[i].Expires = &end
			}
		}
		return row.addKey(key)
	})
	return &crmv1.RotateServiceAccountKeyResponse{ServiceAccount: account}, err
}

// RevokeServiceAccountKey takes a key back. A key that was taken back already stays so.
func (s *Server) RevokeServiceAccountKey(
	ctx context.Context, req *crmv1.RevokeServiceAccountKeyRequest,
) (*crmv1.RevokeServiceAccountKeyResponse, error) {
	account, err := s.edit(ctx, req, func(row *Row, now time.Time) error {
		for i, k := range row.PublicKeys {
			if k.ID == req.GetKeyId() {
				if k.Revoked == nil {
					row.PublicKeys[i].Revoked = &now
				}
				return nil
			}
		}
		return apperr.NotFound("service account %s has no key %s", req.GetName(), req.GetKeyId())
	})
	return &crmv1.RevokeServiceAccountKeyResponse{ServiceAccount: account}, err
}

// DisableServiceAccount refuses the account's calls.
func (s *Server) DisableServiceAccount(
	ctx context.Context, req *crmv1.DisableServiceAccountRequest,
) (*crmv1.DisableServiceAccountResponse, error) {
	account, err := s.edit(ctx, req, func(row *Row, _ time.Time) error { row.State = disabled; return nil })
	return &crmv1.DisableServiceAccountResponse{ServiceAccount: account}, err
}

// EnableServiceAccount takes the account's calls again.
func (s *Server) EnableServiceAccount(
	ctx context.Context, req *crmv1.EnableServiceAccountRequest,
) (*crmv1.EnableServiceAccountResponse, error) {
	account, err := s.edit(ctx, req, func(row *Row, _ time.Time) error { row.State = active; return nil })
	return &crmv1.EnableServiceAccountResponse{ServiceAccount: account}, err
}
