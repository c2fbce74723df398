// Command analytics is the analytical half of Tandem: it follows the changes of the operational half into ClickHouse,
// computes, and sends results home.
package main

import (
	"tandem.bank/pkg/program"
	"tandem.bank/services/analytics/internal/app"
)

func main() {
	program.Main(program.Service[app.Config]{
		Name: "analytics", Description: "The analytical half of Tandem.", Serve: app.Serve, Migrate: app.Migrate,
	})
}
