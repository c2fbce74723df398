package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// customersPerManager is the length of the list that the filter of ListCustomers selects; a page of it is read.
const customersPerManager = 400

const (
	customersFile  = "customers"
	customersTitle = "id,party,state,region,branch,manager,phone,email,customer_since,given_name,family_name,birth_date,sex,occupation," +
		"monthly_income,income_currency,legal_name,registration_number,industry_nace,employees,annual_turnover,turnover_currency,founded," +
		"given_name_latin,family_name_latin,citizenship,marital_status,dependants,education_level,employer_name,position,employed_since," +
		"income_source,legal_form,preferred_channel,preferred_language,street,city,postal_code,work_phone,other_bank,other_bank_family,left"
	contractsTitle = "id,kind,state,account,product,amount,instalment,currency,duration_months,opened,closed,purpose," +
		"counterparty_bank,counterparty_account"
	interactionsTitle = "id,customer,kind,channel,opened_time,manager,account,subject,text,outcome,duration_seconds,topic,priority," +
		"first_answer_time,resolved_time,due_time,satisfaction"
)

// file is one file of the bank: a title and a line for each number, without an end for numbers that have none.
type file struct {
	name, title string
	rows        int
	line        func(n int) string
}

// bankFiles describe a bank of so many customers in the form of the importer's demo mapping. It is regular on purpose: the
// generated bank of `tandem demo` is believable, and its two years of transactions would take hours at this size.
func bankFiles(customers int) []file {
	managers := max(1, customers/customersPerManager)
	return []file{
		{"regions", "id,name,parent_name,latitude,longitude,population,average_salary", 10, func(n int) string {
			return fmt.Sprintf("R%d,Region %d,,50.1,14.4,100000,", n, n)
		}},
		{"branches", "id,name,region,latitude,longitude", 50, func(n int) string {
			return fmt.Sprintf("B%d,Branch %d,R%d,,", n, n, n%10)
		}},
		{"managers", "id,name,branch", managers, func(n int) string {
			return fmt.Sprintf("M%d,Manager %d,B%d", n, n, n%50)
		}},
		{"products", "id,code,name,family,currency,margin,valid_from,valid_to", 2, func(n int) string {
			return fmt.Sprintf("P%d,%s,Product %d,%s,CZK,,,", n, []string{"CUR", "CRD"}[n], n, []string{"current_account", "card"}[n])
		}},
		{customersFile, customersTitle, customers, func(n int) string {
			return fmt.Sprintf("C%d,individual,%s,R%d,B%d,M%d,+4206%08d,c%d@example.org,2019-03-%02d,"+
				"Jana,Nováková %d,19%02d-05-%02d,female,engineer,%d.00,CZK,,,,,,,,,,CZ,,,,,,,,,,,,,,,,,",
				n, []string{"active", "active", "active", "former"}[n/managers%4], n%10, n%50, n%managers, n, n, n%28+1, n, n%60+40, n%28+1, 20000+n%50000)
		}},
		{"accounts", "id,number,currency,product,region,branch,state,statement_frequency,opened,closed", customers, func(n int) string {
			return fmt.Sprintf("A%d,%d,CZK,P0,R%d,B%d,open,monthly,2019-03-%02d,", n, 10000000+n, n%10, n%50, n%28+1)
		}},
		{"account_holders", "id,account,customer,role,valid_from,valid_to", customers, func(n int) string {
			return fmt.Sprintf("H%d,A%d,C%d,owner,2019-03-%02d,", n, n, n, n%28+1)
		}},
		{"cards", "id,token,first6,last4,scheme,product,account_holder,state,issued,expiry,closed", customers / 2, func(n int) string {
			return fmt.Sprintf("K%d,tok%d,411111,%04d,visa,P1,H%d,active,2024-01-01,2028-01-01,", n, n, n%10000, 2*n)
		}},
		{
			"contracts", contractsTitle,
			customers / 5, func(n int) string {
				return fmt.Sprintf("L%d,loan,running,A%d,,120000.00,5000.00,CZK,24,2025-01-%02d,,car,,", n, 5*n, n%28+1)
			},
		},
		{"interactions", interactionsTitle, 3 * customers, func(n int) string {
			return fmt.Sprintf("I%d,C%d,call,phone,2026-03-%02dT10:%02d:00Z,M%d,,About the account,%s,done,300,,,,,,",
				n, n%customers, n%28+1, n%60, n%managers, strings.Repeat("The customer asked about the terms. ", 3))
		}},
	}
}

// write makes the file and returns its path.
func (f file) write(dir string) (path string, err error) {
	path = filepath.Join(dir, f.name+".csv")
	out, err := os.Create(path)
	if err != nil {
		return "", err
	}
	w := bufio.NewWriterSize(out, 1<<20)
	_, _ = fmt.Fprintln(w, f.title) // a failure shows in Flush
	for n := range f.rows {
		_, _ = fmt.Fprintln(w, f.line(n))
	}
	if err := w.Flush(); err != nil {
		_ = out.Close()
		return "", err
	}
	return path, out.Close()
}
