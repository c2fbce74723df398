package stack

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// WriteEnv writes NAME=VALUE lines for shells and tests. Readers see the old file or the new one, never half.
func WriteEnv(file string, env []string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("create the folder of %s: %w", file, err)
	}
	part := file + ".part"
	if err := os.WriteFile(part, []byte(strings.Join(env, "\n")+"\n"), 0o644); err != nil {
		return fmt.Errorf("write the addresses: %w", err)
	}
	if err := os.Rename(part, file); err != nil {
		return fmt.Errorf("write the addresses: %w", err)
	}
	return nil
}
