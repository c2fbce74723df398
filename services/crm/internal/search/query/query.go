// Package query reads what people type into a search field: words, "phrases", prefix*, AND, OR, NOT and -, parentheses.
//
// It reads every text, as search engines do: what is not closed is closed at the end, an operator without its words is
// left out. Numbers that are written in groups, such as phones and IBANs, become one term.
package query

import (
	"errors"
	"slices"
)

const (
	// TermsMax bounds the words of a query.
	TermsMax = 32
	// depthMax bounds parentheses and negations; deeper ones are read as if they were not there.
	depthMax = 16
)

var (
	// ErrEmpty says that there is nothing to look for: no word, or only words to leave out.
	ErrEmpty = errors.New("needs at least one word to look for")
	// ErrTooMany says that there are more words than TermsMax.
	ErrTooMany = errors.New("has more than 32 words")
)

// Node is a part of a query: *Term, *And, *Or or *Not.
type Node interface{ node() }

// And asks for all parts.
type And struct{ Parts []Node }

// Or asks for at least one part.
type Or struct{ Parts []Node }

// Not asks that the part is not there.
type Not struct{ Part Node }

// Term is something to look for.
type Term struct {
	// Text as typed, without quotes and without the star of a prefix. Groups of a number are still apart.
	Text string
	// Quoted says that it stood in quotes: its words must stand together, and nothing is guessed.
	Quoted bool
	// Prefix says that a star followed.
	Prefix bool
	// Number says that it is digits in groups, or an IBAN.
	Number bool
	// Masked says that Text is how a card number ends whose middle was masked; First is how it begins, as far as that was shown.
	Masked bool
	First  string
}

func (*And) node()  {}
func (*Or) node()   {}
func (*Not) node()  {}
func (*Term) node() {}

// Parse reads a query.
func Parse(text string) (Node, error) {
	tokens := scan(text)
	terms := 0
	for _, t := range tokens {
		if t.kind == termToken {
			terms++
		}
	}
	if terms > TermsMax {
		return nil, ErrTooMany
	}
	p := &parser{tokens: tokens}
	var parts []Node
	for len(p.tokens) > 0 {
		if part := p.or(0); part != nil {
			parts = append(parts, part)
		}
		p.accept(closeToken) // one too many
	}
	root := join(parts, func(parts []Node) Node { return &And{parts} })
	if root == nil || !Positive(root) {
		return nil, ErrEmpty
	}
	return root, nil
}

// Wanted returns the terms to look for, without those to leave out.
func Wanted(n Node) []*Term {
	var out []*Term
	collect(n, true, &out)
	return out
}

func collect(n Node, wanted bool, out *[]*Term) {
	switch n := n.(type) {
	case *Term:
		if wanted {
			*out = append(*out, n)
		}
	case *And:
		for _, part := range n.Parts {
			collect(part, wanted, out)
		}
	case *Or:
		for _, part := range n.Parts {
			collect(part, wanted, out)
		}
	case *Not:
		collect(n.Part, !wanted, out)
	}
}

// Positive says whether a match of a node needs something to be there.
func Positive(n Node) bool { return positive(n, true) }

// positive says whether a match needs something to be there, so that not nearly everybody is one.
func positive(n Node, wanted bool) bool {
	needs := func(part Node) bool { return positive(part, wanted) }
	switch n := n.(type) {
	case *Term:
		return wanted
	case *And:
		return every(n.Parts, wanted, needs)
	case *Or:
		return every(n.Parts, !wanted, needs)
	case *Not:
		return positive(n.Part, !wanted)
	}
	return false
}

// every is "some" for a conjunction and "all" for a disjunction; negation turns one into the other.
func every(parts []Node, conjunction bool, needs func(Node) bool) bool {
	if conjunction {
		return slices.ContainsFunc(parts, needs)
	}
	return !slices.ContainsFunc(parts, func(n Node) bool { return !needs(n) })
}

// parser reads tokens by recursive descent; every method returns nil where there is nothing.
type parser struct{ tokens []token }

func (p *parser) accept(k kind) bool {
	if len(p.tokens) == 0 || p.tokens[0].kind != k {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

func (p *parser) or(depth int) Node {
	var parts []Node
	for {
		if part := p.and(depth); part != nil {
			parts = append(parts, part)
		}
		if !p.accept(orToken) {
			return join(parts, func(parts []Node) Node { return &Or{parts} })
		}
	}
}

func (p *parser) and(depth int) Node {
	var parts []Node
	for len(p.tokens) > 0 && p.tokens[0].kind != orToken && p.tokens[0].kind != closeToken {
		if p.accept(andToken) {
			continue
		}
		if part := p.not(depth); part != nil {
			parts = append(parts, part)
		}
	}
	return join(parts, func(parts []Node) Node { return &And{parts} })
}

func (p *parser) not(depth int) Node {
	negated := false
	for p.accept(notToken) {
		negated = !negated
	}
	part := p.primary(depth)
	if part == nil || !negated {
		return part
	}
	return &Not{part}
}

func (p *parser) primary(depth int) Node {
	if len(p.tokens) == 0 {
		return nil
	}
	switch t := p.tokens[0]; t.kind {
	case termToken:
		p.tokens = p.tokens[1:]
		return t.term.node()
	case openToken:
		p.tokens = p.tokens[1:]
		if depth >= depthMax {
			return nil
		}
		inner := p.or(depth + 1)
		p.accept(closeToken)
		return inner
	default: // an operator without its word; the caller deals with it
		return nil
	}
}

// join drops a list of one.
func join(parts []Node, list func([]Node) Node) Node {
	switch len(parts) {
	case 0:
		return nil
	case 1:
		return parts[0]
	default:
		return list(parts)
	}
}
