package mapping

import (
	"errors"
	"regexp"
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
	// elements are the elements of lists that are left out when no column gives them a value.
	elements []listElement
}

// fieldRule sets one field from an expression. For an external key the expression gives the id.
type fieldRule struct {
	path fieldPath
	// source of an external key.
	source string
	value  *expression
	// required fields reject the row when they are blank.
	required bool
	// elements are those that the field is a part of, as positions in Feed.elements.
	elements []int
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
	got := make([]bool, len(f.elements))
	for _, rule := range f.fields {
		set, err := rule.apply(record.ProtoReflect(), row)
		if err != nil {
			faults = append(faults, fault(rule.path.name, rule.value, err))
		}
		for _, at := range rule.elements {
			got[at] = got[at] || set
		}
	}
	if len(faults) > 0 {
		return nil, &FaultsError{Faults: faults}
	}
	f.leaveOut(record.ProtoReflect(), got)
	return record, nil
}

// ColumnsOf returns the titles of the columns that feed a field, given by its path in the record. A rejected
// "account_key.external_id" is found by "account_key", a rejected "amount" also by "amount.units". Of a list all elements
// are meant: where one was left out, those behind it have other places in the record than in the mapping.
func (f *Feed) ColumnsOf(field string) []string {
	var out []string
	field = plainPath(field)
	for _, rule := range f.fields {
		name := plainPath(rule.path.name)
		if name == field || strings.HasPrefix(field, name+".") || strings.HasPrefix(name, field+".") {
			for _, title := range rule.value.uses {
				if !slices.Contains(out, title) {
					out = append(out, title)
				}
			}
		}
	}
	return out
}

var (
	elementIndex = regexp.MustCompile(`\[[0-9]+\]`)
	entryKey     = regexp.MustCompile(`\["([^"]*)"\]`)
)

// plainPath leaves the places in lists out, and writes entries of maps as mappings do.
func plainPath(path string) string {
	if !strings.Contains(path, "[") {
		return path
	}
	return entryKey.ReplaceAllString(elementIndex.ReplaceAllString(path, ""), ".$1")
}

var errBlank = errors.New("has no value")

// apply evaluates the rule and sets the field; a blank value leaves it unset.
func (rule fieldRule) apply(record protoreflect.Message, row *Row) (set bool, err error) {
	t, err := rule.value.text(row)
	if err != nil {
		return false, err
	}
	if blank(t) {
		if rule.required {
			return false, errBlank
		}
		return false, nil
	}
	if rule.path.reference() {
		key := &crmv1.ExternalKey{Source: rule.source, ExternalId: t}
		rule.path.set(record, protoreflect.ValueOfMessage(key.ProtoReflect()))
		return true, nil
	}
	value, err := rule.path.leaf.parse(t)
	if err != nil {
		return false, err
	}
	rule.path.set(record, value)
	return true, nil
}

func fault(field string, e *expression, err error) Fault {
	return Fault{Field: field, Columns: e.uses, Reason: err.Error()}
}
