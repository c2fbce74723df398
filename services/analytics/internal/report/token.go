package report

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"hash"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
)

// macBytes is the length of a token's signature: 128 bits can't be guessed.
const macBytes = 16

// signer makes and checks tokens. A token is its signature and its content; nothing in it is secret, but none can be made up or
// changed.
type signer struct{ key []byte }

func (s signer) hash() hash.Hash { return hmac.New(sha256.New, s.key) }

func (s signer) mac(parts ...[]byte) []byte {
	h := s.hash()
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)[:macBytes]
}

var encoding = base64.RawURLEncoding

var errNoCell = apperr.InvalidField("cell", "is no token of a cell of this report, or was changed")

// tokenMark begins the token of a report: what begins with a dash is an option to a command line.
const tokenMark = "r"

// ticket is what the token of a report says.
type ticket struct {
	// Caller to whom it was given, with the rights of then.
	Caller string `json:"c"`
	// Query with its as_of, in proto.
	Query []byte `json:"q"`
	// At narrows it to a cell of another report.
	At []ticketCoordinate `json:"a,omitempty"`
	// Rank is the other report, when being among its greatest values is part of At.
	Rank []byte `json:"r,omitempty"`
}

type ticketCoordinate struct {
	Dimension string `json:"d"`
	Member    member `json:"m,omitempty"`
	Key       string `json:"k,omitempty"`
}

// fingerprint tells callers and their rights apart.
func (c Caller) fingerprint() string {
	var b strings.Builder
	b.WriteString(c.ID)
	if c.Scope.Limited {
		for _, branch := range c.Scope.Branches {
			b.WriteString("\x00" + strconv.FormatInt(branch, 10))
		}
		b.WriteString("\x00limited")
	}
	sum := sha256.Sum256([]byte(b.String()))
	return encoding.EncodeToString(sum[:macBytes])
}

// reportToken is the token of a report, ready to make those of its cells.
type reportToken struct {
	text string
	mac  []byte
	hash hash.Hash
	// columns are those of the cells so far, by their places.
	columns []part
	// signed and encoded are the token of a cell in the making, in the same memory for each.
	signed, encoded []byte
}

// part is what a token says of a cell's row or column, with its signature. A cell is signed by both together: so a report of a
// thousand rows and columns needs two thousand signatures and not a million, and parts of two tokens make up nothing but the token of
// another cell of the same report.
type part struct{ mac, content []byte }

// together is the signature of a cell.
func together(row, column []byte) []byte {
	out := make([]byte, macBytes)
	subtle.XORBytes(out, row, column)
	return out
}

func (s signer) report(p *plan, caller Caller) (*reportToken, error) {
	query, err := proto.MarshalOptions{Deterministic: true}.Marshal(p.query)
	if err != nil {
		return nil, err
	}
	t := ticket{Caller: caller.fingerprint(), Query: query}
	for _, at := range p.coordinates {
		t.At = append(t.At, ticketCoordinate{at.dimension.Name, at.member, at.key})
		if at.member != memberValue {
			if t.Rank, err = proto.Marshal(p.source); err != nil {
				return nil, err
			}
		}
	}
	content, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	mac := s.mac([]byte("report"), content)
	text := tokenMark + encoding.EncodeToString(slices.Concat(mac, content))
	return &reportToken{text: text, mac: mac, hash: s.hash(), signed: make([]byte, macBytes)}, nil
}

// openReport checks a report's token and reads it.
func (s signer) openReport(text string, caller Caller) (ticket, []byte, error) {
	signed, marked := strings.CutPrefix(text, tokenMark)
	raw, err := encoding.Strict().DecodeString(signed)
	if !marked || err != nil || len(raw) <= macBytes || !hmac.Equal(raw[:macBytes], s.mac([]byte("report"), raw[macBytes:])) {
		return ticket{}, nil, apperr.InvalidField("report_token",
			"is no token of a report, or was changed, or is from before a restart; run the report again")
	}
	var t ticket
	if err := json.Unmarshal(raw[macBytes:], &t); err != nil {
		return ticket{}, nil, err
	}
	if t.Caller != caller.fingerprint() {
		return ticket{}, nil, apperr.New(codes.PermissionDenied, apperr.ReasonPermissionDenied,
			"this report was run by somebody else, or with other rights; run it yourself")
	}
	return t, raw[:macBytes], nil
}

func (t ticket) query() (*definitionv1.ReportQuery, error) {
	q := &definitionv1.ReportQuery{}
	return q, proto.Unmarshal(t.Query, q)
}

// place is where a cell stands.
type place struct {
	value  int
	cut    time.Time
	summed uint64
	others bool
	// pivoted says that the cell is about one value of the pivot.
	pivoted bool
	pivot   string
	keys    []string
}

// rowToken makes the tokens of a row's cells.
type rowToken struct {
	report  *reportToken
	decoder *decoder
	row     part
}

func appendText(to []byte, text string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(text))), text...)
}

// sign makes a part, by the same signature as signer.mac.
func (r *reportToken) sign(kind string, content []byte) part {
	r.hash.Reset()
	r.hash.Write([]byte(kind))
	r.hash.Write(r.mac)
	r.hash.Write(content)
	return part{r.hash.Sum(nil)[:macBytes], content}
}

func (r *reportToken) row(d *decoder) rowToken {
	content := binary.AppendVarint(nil, d.cut.Unix())
	content = binary.AppendUvarint(content, d.summed)
	content = append(content, d.others)
	for _, key := range d.keys {
		content = appendText(content, key)
	}
	return rowToken{r, d, r.sign("row", content)}
}

// column is the part that a column's tokens share.
func (r *reportToken) column(d *decoder, i int) part {
	for n := len(r.columns); n <= i; n++ {
		content := binary.AppendUvarint(nil, uint64(n%len(d.values)))
		if key, ok := d.pivotKey(n); ok && d.plan.pivot != nil {
			content = appendText(append(content, 1), key)
		} else {
			content = append(content, 0)
		}
		r.columns = append(r.columns, r.sign("column", content))
	}
	return r.columns[i]
}

func (r rowToken) cell(i int) string {
	t, column := r.report, r.report.column(r.decoder, i)
	subtle.XORBytes(t.signed[:macBytes], r.row.mac, column.mac)
	t.signed = append(append(t.signed[:macBytes], column.content...), r.row.content...)
	t.encoded = encoding.AppendEncode(t.encoded[:0], t.signed)
	return string(t.encoded)
}

// openCell checks a cell's token and reads it.
func (s signer) openCell(report []byte, text string, keys int) (place, error) {
	raw, err := encoding.Strict().DecodeString(text)
	if err != nil || len(raw) <= macBytes {
		return place{}, errNoCell
	}
	r := reader{raw[macBytes:]}
	at := place{value: int(r.uvarint())} //nolint:gosec // it is used only when we wrote it
	if at.pivoted = r.byte() == 1; at.pivoted {
		at.pivot = r.text()
	}
	column := raw[macBytes : len(raw)-len(r.left)]
	signed := together(s.mac([]byte("row"), report, r.left), s.mac([]byte("column"), report, column))
	if !hmac.Equal(raw[:macBytes], signed) {
		return place{}, errNoCell
	}
	at.cut = time.Unix(r.varint(), 0).UTC()
	at.summed = r.uvarint()
	at.others = r.byte() == 1
	for range keys {
		at.keys = append(at.keys, r.text())
	}
	return at, nil
}

// reader reads what rowToken wrote, and of anything else as much as there is.
type reader struct{ left []byte }

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.left)
	r.left = r.left[max(n, 0):]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.left)
	r.left = r.left[max(n, 0):]
	return v
}

func (r *reader) byte() byte {
	if len(r.left) == 0 {
		return 0
	}
	b := r.left[0]
	r.left = r.left[1:]
	return b
}

func (r *reader) text() string {
	n := min(r.uvarint(), uint64(len(r.left)))
	t := string(r.left[:n])
	r.left = r.left[n:]
	return t
}
