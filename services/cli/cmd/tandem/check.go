package main

import (
	"fmt"
	"strings"

	"tandem.bank/services/cli/internal/mapping"
)

// CheckCmd groups the checks.
type CheckCmd struct {
	Mapping CheckMappingCmd `cmd:"" help:"Check a mapping file and say what it loads."`
}

// CheckMappingCmd checks a mapping without any data.
type CheckMappingCmd struct {
	File string `arg:"" placeholder:"NAME|FILE" help:"Mapping file, or the name of a built-in mapping."`
}

// Run prints what the mapping loads, or its mistakes.
func (c *CheckMappingCmd) Run(app *App) error {
	m, err := mapping.Open(c.File)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(app.Out, "%s is in order. %s\n", m.Name, m.Description)
	if len(m.Constants) > 0 {
		_, _ = fmt.Fprintf(app.Out, "  %d records of its own\n", len(m.Constants))
	}
	for _, file := range m.Files {
		var entities []string
		for _, feed := range file.Feeds {
			entities = append(entities, string(feed.Entity))
		}
		_, _ = fmt.Fprintf(app.Out, "  %s → %s\n", strings.Join(file.Match, ", "), strings.Join(entities, ", "))
	}
	for _, ignored := range m.Ignored {
		_, _ = fmt.Fprintf(app.Out, "  %s is left out: %s\n", strings.Join(ignored.Match, ", "), ignored.Reason)
	}
	return nil
}
