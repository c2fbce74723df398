package taxid

// czech knows registration numbers (IČO, 8 digits: weights 8 to 2, modulo 11) and birth numbers (act 133/2000: 10 digits
// are divisible by 11, or, until 1985, the first nine leave 10 and the last is 0; 9 digits, before 1954, have no check).
func czech(n string) bool {
	switch len(n) {
	case 8:
		return (11-sum(n, 8, 7, 6, 5, 4, 3, 2)%11)%10 == last(n)
	case 9:
		return true
	case 10:
		return remainder(n, 11) == 0 || (remainder(n[:9], 11) == 10 && last(n) == 0)
	default:
		return false
	}
}

// slovak knows birth and registration numbers, which follow the Czech rules, and the tax number (DIČ, 10 digits that do
// not begin with 0), which has no public check.
func slovak(n string) bool {
	if len(n) == 10 {
		return n[0] != '0' || czech(n)
	}
	return czech(n)
}

// polish knows NIP (10 digits: weights 6 5 7 2 3 4 5 6 7, modulo 11) and PESEL (11 digits: weights 1 3 7 9, modulo 10).
func polish(n string) bool {
	switch len(n) {
	case 10:
		return sum(n, 6, 5, 7, 2, 3, 4, 5, 6, 7)%11 == last(n)
	case 11:
		return (10-sum(n, 1, 3, 7, 9, 1, 3, 7, 9, 1, 3)%10)%10 == last(n)
	default:
		return false
	}
}

// ukrainian knows the number of a taxpayer (RNOKPP, 10 digits: weights −1 5 7 9 4 6 10 5 7, modulo 11, then 10), the
// register number of a company (EDRPOU, 8 digits) and the VAT number (12 digits, without a public check).
func ukrainian(n string) bool {
	switch len(n) {
	case 8:
		return edrpou(n) == last(n)
	case 10:
		return (sum(n, -1, 5, 7, 9, 4, 6, 10, 5, 7)%11+11)%11%10 == last(n)
	case 12:
		return true
	default:
		return false
	}
}

// edrpou weighs by 1 to 7, between 30 000 000 and 60 000 000 by 7 1 2 3 4 5 6, modulo 11; a remainder of 10 is weighed
// again with two more.
func edrpou(n string) int {
	weights := []int{1, 2, 3, 4, 5, 6, 7}
	if n >= "30000000" && n <= "60000000" {
		weights = []int{7, 1, 2, 3, 4, 5, 6}
	}
	check := sum(n, weights...) % 11
	if check < 10 {
		return check
	}
	for i := range weights {
		weights[i] += 2
	}
	return sum(n, weights...) % 11 % 10
}

// russian knows the taxpayer's number of companies (INN, 10 digits) and of persons (12 digits, two check digits).
func russian(n string) bool {
	switch len(n) {
	case 10:
		return sum(n, 2, 4, 10, 3, 5, 9, 4, 6, 8)%11%10 == last(n)
	case 12:
		return sum(n, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)%11%10 == int(n[10]-'0') && sum(n, 3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)%11%10 == last(n)
	default:
		return false
	}
}
