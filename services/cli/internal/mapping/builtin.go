package mapping

import (
	"embed"
	"fmt"
	"os"
	"slices"
	"strings"
)

//go:embed builtin/*.yaml
var builtin embed.FS

// Builtin lists the names of the mappings that come with Tandem.
func Builtin() []string {
	entries, err := builtin.ReadDir("builtin")
	if err != nil {
		return nil
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = strings.TrimSuffix(entry.Name(), ".yaml")
	}
	slices.Sort(names)
	return names
}

// Open loads a built-in mapping by its name, or a mapping file by its path.
func Open(nameOrPath string) (*Mapping, error) {
	if slices.Contains(Builtin(), nameOrPath) {
		file := "builtin/" + nameOrPath + ".yaml"
		content, err := builtin.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("mapping %s: %w", nameOrPath, err)
		}
		return Load(nameOrPath+".yaml", content)
	}
	content, err := os.ReadFile(nameOrPath)
	if err != nil {
		return nil, fmt.Errorf("mapping %q is neither a file nor one of the built-in %s: %w", nameOrPath, strings.Join(Builtin(), ", "), err)
	}
	return Load(nameOrPath, content)
}
