package auth

// Names of roles, as tokens carry them. They are a contract with the identity provider; what a role may do is for each
// service to say.
const (
	RoleFrontOffice   = "front_office"
	RoleManager       = "manager"
	RoleAnalyst       = "analyst"
	RoleMarketer      = "marketer"
	RoleOperations    = "operations"
	RoleAdministrator = "administrator"
)

// Roles returns every known role.
func Roles() []string {
	return []string{RoleFrontOffice, RoleManager, RoleAnalyst, RoleMarketer, RoleOperations, RoleAdministrator}
}
