package bank

import "strconv"

// bankCode is the code of this bank in account numbers; no Czech bank has it.
const bankCode = "9990"

// otherBanks are codes of banks that pay and are paid.
var otherBanks = []string{"0100", "0300", "0600", "0800", "2010", "3030", "5500", "6210"}

const accountNumberDigits = 10

// weights of the digits of a Czech account number: their weighted sum is a multiple of 11 (decree 169/2011 of the
// Czech National Bank).
var accountWeights = [accountNumberDigits]int64{6, 3, 7, 9, 10, 5, 8, 4, 2, 1}

// weightedSum adds up the digits of an account number by their weights, modulo 11.
func weightedSum(number int64) int64 {
	sum := int64(0)
	for i := accountNumberDigits - 1; i >= 0; i-- {
		sum += number % 10 * accountWeights[i]
		number /= 10
	}
	return sum % 11
}

// accountNumber gives customer k's account j a number of its own with a right check digit. Multiplying by a number
// prime to 10 shuffles nine digits without collisions; one base in eleven has no check digit, then the next is taken.
func accountNumber(k, j int) int64 {
	const multiplier, offset, size = 387420489, 123456789, 1_000_000_000
	for attempt := int64(0); ; attempt++ {
		base := (int64(k)*100+int64(j)*10+attempt)%size*multiplier%size + offset
		number := base % size * 10
		if digit := (11 - weightedSum(number)) % 11; digit < 10 && number >= size {
			return number + digit
		}
	}
}

// strangerNumber turns a draw into an account number with a wrong check digit: nobody has it.
func strangerNumber(draw int64) int64 {
	number := 2_000_000_000 + draw%8_000_000_000
	if weightedSum(number) == 0 {
		number ^= 1
	}
	return number
}

// iban builds the IBAN of an account of this bank: CZ, two check digits, bank code, prefix of six zeros, number.
func iban(number int64) string {
	account := bankCode + "000000" + padded(number, accountNumberDigits)
	// ISO 13616: the check digits make account + "CZ" as digits (12 35) + check leave the rest 1 modulo 97.
	rest := 0
	for _, digit := range account + "123500" {
		rest = (rest*10 + int(digit-'0')) % 97
	}
	return "CZ" + padded(int64(98-rest), 2) + account
}

// registrationNumber gives customer k an IČO of its own: seven digits and a check digit. As in accountNumber, the
// multiplier is prime to the size, so that no two customers share one.
func registrationNumber(k int) string {
	const multiplier, first, size = 7368787, 1_000_000, 9_000_000
	base := int64(k)*multiplier%size + first
	sum, left := int64(0), base
	for weight := int64(2); weight <= 8; weight++ {
		sum += left % 10 * weight
		left /= 10
	}
	check := (11 - sum%11) % 10
	return padded(base*10+check, 8)
}

// padded writes a number with leading zeros.
func padded(number int64, digits int) string {
	var room [24]byte
	text := strconv.AppendInt(room[:0], number, 10)
	for len(text) < digits {
		text = append(text, 0)
		copy(text[1:], text)
		text[0] = '0'
	}
	return string(text)
}
