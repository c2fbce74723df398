package access

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// Kind is a kind of record that ExplainAccess can be asked about.
type Kind interface {
	Entity() string
	// Exists says whether there is such a record, whoever sees it.
	Exists(ctx context.Context, q record.Querier, id int64) (bool, error)
	// Sees says which of some records the caller of the context sees.
	Sees(ctx context.Context, q record.Querier, ids ...int64) (map[int64]bool, error)
}

// Server answers tandem.crm.v1.AccessService.
type Server struct {
	crmv1.UnimplementedAccessServiceServer
	guard *Guard
	pool  *pgxpool.Pool
	kinds map[string]Kind
}

// NewServer explains what a guard does, for customers and for records of other kinds.
func NewServer(guard *Guard, pool *pgxpool.Pool, kinds ...Kind) *Server {
	s := &Server{guard: guard, pool: pool, kinds: map[string]Kind{}}
	for _, k := range kinds {
		s.kinds[k.Entity()] = k
	}
	return s
}

// ListRoles returns the roles of the policy.
func (s *Server) ListRoles(context.Context, *crmv1.ListRolesRequest) (*crmv1.ListRolesResponse, error) {
	p, answer := s.guard.policy, &crmv1.ListRolesResponse{}
	for _, r := range p.roles {
		out := &crmv1.Role{Name: r.name, Title: r.title, Rows: scopeProtos[r.rows]}
		methods := map[string]bool{}
		for _, g := range p.groups {
			if r.allows(g) != 0 {
				for method := range g.methods {
					methods[method] = true
				}
			}
		}
		out.Methods = slices.Sorted(maps.Keys(methods))
		one := &grant{roles: []*role{r}}
		for _, c := range p.classes {
			switch v, _ := one.view(c); v {
			case shown:
				out.Shown = append(out.Shown, c.name)
			case masked:
				out.Masked = append(out.Masked, c.name)
			default:
				out.Hidden = append(out.Hidden, c.name)
			}
			if by, _ := one.writer(c); by != nil {
				out.Writable = append(out.Writable, c.name)
			}
		}
		answer.Roles = append(answer.Roles, out)
	}
	return answer, nil
}

// GetPolicy returns the file.
func (s *Server) GetPolicy(context.Context, *crmv1.GetPolicyRequest) (*crmv1.GetPolicyResponse, error) {
	p := s.guard.policy
	return &crmv1.GetPolicyResponse{Text: p.Text, Hash: p.Hash, Origin: p.Origin}, nil
}

// othersMethod is the call that stands for the right to ask about others.
const othersMethod = "/tandem.crm.v1.AccessService/GetPolicy"

// ExplainAccess says what somebody may do, and why.
func (s *Server) ExplainAccess(ctx context.Context, req *crmv1.ExplainAccessRequest) (*crmv1.ExplainAccessResponse, error) {
	subject, roles := s.guard.caller(ctx)
	other := req.GetSubject() != "" && req.GetSubject() != subject
	if other && len(req.GetRoles()) == 0 {
		return nil, apperr.InvalidField("roles", "is required for another subject: only their token tells them")
	}
	asked := roles
	if len(req.GetRoles()) > 0 {
		asked = req.GetRoles()
		other = other || slices.ContainsFunc(asked, func(name string) bool { return !slices.Contains(roles, name) })
	}
	if other && !s.guard.grants.of(roles, othersMethod).allowed() {
		return nil, apperr.New(codes.PermissionDenied, apperr.ReasonPermissionDenied,
			"you may ask about yourself, in your own roles; who may access.others may ask about anybody")
	}
	if req.GetSubject() != "" {
		subject = req.GetSubject()
	}
	method := apiMethod(req.GetMethod())
	if method == nil {
		return nil, apperr.InvalidField("method", "%q is not a method of the API; write Service/Method", req.GetMethod())
	}
	e := &explanation{Server: s, req: req, subject: subject, roles: asked, method: method, self: !other}
	return e.answer(ctx)
}

var scopeProtos = map[string]crmv1.RowScope{
	rowsNone: crmv1.RowScope_ROW_SCOPE_NONE, rowsOwn: crmv1.RowScope_ROW_SCOPE_OWN, rowsTree: crmv1.RowScope_ROW_SCOPE_TREE,
	rowsBranch: crmv1.RowScope_ROW_SCOPE_BRANCH, rowsAll: crmv1.RowScope_ROW_SCOPE_ALL,
}

var viewProtos = map[view]crmv1.FieldView{
	hidden: crmv1.FieldView_FIELD_VIEW_HIDDEN, masked: crmv1.FieldView_FIELD_VIEW_MASKED, shown: crmv1.FieldView_FIELD_VIEW_SHOWN,
}
