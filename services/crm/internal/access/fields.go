package access

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
)

// violationsMax bounds how many refused fields are named; a batch of thousands of rows says the same in each.
const violationsMax = 100

// mask takes out of an answer what the caller does not see.
func (p *Policy) mask(g *grant, answer any) {
	if m, ok := answer.(proto.Message); ok && m != nil && m.ProtoReflect().IsValid() {
		p.cover(g, g.answers.of(m.ProtoReflect().Descriptor()), m.ProtoReflect())
	}
}

func (p *Policy) cover(g *grant, to *plan, m protoreflect.Message) {
	if to == nil {
		return
	}
	for _, f := range to.meant {
		if !m.Has(f) {
			continue
		}
		p.wayOf(g, f).apply(m, f)
	}
	for i, f := range to.lead {
		visit(m, f, "", func(inner protoreflect.Message, _ string) { p.cover(g, to.leadTo[i], inner) })
	}
}

// wayOf is how a field that is not shown in full is shown to a caller.
func (p *Policy) wayOf(g *grant, f protoreflect.FieldDescriptor) way {
	field := p.classOf[fieldName(f)]
	if v, _ := g.view(field.class); v == hidden {
		return ways["hidden"]
	}
	return field.way
}

// checkRequest refuses a request that sets fields which the caller may not write, or asks by fields which they do not see.
func (p *Policy) checkRequest(g *grant, method protoreflect.MethodDescriptor, request any) error {
	m, ok := request.(proto.Message)
	if !ok {
		return nil
	}
	var broken []apperr.Violation
	p.findReplaced(g, method, &broken)
	p.findWrites(g, m, &broken)
	p.findMasked(g, m, &broken)
	p.findAsked(g, method, m, &broken)
	if len(broken) == 0 {
		return nil
	}
	texts := make([]string, len(broken))
	for i, v := range broken {
		texts[i] = v.Field + ": " + v.Description
	}
	return &apperr.Error{
		Code: codes.PermissionDenied, Reason: apperr.ReasonFieldDenied, Message: strings.Join(texts, "; "), Violations: broken,
		Metadata: map[string]string{"method": methodName(method)},
	}
}

func refuse(broken *[]apperr.Violation, field, format string, args ...any) {
	if len(*broken) < violationsMax {
		*broken = append(*broken, apperr.Violation{Field: field, Description: fmt.Sprintf(format, args...)})
	}
}

// replacing begins the names of calls that write records as a whole: what a request leaves out, they clear.
const replacing = "BatchUpsert"

// findReplaced refuses calls that would clear what the caller may not write.
func (p *Policy) findReplaced(g *grant, method protoreflect.MethodDescriptor, broken *[]apperr.Violation) {
	if !strings.HasPrefix(string(method.Name()), replacing) {
		return
	}
	for i := range method.Input().Fields().Len() {
		f := method.Input().Fields().Get(i)
		if f.Message() != nil && f.IsList() && g.requests.of(f.Message()) != nil {
			refuse(broken, string(f.Name()), "the call replaces whole records, and they hold fields that you may not write")
		}
	}
}

// findWrites finds fields that a request sets though the caller may not write them, and those to which it sets what the
// caller was shown in their place: who reads a record and sends it back must not destroy what they did not see. With an
// update mask only what it names is written.
func (p *Policy) findWrites(g *grant, m proto.Message, broken *[]apperr.Violation) {
	d, found := m.ProtoReflect().Descriptor(), []apperr.Violation(nil)
	p.walkSet(g.requests.of(d), m.ProtoReflect(), "", func(f protoreflect.FieldDescriptor, _ protoreflect.Message, path string) {
		refuse(&found, path, "you may not write what is %s", p.classOf[fieldName(f)].class.name)
	})
	p.walkSet(g.partial.of(d), m.ProtoReflect(), "", func(f protoreflect.FieldDescriptor, in protoreflect.Message, path string) {
		if p.wayOf(g, f).made(in, f) {
			refuse(&found, path, "is what you were shown in place of it; leave out what you do not change")
		}
	})
	mask := maskOf(m)
	for _, v := range found {
		if mask == nil || mask.names(v.Field) {
			refuse(broken, v.Field, "%s", v.Description)
		}
	}
}

// walkSet calls with every field of a plan that is set.
func (p *Policy) walkSet(to *plan, m protoreflect.Message, path string, each func(protoreflect.FieldDescriptor, protoreflect.Message, string)) {
	if to == nil {
		return
	}
	for _, f := range to.meant {
		if m.Has(f) {
			each(f, m, path+string(f.Name()))
		}
	}
	for i, f := range to.lead {
		visit(m, f, path, func(inner protoreflect.Message, at string) { p.walkSet(to.leadTo[i], inner, at+".", each) })
	}
}

// updateMask is an update mask that names fields one by one.
type updateMask []string

// maskOf returns the mask of an update; nil when everything that is set is written.
func maskOf(m proto.Message) updateMask {
	update, ok := m.(interface{ GetUpdateMask() *fieldmaskpb.FieldMask })
	if !ok || len(update.GetUpdateMask().GetPaths()) == 0 || slices.Contains(update.GetUpdateMask().GetPaths(), "*") {
		return nil
	}
	return update.GetUpdateMask().GetPaths()
}

// names says whether a mask names a field of the record in a request, or what the field lies in.
func (mask updateMask) names(field string) bool {
	_, inRecord, found := strings.Cut(field, ".")
	return !found || slices.ContainsFunc(mask, func(path string) bool {
		rest, within := strings.CutPrefix(inRecord, path)
		return within && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// findMasked finds what an update mask would change: a field that is cleared is not set in the request.
func (p *Policy) findMasked(g *grant, m proto.Message, broken *[]apperr.Violation) {
	update, ok := m.(interface{ GetUpdateMask() *fieldmaskpb.FieldMask })
	if !ok {
		return
	}
	for _, resource := range resourcesOf(m.ProtoReflect().Descriptor()) {
		for _, path := range update.GetUpdateMask().GetPaths() {
			if path == "*" && g.requests.of(resource) != nil {
				refuse(broken, "update_mask", "%q names fields that you may not write", path)
				continue
			}
			along, last := fieldsAlong(resource, path)
			for _, f := range along {
				if c := p.classOf[fieldName(f)]; c != nil && g.requests.means(f) {
					refuse(broken, "update_mask", "you may not write %s, which is %s", path, c.class.name)
				}
			}
			if last != nil && g.requests.of(last) != nil {
				refuse(broken, "update_mask", "%s holds fields that you may not write; name those that you change", path)
			}
		}
	}
}

// resourcesOf are the types of the API that a request holds.
func resourcesOf(d protoreflect.MessageDescriptor) []protoreflect.MessageDescriptor {
	var out []protoreflect.MessageDescriptor
	for i := range d.Fields().Len() {
		if inner := d.Fields().Get(i).Message(); inner != nil && inner.ParentFile().Package() == apiPackage {
			out = append(out, inner)
		}
	}
	return out
}

// fieldsAlong are the fields that a path such as "individual.birth_date" goes through, as far as there are any, and the
// type of the message at its end where it ends at one.
func fieldsAlong(d protoreflect.MessageDescriptor, path string) (along []protoreflect.FieldDescriptor, last protoreflect.MessageDescriptor) {
	for name := range strings.SplitSeq(path, ".") {
		if d == nil {
			return along, nil
		}
		f := d.Fields().ByName(protoreflect.Name(name))
		if f == nil {
			return nil, nil
		}
		along, d = append(along, f), messageOf(f)
		if f.IsMap() {
			return along, d // what follows is a key
		}
	}
	return along, d
}

// findAsked finds fields in filter and order that the caller does not see in full: who may ask often enough learns them.
func (p *Policy) findAsked(g *grant, method protoreflect.MethodDescriptor, m proto.Message, broken *[]apperr.Violation) {
	if len(g.clouded) == 0 {
		return
	}
	if asks, ok := m.(interface{ GetFilter() string }); ok {
		for _, name := range filter.Fields(asks.GetFilter()) {
			p.ask(g, method, "filter", name, broken)
		}
	}
	if asks, ok := m.(interface{ GetOrderBy() string }); ok {
		for _, name := range filter.OrderFields(asks.GetOrderBy()) {
			p.ask(g, method, "order_by", name, broken)
		}
	}
}

func (p *Policy) ask(g *grant, method protoreflect.MethodDescriptor, where, name string, broken *[]apperr.Violation) {
	along, known := p.meaning(method, name)
	if !known {
		refuse(broken, where, "%q is no field that you may ask by", name)
		return
	}
	for _, f := range along {
		if g.clouded[fieldName(f)] {
			class := p.classOf[fieldName(f)].class.name
			refuse(broken, where, "%s is %s, which you do not see in full, so you can't ask by it", name, class)
		}
	}
}

// meaning finds the fields that a name in a filter stands for: what the policy says of the name, a path in what the method
// lists or in what that holds, at any depth, or one in another kind of record, whose name comes first. Names that are no
// fields must be listed in the policy.
func (p *Policy) meaning(method protoreflect.MethodDescriptor, name string) (along []protoreflect.FieldDescriptor, known bool) {
	for _, d := range heldBy(method.Output()) {
		if along, known := p.named(string(d.Name()) + "." + name); known {
			return along, true
		}
		if along, _ := fieldsAlong(d, name); along != nil {
			return along, true
		}
	}
	kind, rest, _ := strings.Cut(name, ".")
	one := messageName(singular(kind))
	other := apiMessage(one)
	if other == nil {
		other = apiMessage(one + "Insight") // rfm, clv, segments, scores
	}
	if other == nil || rest == "" {
		return nil, other != nil // the kind alone asks whether there are any
	}
	if along, known := p.named(string(other.Name()) + "." + rest); known {
		return along, true
	}
	along, _ = fieldsAlong(other, rest)
	return along, along != nil
}

// named is what the policy says of a name in filters: that it is open, or for which field it stands.
func (p *Policy) named(name string) (along []protoreflect.FieldDescriptor, known bool) {
	if stands := p.aliases[name]; stands != nil {
		return []protoreflect.FieldDescriptor{stands}, true
	}
	return nil, p.open[name]
}

// heldBy are the types of the API that an answer holds, the nearest first.
func heldBy(answer protoreflect.MessageDescriptor) []protoreflect.MessageDescriptor {
	var out []protoreflect.MessageDescriptor
	for next := resourcesOf(answer); len(next) > 0; {
		var further []protoreflect.MessageDescriptor
		for _, d := range next {
			if !slices.Contains(out, d) {
				out = append(out, d)
				further = append(further, resourcesOf(d)...)
			}
		}
		next = further
	}
	return out
}

// singular is "contract_party" for "contract_parties".
func singular(kind string) string {
	if stem, ok := strings.CutSuffix(kind, "ies"); ok {
		return stem + "y"
	}
	return strings.TrimSuffix(kind, "s")
}

// messageName is "AccountHolder" for "account_holder".
func messageName(kind string) string {
	var name strings.Builder
	for word := range strings.SplitSeq(kind, "_") {
		if word != "" {
			name.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return name.String()
}

func indexed(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
