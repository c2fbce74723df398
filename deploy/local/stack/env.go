package stack

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// WriteEnv writes NAME=VALUE lines for shells and tests. Readers see the old file or the new one, never half.
func WriteEnv(file string, env []string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("create the folder of %s: %w", file, err)
	}
	text := envText(env)
	part := file + ".part"
	if err := os.WriteFile(part, text, 0o644); err != nil {
		return fmt.Errorf("write the addresses: %w", err)
	}
	if err := os.Rename(part, file); err != nil {
		return fmt.Errorf("write the addresses: %w", err)
	}
	return nil
}

// RemoveEnv removes the file when it still holds these lines: somebody else may have written it since.
func RemoveEnv(file string, env []string) error {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && !bytes.Equal(text, envText(env))) {
		return nil
	}
	if err == nil {
		err = os.Remove(file)
	}
	if err != nil {
		return fmt.Errorf("remove the addresses: %w", err)
	}
	return nil
}

func envText(env []string) []byte {
	return []byte(strings.Join(env, "\n") + "\n")
}
