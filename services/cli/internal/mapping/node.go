package mapping

import (
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// text is a scalar with its place in the file.
type text struct {
	value string
	node  *yaml.Node
}

// entry is one key of a YAML mapping with its value.
type entry struct {
	key   text
	value *yaml.Node
}

// reader walks the nodes of a mapping file and collects what is wrong with them.
type reader struct {
	problems
}

// object calls the handler of each key; keys without a handler and repeated keys are problems.
func (r *reader) object(node *yaml.Node, what string, handlers map[string]func(*yaml.Node)) {
	for _, e := range r.entries(node, what) {
		handle, ok := handlers[e.key.value]
		if !ok {
			r.at(e.key.node, "%s has no key %q%s", what, e.key.value, nearest(e.key.value, sortedKeys(handlers)))
			continue
		}
		handle(e.value)
	}
}

// entries returns the keys of a YAML mapping in order.
func (r *reader) entries(node *yaml.Node, what string) []entry {
	node = resolve(node)
	if node.Kind != yaml.MappingNode {
		r.at(node, "%s must be written as `key: value` lines", what)
		return nil
	}
	out := make([]entry, 0, len(node.Content)/2)
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := text{value: node.Content[i].Value, node: node.Content[i]}
		switch {
		case key.node.Kind != yaml.ScalarNode:
			r.at(key.node, "a key of %s must be a plain text", what)
		case seen[key.value]:
			r.at(key.node, "%s has the key %q twice", what, key.value)
		default:
			seen[key.value] = true
			out = append(out, entry{key: key, value: node.Content[i+1]})
		}
	}
	return out
}

// list returns the items of a YAML list.
func (r *reader) list(node *yaml.Node, what string) []*yaml.Node {
	node = resolve(node)
	if node.Kind != yaml.SequenceNode {
		r.at(node, "%s must be a list", what)
		return nil
	}
	return node.Content
}

// text returns a scalar as it is written; numbers and booleans are texts too.
func (r *reader) text(node *yaml.Node, what string) text {
	node = resolve(node)
	if node.Kind != yaml.ScalarNode || node.Tag == "!!null" {
		r.at(node, "%s must be a plain text", what)
		return text{node: node}
	}
	return text{value: node.Value, node: node}
}

// texts returns a list of texts; one text alone stands for a list of one.
func (r *reader) texts(node *yaml.Node, what string) []text {
	if resolve(node).Kind == yaml.ScalarNode {
		return []text{r.text(node, what)}
	}
	items := r.list(node, what)
	out := make([]text, len(items))
	for i, item := range items {
		out[i] = r.text(item, what)
	}
	return out
}

func (r *reader) flag(node *yaml.Node, what string) *bool {
	t := r.text(node, what)
	if t.value != "true" && t.value != "false" {
		r.at(node, "%s must be true or false, not %q", what, t.value)
		return nil
	}
	on := t.value == "true"
	return &on
}

func (r *reader) number(node *yaml.Node, what string, most int) *int {
	t := r.text(node, what)
	n, err := strconv.Atoi(t.value)
	if err != nil || n < 0 || n > most {
		r.at(node, "%s must be a whole number from 0 to %d, not %q", what, most, t.value)
		return nil
	}
	return &n
}

// resolve follows a YAML alias to what it stands for.
func resolve(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
