package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by the linker in releases.
var version = "dev"

// VersionCmd prints the version.
type VersionCmd struct{}

// Run prints version, commit and Go's version.
func (VersionCmd) Run(app *App) error {
	commit := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				commit = setting.Value
			}
		}
	}
	_, err := fmt.Fprintf(app.Out, "tandem %s, commit %s, %s\n", version, commit, runtime.Version())
	return err
}
