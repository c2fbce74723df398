package access

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	datepb "google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// way is how a part of a field is shown.
type way struct {
	name string
	// text shows a part of a text; nil when the way is not for texts.
	text func(string) string
	// date says that the way is for dates.
	date bool
}

// gap stands for what is left out, covered for a text of which nothing is shown.
const (
	gap     = "…"
	covered = "•••"
)

var ways = map[string]way{
	"phone":   {name: "phone", text: func(s string) string { return ends(s, 4, 3) }},
	"ends":    {name: "ends", text: func(s string) string { return ends(s, 4, 4) }},
	"email":   {name: "email", text: maskEmail},
	"initial": {name: "initial", text: initial},
	"year":    {name: "year", date: true},
	"hidden":  {name: "hidden"},
}

func wayNames() []string { return slices.Sorted(maps.Keys(ways)) }

// fits says whether a field can be shown this way.
func (w way) fits(f protoreflect.FieldDescriptor) bool {
	switch {
	case w.text != nil:
		return f.Kind() == protoreflect.StringKind && !f.IsMap()
	case w.date:
		return f.Kind() == protoreflect.MessageKind && !f.IsList() && f.Message().FullName() == (*datepb.Date)(nil).ProtoReflect().Descriptor().FullName()
	}
	return true
}

// ends shows the first and the last characters of a text that is long enough to hide more than it shows.
func ends(text string, first, last int) string {
	runes := []rune(text)
	if len(runes) < 2*(first+last)-4 {
		return covered
	}
	return string(runes[:first]) + gap + string(runes[len(runes)-last:])
}

// maskEmail shows the first letter and the domain.
func maskEmail(text string) string {
	name, domain, found := strings.Cut(text, "@")
	if !found || name == "" {
		return covered
	}
	first, _ := utf8.DecodeRuneInString(name)
	return string(first) + gap + "@" + domain
}

func initial(text string) string {
	first, _ := utf8.DecodeRuneInString(text)
	return string(first) + "."
}

// apply shows a set field of a message in part, or not at all.
func (w way) apply(m protoreflect.Message, f protoreflect.FieldDescriptor) {
	switch {
	case w.date:
		whole := m.Get(f).Message()
		year := whole.Type().New()
		field := whole.Descriptor().Fields().ByName("year")
		year.Set(field, whole.Get(field))
		m.Set(f, protoreflect.ValueOfMessage(year))
	case f.Kind() != protoreflect.StringKind || f.IsMap():
		m.Clear(f)
	case f.IsList():
		list := m.Mutable(f).List()
		for i := range list.Len() {
			list.Set(i, protoreflect.ValueOfString(w.show(list.Get(i).String())))
		}
	default:
		m.Set(f, protoreflect.ValueOfString(w.show(m.Get(f).String())))
	}
}

func (w way) show(text string) string {
	switch {
	case text == "":
		return ""
	case w.text == nil:
		return covered
	}
	return w.text(text)
}

// made says whether a set field holds what the way, or hiding, leaves of a value: nobody writes that on purpose.
func (w way) made(m protoreflect.Message, f protoreflect.FieldDescriptor) bool {
	switch {
	case f.IsMap():
		return false
	case f.Kind() == protoreflect.StringKind && f.IsList():
		list := m.Get(f).List()
		for i := range list.Len() {
			if w.madeText(list.Get(i).String()) {
				return true
			}
		}
		return false
	case f.Kind() == protoreflect.StringKind:
		return w.madeText(m.Get(f).String())
	case w.date:
		day := m.Get(f).Message()
		part := func(name protoreflect.Name) int64 { return day.Get(day.Descriptor().Fields().ByName(name)).Int() }
		return part("year") != 0 && part("month") == 0 && part("day") == 0
	}
	return false
}

func (w way) madeText(text string) bool {
	switch {
	case text == covered:
		return true
	case w.text == nil:
		return false
	case w.name == "initial":
		return text != "" && text == initial(text)
	}
	return strings.Contains(text, gap)
}
