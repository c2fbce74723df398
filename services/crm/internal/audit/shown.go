package audit

import (
	"slices"
	"strings"
	"sync"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Names of the fields by which a message is about customers. An account stands for those who hold it, unless the message
// names the customer itself; a contract for those whose it is, unless the message names customer or account.
const (
	customerField  = "customer_id"
	customersField = "customer_ids"
	accountField   = "account_id"
	contractField  = "contract_id"
)

// customersElsewhere are fields that name a customer by what the customer is there.
var customersElsewhere = []protoreflect.Name{"employer_id"}

// numbersOnly are fields that hold customers' numbers and show nothing else of them: an entry of the audit tells which
// numbers a list showed, not what the list said; a definition lists numbers that its author put there.
var numbersOnly = []protoreflect.FullName{"tandem.crm.v1.AuditEntry.customer_ids", "tandem.definition.v1.StaticSegment.customer_ids"}

// plan says where in a kind of message the ids of customers and accounts stand. It is made once for each kind.
type plan struct {
	customers, accounts, contracts []protoreflect.FieldDescriptor
	nested                         []nested
}

// nested is a field with messages in which customers may be.
type nested struct {
	field protoreflect.FieldDescriptor
	plan  *plan
}

func (p *plan) empty() bool {
	return len(p.customers)+len(p.accounts)+len(p.contracts)+len(p.nested) == 0
}

// plans holds a *plan for each message of the API, by its full name.
var plans sync.Map

func planOf(message protoreflect.MessageDescriptor) *plan {
	if known, ok := plans.Load(message.FullName()); ok {
		return known.(*plan) //nolint:forcetypeassert // nothing else is stored
	}
	p := newPlan(message, map[protoreflect.FullName]*plan{})
	plans.Store(message.FullName(), p)
	return p
}

// newPlan looks through a message and what it holds; made are the plans on the way, for messages that hold themselves.
func newPlan(message protoreflect.MessageDescriptor, made map[protoreflect.FullName]*plan) *plan {
	if p, ok := made[message.FullName()]; ok {
		return p
	}
	p := &plan{}
	made[message.FullName()] = p
	for i := range message.Fields().Len() {
		field := message.Fields().Get(i)
		switch held := heldMessage(field); {
		case held != nil:
			if inner := newPlan(held, made); !inner.empty() {
				p.nested = append(p.nested, nested{field, inner})
			}
		case field.Kind() != protoreflect.Int64Kind || slices.Contains(numbersOnly, field.FullName()):
		case namesCustomers(field):
			p.customers = append(p.customers, field)
		case field.Name() == accountField:
			p.accounts = append(p.accounts, field)
		case field.Name() == contractField:
			p.contracts = append(p.contracts, field)
		}
	}
	return p
}

// heldMessage is the kind of message that a field of the API holds, alone, in a list or in a map; nil for other fields.
func heldMessage(field protoreflect.FieldDescriptor) protoreflect.MessageDescriptor {
	held := field.Message()
	if field.IsMap() {
		held = field.MapValue().Message()
	}
	if held == nil || !strings.HasPrefix(string(held.FullName()), "tandem.") {
		return nil
	}
	return held
}

func namesCustomers(field protoreflect.FieldDescriptor) bool {
	name := string(field.Name())
	if field.IsList() {
		return name == customersField || strings.HasSuffix(name, "_"+customersField)
	}
	return name == customerField || strings.HasSuffix(name, "_"+customerField) || slices.Contains(customersElsewhere, field.Name())
}

// shown collects whom a message shows.
type shown struct {
	// main is the customer whom the message is about; 0 when it is a list.
	main int64
	// customers in the order in which they appear; they may come again.
	customers []int64
	// accounts whose holders the message does not name.
	accounts []int64
	// contracts of which the message names neither customer nor account.
	contracts []int64
}

func (s *shown) message(m proto.Message) {
	reflected := m.ProtoReflect()
	s.walk(planOf(reflected.Descriptor()), reflected, false)
}

func (s *shown) walk(p *plan, m protoreflect.Message, listed bool) {
	before := len(s.customers)
	for _, field := range p.customers {
		if field.IsList() {
			ids := m.Get(field).List()
			for i := range ids.Len() {
				s.customers = append(s.customers, ids.Get(i).Int())
			}
		} else if id := m.Get(field).Int(); id != 0 {
			if s.main == 0 && !listed && field.Name() == customerField {
				s.main = id
			}
			s.customers = append(s.customers, id)
		}
	}
	if len(s.customers) == before && !collect(&s.accounts, p.accounts, m) {
		collect(&s.contracts, p.contracts, m)
	}
	for _, n := range p.nested {
		s.nested(n, m, listed)
	}
}

// collect adds the numbers in fields, and says whether there were any.
func collect(ids *[]int64, fields []protoreflect.FieldDescriptor, m protoreflect.Message) bool {
	before := len(*ids)
	for _, field := range fields {
		if field.IsList() {
			continue
		}
		if id := m.Get(field).Int(); id != 0 {
			*ids = append(*ids, id)
		}
	}
	return len(*ids) > before
}

func (s *shown) nested(n nested, m protoreflect.Message, listed bool) {
	if !m.Has(n.field) {
		return
	}
	value := m.Get(n.field)
	switch {
	case n.field.IsList():
		for i := range value.List().Len() {
			s.walk(n.plan, value.List().Get(i).Message(), true)
		}
	case n.field.IsMap():
		value.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
			s.walk(n.plan, v.Message(), true)
			return true
		})
	default:
		s.walk(n.plan, value.Message(), listed)
	}
}

// others returns everybody but the main customer, each once.
func (s *shown) others() []int64 {
	if len(s.customers) < 2 && (len(s.customers) == 0 || s.customers[0] == s.main) {
		return nil
	}
	seen := map[int64]bool{s.main: true}
	var others []int64
	for _, id := range s.customers {
		if !seen[id] {
			seen[id] = true
			others = append(others, id)
		}
	}
	return others
}
