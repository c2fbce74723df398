// Package page makes the opaque tokens of keyset pages (AIP-158). A token holds the sort keys of the last row, and a
// fingerprint of the request that produced it, so that it can't be used with another filter or order.
package page

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"tandem.bank/pkg/apperr"
)

const (
	// SizeDefault is the page size when the caller gives none.
	SizeDefault = 50
	// SizeMax is the largest page.
	SizeMax = 1000
)

var errToken = errors.New("page token does not decode")

type token[K any] struct {
	Fingerprint []byte `json:"f"`
	Keys        K      `json:"k"`
}

// Size applies the default and the limit.
func Size(requested int32) int {
	switch {
	case requested <= 0:
		return SizeDefault
	case requested > SizeMax:
		return SizeMax
	default:
		return int(requested)
	}
}

// Encode makes the token that continues after keys. The parameters are all that selects and orders the rows.
func Encode[K any](keys K, parameters ...string) (string, error) {
	raw, err := json.Marshal(token[K]{Fingerprint: fingerprint(parameters), Keys: keys})
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// Decode reads a token back. An empty token gives nil: the first page.
func Decode[K any](text string, parameters ...string) (*K, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // no token is not an error: it means the first page
	}
	decoded, err := decode[K](text)
	if err != nil {
		return nil, apperr.InvalidField("page_token", "is not a token that this list returned")
	}
	if string(decoded.Fingerprint) != string(fingerprint(parameters)) {
		return nil, apperr.InvalidField("page_token", "belongs to a list with other parameters; start again without it")
	}
	return &decoded.Keys, nil
}

func decode[K any](text string) (*token[K], error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, errToken
	}
	var out token[K]
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, errToken
	}
	return &out, nil
}

func fingerprint(parameters []string) []byte {
	sum := sha256.Sum256([]byte(strings.Join(parameters, "\x00")))
	return sum[:8]
}
