package serviceaccount

import (
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/record"
)

// toRow reads an account. Its keys are those that the server has put there: callers' are ignored.
func toRow(a *crmv1.ServiceAccount) (Row, []record.Reference, []apperr.Violation) {
	row := Row{
		Name: a.GetName(), Description: a.GetDescription(), Roles: slices.Sorted(slices.Values(a.GetRoles())),
		State: active, PublicKeys: []Key{},
	}
	for _, k := range a.GetKeys() {
		created := time.Now().UTC().Truncate(time.Microsecond)
		if k.GetCreateTime() != nil {
			created = k.GetCreateTime().AsTime()
		}
		row.PublicKeys = append(row.PublicKeys, Key{ID: k.GetKeyId(), PublicKey: k.GetPublicKey(), Created: created})
	}
	return row, nil, nil
}

func toProto(r *record.Record[Row]) *crmv1.ServiceAccount {
	a := &crmv1.ServiceAccount{
		ServiceAccountId: r.ID,
		Key:              r.Key(),
		Name:             r.Row.Name,
		Description:      r.Row.Description,
		Roles:            r.Row.Roles,
		State:            record.EnumValue[crmv1.ServiceAccountState](r.Row.State),
		Etag:             r.Etag(),
		CreateTime:       timestamppb.New(r.CreatedAt),
		UpdateTime:       timestamppb.New(r.UpdatedAt),
	}
	now := time.Now()
	for _, k := range r.Row.PublicKeys {
		a.Keys = append(a.Keys, keyProto(k, now))
	}
	return a
}

func keyProto(k Key, now time.Time) *crmv1.ServiceAccountKey {
	state := crmv1.ServiceAccountKeyState_SERVICE_ACCOUNT_KEY_STATE_ACTIVE
	switch {
	case k.Revoked != nil:
		state = crmv1.ServiceAccountKeyState_SERVICE_ACCOUNT_KEY_STATE_REVOKED
	case !k.counts(now):
		state = crmv1.ServiceAccountKeyState_SERVICE_ACCOUNT_KEY_STATE_EXPIRED
	}
	return &crmv1.ServiceAccountKey{
		KeyId: k.ID, PublicKey: k.PublicKey, State: state,
		CreateTime: timestamppb.New(k.Created), ExpireTime: record.TimeProto(k.Expires), RevokeTime: record.TimeProto(k.Revoked),
	}
}

func event(r *record.Record[Row], c *eventsv1.Change) {
	state := &eventsv1.ServiceAccountState{Name: r.Row.Name, Roles: r.Row.Roles, State: r.Row.State}
	for _, k := range r.Row.PublicKeys {
		if k.Revoked == nil {
			state.KeyIds = append(state.KeyIds, k.ID)
		}
	}
	c.Payload = &eventsv1.Change_ServiceAccount{ServiceAccount: state}
}
