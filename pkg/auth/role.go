package auth

import (
	"slices"
	"strings"
)

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

// rolesIn reads known roles from a claim: a list of texts, or one text with spaces between. The claim is named as it is,
// dots included, or by a path of names. Identity providers put many more roles into tokens; those mean nothing here.
func rolesIn(claims map[string]any, name string) []string {
	value, has := claims[name]
	for part := range strings.SplitSeq(name, ".") {
		if has {
			break
		}
		inner, ok := claims[part].(map[string]any)
		if !ok {
			return nil
		}
		claims, name = inner, name[len(part)+1:]
		value, has = claims[name]
	}
	var named []string
	switch value := value.(type) {
	case string:
		named = strings.Fields(value)
	case []any:
		for _, one := range value {
			if text, ok := one.(string); ok {
				named = append(named, text)
			}
		}
	}
	known := Roles()
	return slices.DeleteFunc(known, func(role string) bool { return !slices.Contains(named, role) })
}
