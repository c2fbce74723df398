package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// cacheDir holds copies of Postgres that everybody on the machine may run. Only root makes and needs them.
const cacheDir = "/var/cache/tandem"

// copyPrograms copies Postgres out of a private folder, once per version.
func copyPrograms(dir string) (string, error) {
	manifest, err := os.ReadFile(filepath.Join(dir, "..", "package.json"))
	if err != nil {
		return "", fmt.Errorf("read the Postgres package: %w", err)
	}
	sum := sha256.Sum256(manifest)
	target := filepath.Join(cacheDir, "postgres-"+hex.EncodeToString(sum[:6]))
	if _, err := os.Stat(target); err == nil {
		return target, nil
	}

	if err := os.MkdirAll(cacheDir, 0o755); err != nil {
		return "", fmt.Errorf("create %s for a copy of Postgres that user %s can run: %w", cacheDir, unprivileged, err)
	}
	// Complete or absent: the copy gets its name only when it is whole.
	part, err := os.MkdirTemp(cacheDir, "part-")
	if err != nil {
		return "", fmt.Errorf("copy Postgres: %w", err)
	}
	defer func() { _ = os.RemoveAll(part) }()
	if err := os.CopyFS(filepath.Join(part, "native"), os.DirFS(dir)); err != nil {
		return "", fmt.Errorf("copy Postgres to %s: %w", cacheDir, err)
	}
	err = os.Rename(filepath.Join(part, "native"), target)
	if errors.Is(err, fs.ErrExist) {
		return target, nil // somebody else was quicker
	}
	if err != nil {
		return "", fmt.Errorf("copy Postgres to %s: %w", target, err)
	}
	return target, nil
}
