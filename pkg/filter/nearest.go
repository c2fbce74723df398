package filter

// Nearest returns the name most like a wrong one, for a hint in an error; empty when none is.
func Nearest(wrong string, names []string) string { return nearest(wrong, names) }
