package filter

// dialect is what differs between databases.
type dialect interface {
	// bind keeps a value and returns SQL that stands for it.
	bind(kind Kind, value any) string
	// moment is a day or an instant relative to now.
	moment(kind Kind, m moment) string
	// differs is true also where the column is unknown, and never unknown itself.
	differs(column, value string) string
	// contains looks for a text in a text, whatever the case of the letters.
	contains(column, value string) string
	// element looks for a value among many.
	element(field *Field, value string) string
	// isSet asks whether there is a value: text columns hold '' where nothing is known.
	isSet(field *Field) string
	// untrue is true where a condition is false or unknown.
	untrue(condition string) string
	// exists asks for a related record with a condition, or for any at all when it is empty.
	exists(related *Related, condition string) string
}
