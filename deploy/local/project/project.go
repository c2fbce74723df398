// Package project finds the folders of this source tree that the local stack needs at run time.
package project

import (
	"errors"
	"os"
	"path/filepath"
)

// ErrNoRoot says that neither the working folder nor one above it is the project.
var ErrNoRoot = errors.New("not inside the project: no deploy/local/go.mod in this folder or one above it; use --root")

// Root walks up from dir to the folder that holds deploy/local.
func Root(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for {
		if isRoot(dir) {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", ErrNoRoot
		}
		dir = parent
	}
}

func isRoot(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "deploy", "local", "go.mod"))
	return err == nil
}
