package behaviour

import (
	"net/url"
	"regexp"
	"strings"

	"tandem.bank/services/crm/internal/record"
)

// mail and telephone find what names a person. They are wide on purpose: a page that looks like one is refused, and the
// sender learns of it.
var (
	mail      = regexp.MustCompile(`(?i)[^\s/@]+(@|%40)[^\s/@]+`)
	telephone = regexp.MustCompile(`(?:\+|%2B|\b00)[0-9][0-9 ()-]{7,}[0-9]`)
)

// readPage keeps the path of an address, or the object's name: host, query and fragment may say who somebody is.
func readPage(in *record.Reader, page string) string {
	refusePersonal(in, "page", stripQuery(page))
	if !strings.Contains(page, "://") && !strings.HasPrefix(page, "//") {
		return stripQuery(page)
	}
	u, err := url.Parse(page)
	if err != nil {
		in.Refuse("page", "is not an address")
		return ""
	}
	if u.EscapedPath() == "" {
		return "/"
	}
	return u.EscapedPath()
}

func stripQuery(page string) string {
	if end := strings.IndexAny(page, "?#;"); end >= 0 {
		return page[:end]
	}
	return page
}

// refusePersonal refuses e-mail addresses and telephone numbers; card numbers are refused in every text anyway.
func refusePersonal(in *record.Reader, field, text string) {
	if decoded, err := url.PathUnescape(text); err == nil {
		text = decoded
	}
	if mail.MatchString(text) {
		in.Refuse(field, "must not contain an e-mail address")
	}
	if telephone.MatchString(text) {
		in.Refuse(field, "must not contain a telephone number")
	}
}
