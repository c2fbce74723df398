package account

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// ibanLengthMin and ibanLengthMax bound an IBAN (ISO 13616): the shortest in the registry has 15 characters.
const (
	ibanLengthMin = 15
	ibanLengthMax = 34
)

var (
	// ibanLike is what nobody but the owner of an IBAN writes: a country, two check digits, letters and digits.
	ibanLike = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[A-Z0-9]*$`)
	// localNumber is a number in a bank's own form, for example "19-2000145399/0800".
	localNumber = regexp.MustCompile(`^[0-9A-Za-z](?:[0-9A-Za-z ./-]*[0-9A-Za-z])?$`)

	// czechNumber is an account of a Czech bank: a prefix if there is one, the number, and the four digits of the bank.
	czechNumber = regexp.MustCompile(`^(?:([0-9]{1,6})-)?([0-9]{2,10})/[0-9]{4}$`)

	errIBANLength = errors.New("looks like an IBAN, but is too short or too long")
	errIBANCheck  = errors.New("looks like an IBAN, but its check digits are wrong")
	errCzechCheck = errors.New("looks like a Czech account, but the check by 11 fails")
	errNumber     = errors.New("must be an IBAN or a local number of letters, digits, spaces, '.', '-' and '/'")
)

// readNumber checks an account number. An IBAN is stored without its spaces and in capitals, so that it can be found in
// any usual spelling; a local number stays as the bank writes it. An empty number is none.
func readNumber(text string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", nil
	}
	compact := strings.ToUpper(strings.ReplaceAll(text, " ", ""))
	if ibanLike.MatchString(compact) {
		return compact, checkIBAN(compact)
	}
	if !localNumber.MatchString(text) {
		return text, errNumber
	}
	return text, checkCzech(text)
}

// czechWeights are those of the digits of a number, the last digit first; a prefix has the last six of them.
var czechWeights = [10]int{1, 2, 4, 8, 5, 10, 9, 7, 3, 6}

// checkCzech verifies number and prefix of a Czech account: each, with its digits weighted, is divisible by 11 (decree
// 169/2011 of the Czech National Bank, § 2). Local numbers of another form have no check that is known here.
func checkCzech(text string) error {
	parts := czechNumber.FindStringSubmatch(text)
	if parts == nil {
		return nil
	}
	for i, what := range []string{"prefix", "number"} {
		digits, sum := parts[i+1], 0
		for n := range len(digits) {
			sum += czechWeights[n] * int(digits[len(digits)-1-n]-'0')
		}
		if sum%11 != 0 {
			return fmt.Errorf("%w for its %s %s", errCzechCheck, what, digits)
		}
	}
	return nil
}

// checkIBAN verifies the check digits by ISO 7064 MOD 97-10: the first four characters go to the end, a letter counts
// as two digits (A is 10), and the number that this spells leaves 1 when divided by 97.
func checkIBAN(iban string) error {
	if err := checkLength(iban); err != nil {
		return err
	}
	rest := 0
	for _, c := range iban[4:] + iban[:4] {
		if c >= 'A' {
			rest = (rest*100 + int(c-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(c-'0')) % 97
		}
	}
	if rest != 1 {
		return errIBANCheck
	}
	return nil
}
