package report

import (
	"crypto/hmac"
	"crypto/sha256"
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

func (s signer) mac(parts ...[]byte) []byte {
	h := hmac.New(sha256.New, s.key)
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)[:macBytes]
}

var encoding = base64.RawURLEncoding

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
	// signed and encoded are the token of a cell in the making, in the same memory for each.
	signed, encoded []byte
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
	return &reportToken{text: text, mac: mac, hash: hmac.New(sha256.New, s.key), signed: make([]byte, macBytes)}, nil
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
	content []byte
}

func appendText(to []byte, text string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(text))), text...)
}

func (r *reportToken) row(d *decoder) rowToken {
	content := binary.AppendVarint(nil, d.cut.Unix())
	content = binary.AppendUvarint(content, d.summed)
	content = append(content, d.others)
	for _, key := range d.keys {
		content = appendText(content, key)
	}
	return rowToken{r, d, content}
}

func (r rowToken) cell(i int) string {
	t := r.report
	content := binary.AppendUvarint(t.signed[:macBytes], uint64(i%len(r.decoder.values))) //nolint:gosec // an index
	if key, ok := r.decoder.pivotKey(i); ok && r.decoder.plan.pivot != nil {
		content = appendText(append(content, 1), key)
	} else {
		content = append(content, 0)
	}
	t.signed = append(content, r.content...)
	t.hash.Reset()
	t.hash.Write([]byte("cell"))
	t.hash.Write(t.mac)
	t.hash.Write(t.signed[macBytes:])
	copy(t.signed, t.hash.Sum(t.encoded[:0])[:macBytes])
	t.encoded = encoding.AppendEncode(t.encoded[:0], t.signed)
	return string(t.encoded)
}

// openCell checks a cell's token and reads it.
func (s signer) openCell(report []byte, text string, keys int) (place, error) {
	raw, err := encoding.Strict().DecodeString(text)
	if err != nil || len(raw) <= macBytes || !hmac.Equal(raw[:macBytes], s.mac([]byte("cell"), report, raw[macBytes:])) {
		return place{}, apperr.InvalidField("cell", "is no token of a cell of this report, or was changed")
	}
	r := reader{raw[macBytes:]}
	at := place{value: int(r.uvarint())} //nolint:gosec // we wrote it
	if at.pivoted = r.byte() == 1; at.pivoted {
		at.pivot = r.text()
	}
	at.cut = time.Unix(r.varint(), 0).UTC()
	at.summed = r.uvarint()
	at.others = r.byte() == 1
	for range keys {
		at.keys = append(at.keys, r.text())
	}
	return at, nil
}

// reader reads what rowToken wrote; the signature was checked before.
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
	n := min(int(r.uvarint()), len(r.left)) //nolint:gosec // bounded by what is left
	t := string(r.left[:n])
	r.left = r.left[n:]
	return t
}
