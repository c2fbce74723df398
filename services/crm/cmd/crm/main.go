// Command crm is the operational half of Tandem: the single customer base of a bank, on Postgres.
package main

import (
	"tandem.bank/pkg/program"
	"tandem.bank/services/crm/internal/app"
)

func main() {
	program.Main(program.Service[app.Config]{
		Name: "crm", Description: "The operational half of Tandem.", Serve: app.Serve, Migrate: app.Migrate,
	})
}
