package conformance

import (
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

func text(s string) *crmv1.AttributeValue {
	return &crmv1.AttributeValue{Value: &crmv1.AttributeValue_Text{Text: s}}
}

func integer(n int64) *crmv1.AttributeValue {
	return &crmv1.AttributeValue{Value: &crmv1.AttributeValue_Integer{Integer: n}}
}

func option(s string) *crmv1.AttributeValue {
	return &crmv1.AttributeValue{Value: &crmv1.AttributeValue_Option{Option: s}}
}

func options(s ...string) *crmv1.AttributeValue {
	return &crmv1.AttributeValue{Value: &crmv1.AttributeValue_Options{Options: &crmv1.AttributeOptions{Values: s}}}
}

// define adds definitions and returns the ids.
func (o *office) define(t *testing.T, all ...*crmv1.AttributeDefinition) []int64 {
	t.Helper()
	var ids []int64
	for _, d := range all {
		d.Title = d.GetName()
		created, err := o.create(t.Context(), definitions, d, "")
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, definitions.id(created))
	}
	return ids
}

func (o *office) attributes(t *testing.T, id int64, values map[string]*crmv1.AttributeValue) (*crmv1.Customer, error) {
	t.Helper()
	return o.edit(t, &crmv1.Customer{CustomerId: id, Attributes: values}, "attributes")
}

func TestAttributes(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ids := o.define(t,
		&crmv1.AttributeDefinition{Name: "segment", Type: crmv1.AttributeType_ATTRIBUTE_TYPE_OPTION, AllowedValues: []string{"gold", "silver"}, Required: true, Searchable: true},
		&crmv1.AttributeDefinition{Name: "pets", Type: crmv1.AttributeType_ATTRIBUTE_TYPE_INTEGER, Minimum: "0", Maximum: "9"},
		&crmv1.AttributeDefinition{Name: "nickname", Type: crmv1.AttributeType_ATTRIBUTE_TYPE_TEXT, Personal: true, Pattern: "[A-Z][a-z]+"},
		&crmv1.AttributeDefinition{Name: "uses", Type: crmv1.AttributeType_ATTRIBUTE_TYPE_OPTIONS, AllowedValues: []string{"app", "web"}, Searchable: true},
	)
	id := o.add(t, &crmv1.Customer{Party: individual(&crmv1.Individual{})}).GetCustomerId()
	_, err := o.attributes(t, id, map[string]*crmv1.AttributeValue{
		"segmnt": option("gold"), "pets": integer(10), "nickname": text("peter"), "uses": options("app", "fax"),
	})
	for _, name := range []string{"segmnt", "pets", "nickname", "uses", "segment"} {
		refusal{codes.InvalidArgument, apperr.ReasonInvalidField, `customer.attributes["` + name + `"]`}.check(t, err)
	}
	if err == nil || !strings.Contains(err.Error(), "did you mean segment?") {
		t.Errorf("no suggestion in %v", err)
	}
	if _, err = o.attributes(t, id, map[string]*crmv1.AttributeValue{
		"segment": option("gold"), "pets": integer(2), "nickname": text("Peter"), "uses": options("web", "app"),
	}); err != nil {
		t.Fatal(err)
	}
	// Those named are set, one without a value goes, the others stay.
	c, err := o.attributes(t, id, map[string]*crmv1.AttributeValue{"pets": integer(3), "uses": {}})
	if err != nil || len(c.GetAttributes()) != 3 || c.GetAttributes()["pets"].GetInteger() != 3 {
		t.Fatalf("attributes are %v, %v", c.GetAttributes(), err)
	}
	changes := o.changes(t, customers, id)
	if seen := changes[len(changes)-1].GetCustomer().GetAttributes(); len(seen) != 2 || seen["segment"].GetOption() != "gold" {
		t.Errorf("the event carries %v", seen)
	}
	for _, filter := range []string{
		`attributes.segment = "gold"`, `attributes.pets > 2`, `attributes.nickname:"pet"`, `NOT attributes.uses:"app" AND attributes.pets = 3`,
	} {
		if found, _, err := o.list(t.Context(), customers, 10, "", filter); err != nil || len(found) != 1 {
			t.Errorf("%s finds %d, %v", filter, len(found), err)
		}
	}

	narrowed := &crmv1.AttributeDefinition{AttributeDefinitionId: ids[0], AllowedValues: []string{"silver"}}
	_, err = o.update(t.Context(), definitions, narrowed, "", "allowed_values")
	refusal{code: codes.FailedPrecondition, reason: apperr.ReasonFailedPrecondition}.check(t, err)
	if err == nil || !strings.Contains(err.Error(), "1 customers") {
		t.Errorf("the refusal does not count: %v", err)
	}
	if _, err = o.update(t.Context(), definitions, &crmv1.AttributeDefinition{AttributeDefinitionId: ids[1], Retired: true}, "", "retired"); err != nil {
		t.Fatal(err)
	}
	_, err = o.attributes(t, id, map[string]*crmv1.AttributeValue{"pets": integer(1)})
	refusal{codes.InvalidArgument, apperr.ReasonInvalidField, `customer.attributes["pets"]`}.check(t, err)
}
