package sight

import "strings"

// Bind adds an argument to a statement and returns its place.
type Bind func(value any) string

// Belonging says in SQL which rows of a table belong to customers that are seen.
type Belonging func(rows Rows, bind Bind) string

// Everybody is for what belongs to no customer: branches, products.
func Everybody(Rows, Bind) string { return "true" }

// Customers is for the table of customers itself, and for statements that join it without another name.
func Customers(rows Rows, bind Bind) string { return customers("", rows, bind) }

func customers(prefix string, rows Rows, bind Bind) string {
	var ways []string
	if len(rows.BranchIDs) > 0 {
		ways = append(ways, prefix+"branch_id = ANY("+bind(rows.BranchIDs)+")")
	}
	if len(rows.ManagerIDs) > 0 {
		ways = append(ways, prefix+"manager_id = ANY("+bind(rows.ManagerIDs)+")")
	}
	return either(ways...)
}

// ByCustomer is for rows that name a customer in a column, which is named with its table: alone, the name would be that of the
// customer's own column, and everybody's rows would be seen.
func ByCustomer(column string) Belonging {
	if !strings.Contains(column, ".") {
		panic("sight: " + column + " is named without its table")
	}
	return func(rows Rows, bind Bind) string {
		// Found by the row's number, not the other way round: a page of rows asks for as many customers. That holds beside
		// an OR as well, where an IN would read all customers who are seen.
		return "EXISTS (SELECT FROM customer seen WHERE seen.customer_id = " + column + " AND " + customers("seen.", rows, bind) + ")"
	}
}

// ByAccount is for rows that name an account in a column.
func ByAccount(column string) Belonging {
	return func(rows Rows, bind Bind) string {
		return column + " IN (SELECT seen_holder.account_id FROM account_holder seen_holder JOIN customer seen USING (customer_id) WHERE " +
			lasting + " AND " + customers("seen.", rows, bind) + ")"
	}
}

// ByContract is for rows that name a contract in a column.
func ByContract(column string) Belonging { return byContract(column, Contracts) }

// OwnContract is for rows that name a contract in a column, and are only those of who may write the contract.
func OwnContract(column string) Belonging { return byContract(column, OwnContracts) }

func byContract(column string, contracts Belonging) Belonging {
	return func(rows Rows, bind Bind) string {
		return "EXISTS (SELECT FROM contract WHERE contract.contract_id = " + column + " AND " + contracts(rows, bind) + oneByOne + ")"
	}
}

// Contracts is for the table of contracts itself: those of accounts that a customer who is seen holds, and those to which
// such a customer is a party, in any role.
func Contracts(rows Rows, bind Bind) string {
	return either(contractHolders(rows, bind), contractParties("", rows, bind))
}

// OwnContracts are the contracts that a caller may write: of the parties only those whose contract it is. Who stands surety
// or benefits sees the contract, and changes nothing.
func OwnContracts(rows Rows, bind Bind) string {
	const principal = " AND seen_party.role NOT IN ('guarantor', 'beneficiary', 'representative')"
	return either(contractHolders(rows, bind), contractParties(principal, rows, bind))
}

func contractHolders(rows Rows, bind Bind) string {
	return "EXISTS (SELECT FROM account_holder seen_holder JOIN customer seen USING (customer_id)" +
		" WHERE seen_holder.account_id = contract.account_id AND " + lasting + " AND " + customers("seen.", rows, bind) + oneByOne + ")"
}

func contractParties(condition string, rows Rows, bind Bind) string {
	return "EXISTS (SELECT FROM contract_party seen_party JOIN customer seen USING (customer_id)" +
		" WHERE seen_party.contract_id = contract.contract_id AND (seen_party.valid_to IS NULL OR seen_party.valid_to >= current_date)" +
		condition + " AND " + customers("seen.", rows, bind) + oneByOne + ")"
}

// lasting leaves out holdings that are over: what a former holder does with the account is not theirs any more.
const lasting = "(seen_holder.valid_to IS NULL OR seen_holder.valid_to >= current_date)"

// oneByOne ends an EXISTS that is asked of each row by an index. Without it the planner would work out beforehand, beside an OR
// and in spite of a LIMIT, what everybody holds: a page of rows would read all holders of the bank.
const oneByOne = " OFFSET 0"

// Accounts is for the table of accounts itself: those that a customer who is seen holds, and those of the caller's branch
// that nobody holds yet.
func Accounts(rows Rows, bind Bind) string {
	held := "EXISTS (SELECT FROM account_holder seen_holder JOIN customer seen USING (customer_id)" +
		" WHERE seen_holder.account_id = account.account_id AND " + lasting + " AND " + customers("seen.", rows, bind) + oneByOne + ")"
	if rows.HomeID == 0 {
		return held
	}
	return held + " OR account.branch_id = " + bind(rows.HomeID) +
		" AND NOT EXISTS (SELECT FROM account_holder seen_holder WHERE seen_holder.account_id = account.account_id" + oneByOne + ")"
}

// Any is for rows that are seen in several ways.
func Any(ways ...Belonging) Belonging {
	return func(rows Rows, bind Bind) string {
		parts := make([]string, len(ways))
		for i, way := range ways {
			parts[i] = way(rows, bind)
		}
		return either(parts...)
	}
}

// All is for rows that need several things to be seen.
func All(ways ...Belonging) Belonging {
	return func(rows Rows, bind Bind) string {
		parts := make([]string, len(ways))
		for i, way := range ways {
			parts[i] = "(" + way(rows, bind) + ")"
		}
		return strings.Join(parts, " AND ")
	}
}

// Unset is for rows that leave a column empty.
func Unset(column string) Belonging {
	return func(Rows, Bind) string { return column + " IS NULL" }
}

func either(ways ...string) string {
	switch len(ways) {
	case 0:
		return "false"
	case 1:
		return ways[0]
	}
	return "(" + strings.Join(ways, " OR ") + ")"
}
