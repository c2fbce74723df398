package transaction

import "fmt"

// closingSQL reads one column of what is known last of an account's balance at the end of a day, by the rules of history.sql.
const closingSQL = `(SELECT %[1]s FROM (
        SELECT t.business_date, t.balance_after FROM transaction t
        WHERE t.account_id = %[2]s AND t.business_date <= %[3]s AND t.balance_after IS NOT NULL AND t.state = 'posted'
        ORDER BY t.business_date DESC, t.transaction_id DESC LIMIT 1
    ) r FULL JOIN (
        SELECT * FROM account_balance_day d WHERE d.account_id = %[2]s AND d.business_date <= %[3]s
        ORDER BY d.business_date DESC LIMIT 1
    ) s USING (business_date) ORDER BY business_date DESC LIMIT 1)`

// ClosingBalance is the ledger balance of an account at the end of a day, as an expression over an account's id and a day; it
// follows from the movements that are known now, those that came late among them. Null when nothing is known of it.
func ClosingBalance(accountID, day string) string {
	return fmt.Sprintf(closingSQL, "CASE WHEN s.closing THEN s.stated ELSE coalesce(r.balance_after, s.settled, s.stated) END", accountID, day)
}

// ClosingDate is the day that ClosingBalance is known from.
func ClosingDate(accountID, day string) string {
	return fmt.Sprintf(closingSQL, "business_date", accountID, day)
}
