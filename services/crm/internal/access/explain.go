package access

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/sight"
)

// all is the sight of who sees every customer.
var all = &sight.Sight{Rows: sight.Rows{All: true}}

// managersMax bounds the managers that an answer names.
const managersMax = 1000

// explanation is one answer in the making.
type explanation struct {
	*Server
	req     *crmv1.ExplainAccessRequest
	subject string
	roles   []string
	method  protoreflect.MethodDescriptor
	// self says that the caller asks about themselves: then what lies out of their sight does not exist.
	self bool
}

func (e *explanation) answer(ctx context.Context) (*crmv1.ExplainAccessResponse, error) {
	method, policy := methodName(e.method), e.guard.policy
	g := e.guard.grants.of(e.roles, method)
	answer := &crmv1.ExplainAccessResponse{Allowed: g.allowed(), PolicyHash: policy.Hash}
	for _, r := range policy.roles {
		if !slices.Contains(e.roles, r.name) {
			continue
		}
		answer.Roles = append(answer.Roles, r.name)
		for _, rule := range policy.rules(r, method) {
			answer.Rules = append(answer.Rules, &crmv1.AccessRule{
				Name: rule.name(), Role: r.name, Group: rule.group.name, MethodLine: line(rule.methodLine), RoleLine: line(rule.roleLine),
			})
		}
	}
	rows, err := e.rows(ctx, g)
	if err != nil {
		return nil, err
	}
	answer.Rows = rows
	if answer.Fields, err = e.fields(g); err != nil {
		return nil, err
	}
	switch {
	case !g.allowed():
		answer.Reason = e.guard.refusal(e.roles, method).Error()
	case !rows.GetVisible():
		answer.Allowed, answer.Reason = false, "the method is allowed, but not there: "+rows.GetReason()
	default:
		answer.Reason = answer.GetRules()[0].GetName() + fmt.Sprintf(" (line %d)", answer.GetRules()[0].GetRoleLine())
	}
	return answer, nil
}

// rows says which customers the roles reach, and whether the one asked about is among them.
func (e *explanation) rows(ctx context.Context, g *grant) (*crmv1.RowDecision, error) {
	at, err := e.guard.places.of(ctx, e.subject)
	if err != nil {
		return nil, err
	}
	out := &crmv1.RowDecision{ManagerId: at.ManagerID, BranchId: at.BranchID, ManagerIds: at.Below[:min(len(at.Below), managersMax)], Visible: true}
	for _, scope := range slices.Sorted(maps.Keys(g.scopes)) {
		out.Scopes = append(out.Scopes, scopeProtos[scope])
	}
	seen := sight.With(ctx, &sight.Sight{Rows: g.rows(at)})
	asked := e.req.GetRecord() != "" || e.req.GetCustomerId() != 0 || e.req.GetCustomerKey() != nil
	switch {
	case !asked:
		out.Reason = "no customer or record was asked about"
	case !g.allowed():
		out.Visible, out.Reason = false, "a call that is refused reaches nobody"
	case e.req.GetRecord() != "":
		err = e.record(ctx, seen, out)
	default:
		err = e.customer(ctx, seen, g, at, out)
	}
	return out, err
}

func (e *explanation) record(ctx, seen context.Context, out *crmv1.RowDecision) error {
	kind := e.kinds[e.req.GetRecord()]
	if kind == nil {
		return apperr.InvalidField("record", "%q is not a kind of record; there are %s", e.req.GetRecord(),
			strings.Join(slices.Sorted(maps.Keys(e.kinds)), ", "))
	}
	id := e.req.GetRecordId()
	exists, err := kind.Exists(ctx, e.pool, id)
	if err != nil {
		return err
	}
	found, err := kind.Sees(seen, e.pool, id)
	if err != nil {
		return err
	}
	out.Visible = exists && found[id]
	switch {
	case out.GetVisible():
		out.Reason = fmt.Sprintf("%s %d belongs to a customer within reach, or to nobody in particular", kind.Entity(), id)
	case !exists || e.self:
		return apperr.NotFound("%s %d does not exist", kind.Entity(), id)
	default:
		out.Reason = fmt.Sprintf("%s %d belongs to no customer within reach", kind.Entity(), id)
	}
	return nil
}

func (e *explanation) customer(ctx, seen context.Context, g *grant, at place, out *crmv1.RowDecision) error {
	if e.self {
		ctx = seen
	} else {
		ctx = sight.With(ctx, all)
	}
	var c *customer.Stored
	var err error
	if e.req.GetCustomerKey() != nil {
		c, err = customer.Table.GetByKey(ctx, e.pool, e.req.GetCustomerKey())
	} else {
		c, err = customer.Table.Get(ctx, e.pool, e.req.GetCustomerId())
	}
	if err != nil {
		return err
	}
	branchID, managerID := value(c.Row.BranchID), value(c.Row.ManagerID)
	rows := g.rows(at)
	switch {
	case rows.All:
		out.Reason = "every customer is within reach"
	case slices.Contains(rows.BranchIDs, branchID):
		out.Reason = fmt.Sprintf("customer %d belongs to branch %d, as the caller does", c.ID, branchID)
	case managerID != 0 && slices.Contains(rows.ManagerIDs, managerID):
		out.Reason = fmt.Sprintf("manager %d of customer %d is the caller, or stands below", managerID, c.ID)
		out.Path, err = e.guard.places.path(ctx, at.ManagerID, managerID)
	default:
		out.Visible = false
		out.Reason = fmt.Sprintf("customer %d has manager %d and branch %d; the caller is manager %d of branch %d, with %d managers below",
			c.ID, managerID, branchID, at.ManagerID, at.BranchID, max(len(at.Below)-1, 0))
	}
	return err
}

// fields says how fields are treated: those asked about, or all classified ones of the method's messages.
func (e *explanation) fields(g *grant) ([]*crmv1.FieldDecision, error) {
	names := e.req.GetFields()
	if len(names) == 0 {
		names = e.guard.policy.classifiedIn(e.method.Input(), e.method.Output())
	}
	out := make([]*crmv1.FieldDecision, len(names))
	for i, name := range names {
		if apiField(name) == nil {
			return nil, apperr.InvalidField(fmt.Sprintf("fields[%d]", i), "%q is not a field of the API; write Message.field", name)
		}
		out[i] = e.field(g, name)
	}
	return out, nil
}

func (e *explanation) field(g *grant, name string) *crmv1.FieldDecision {
	f := e.guard.policy.classOf[name]
	if f == nil {
		return &crmv1.FieldDecision{
			Field: name, View: viewProtos[shown], Writable: true, Reason: "in no class: whoever may call the method sees and writes it",
		}
	}
	v, by := g.view(f.class)
	out := &crmv1.FieldDecision{Field: name, Class: f.class.name, View: viewProtos[v]}
	switch v {
	case shown:
		out.Reason = fmt.Sprintf("%s sees %s (line %d)", by.name, f.class.name, has(by.show, f.class))
	case masked:
		out.Reason = fmt.Sprintf("%s sees %s in part, as %s (line %d)", by.name, f.class.name, f.way.name, has(by.mask, f.class))
	default:
		out.Reason = fmt.Sprintf("no role that may call the method sees %s (line %d)", f.class.name, f.class.line)
	}
	writer, line := g.writer(f.class)
	if out.Writable = writer != nil; out.Writable {
		out.Reason += fmt.Sprintf("; %s writes it (line %d)", writer.name, line)
	} else {
		out.Reason += "; none writes it"
	}
	return out
}

// classifiedIn lists the classified fields that messages hold, at any depth, in the order of their names.
func (p *Policy) classifiedIn(messages ...protoreflect.MessageDescriptor) []string {
	found, seen := map[string]bool{}, map[protoreflect.FullName]bool{}
	var look func(protoreflect.MessageDescriptor)
	look = func(d protoreflect.MessageDescriptor) {
		if d == nil || seen[d.FullName()] {
			return
		}
		seen[d.FullName()] = true
		for i := range d.Fields().Len() {
			f := d.Fields().Get(i)
			if name := fieldName(f); p.classOf[name] != nil {
				found[name] = true
			}
			look(messageOf(f))
		}
	}
	for _, d := range messages {
		look(d)
	}
	return slices.Sorted(maps.Keys(found))
}

func line(n int) int32 { return int32(n) } //nolint:gosec // lines of a file

func value(p *int64) int64 {
	if p == nil {
		return 0
	}
	return *p
}
