package mapping

import (
	"errors"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// Feed turns rows into records of one entity.
type Feed struct {
	Entity Entity

	when *expression
	// template holds the constants; each record begins as a copy of it.
	template proto.Message
	fields   []fieldRule
}

// fieldRule sets one field from an expression. For an external key the expression gives the id.
type fieldRule struct {
	path fieldPath
	// source of an external key.
	source string
	value  *expression
	// required fields reject the row when they are blank.
	required bool
}

// Fault is why a value of a row can't be taken.
type Fault struct {
	// Field of the record, for example "individual.birth_date".
	Field string
	// Columns are the titles of the columns it is made of.
	Columns []string
	// Reason is a short sentence.
	Reason string
}

// FaultsError lists all that is wrong with a row.
type FaultsError struct {
	Faults []Fault
}

// Error joins the faults.
func (e *FaultsError) Error() string {
	parts := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		parts[i] = f.Field + ": " + f.Reason
	}
	return strings.Join(parts, "; ")
}

// Record makes the record of a row. It is nil for a row that the feed passes over. The error is a *FaultsError.
func (f *Feed) Record(row *Row) (proto.Message, error) {
	if f.when != nil {
		answer, err := f.when.text(row)
		if err != nil {
			return nil, &FaultsError{Faults: []Fault{fault("when", f.when, err)}}
		}
		if answer != "true" {
			return nil, nil //nolint:nilnil // no record and no error: the row is for others
		}
	}
	record := proto.Clone(f.template)
	var faults []Fault
	for _, rule := range f.fields {
		if err := rule.apply(record.ProtoReflect(), row); err != nil {
			faults = append(faults, fault(rule.path.name, rule.value, err))
		}
	}
	if len(faults) > 0 {
		return nil, &FaultsError{Faults: faults}
	}
	return record, nil
}

// ColumnsOf returns the titles of the columns that feed a field, given by its path in the record. A rejected
// "account_key.external_id" is found by "account_key", a rejected "amount" also by "amount.units".
func (f *Feed) ColumnsOf(field string) []string {
	var out []string
	for _, rule := range f.fields {
		if rule.path.name == field || strings.HasPrefix(field, rule.path.name+".") || strings.HasPrefix(rule.path.name, field+".") {
			for _, title := range rule.value.uses {
				if !slices.Contains(out, title) {
					out = append(out, title)
				}
			}
		}
	}
	return out
}

var errBlank = errors.New("has no value")

// apply evaluates the rule and sets the field; a blank value leaves it unset.
func (rule fieldRule) apply(record protoreflect.Message, row *Row) error {
	t, err := rule.value.text(row)
	if err != nil {
		return err
	}
	if blank(t) {
		if rule.required {
			return errBlank
		}
		return nil
	}
	if rule.path.reference() {
		key := &crmv1.ExternalKey{Source: rule.source, ExternalId: t}
		rule.path.set(record, protoreflect.ValueOfMessage(key.ProtoReflect()))
		return nil
	}
	value, err := rule.path.leaf.parse(t)
	if err != nil {
		return err
	}
	rule.path.set(record, value)
	return nil
}

func fault(field string, e *expression, err error) Fault {
	return Fault{Field: field, Columns: e.uses, Reason: err.Error()}
}
