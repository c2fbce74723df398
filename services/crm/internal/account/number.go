package account

import (
	"errors"
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

	errIBANLength = errors.New("looks like an IBAN, but an IBAN has 15 to 34 characters")
	errIBANCheck  = errors.New("looks like an IBAN, but its check digits are wrong")
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
	return text, nil
}

// checkIBAN verifies the check digits by ISO 7064 MOD 97-10: the first four characters go to the end, a letter counts
// as two digits (A is 10), and the number that this spells leaves 1 when divided by 97.
func checkIBAN(iban string) error {
	if len(iban) < ibanLengthMin || len(iban) > ibanLengthMax {
		return errIBANLength
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
