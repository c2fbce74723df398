package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"github.com/shopspring/decimal"
)

// variadicMost is the most arguments of first() and nullif().
const variadicMost = 8

// padMost bounds the width of pad().
const padMost = 100

// functions returns what expressions can call beside the functions of CEL. A blank argument gives a blank result.
func (s *scope) functions() []cel.EnvOption {
	return []cel.EnvOption{
		texts("date", 1, 2, s.date),
		texts("datetime", 1, 2, s.datetime),
		texts("money", 2, 2, s.money),
		texts("latlng", 2, 2, s.latlng),
		texts("code", 2, 3, s.code),
		texts("nullif", 2, variadicMost, nullIf),
		texts("first", 2, variadicMost, first),
		texts("trim", 1, 1, func(args []string) (string, error) { return strings.TrimSpace(args[0]), nil }),
		texts("lower", 1, 1, func(args []string) (string, error) { return strings.ToLower(args[0]), nil }),
		texts("upper", 1, 1, func(args []string) (string, error) { return strings.ToUpper(args[0]), nil }),
		texts("replace", 3, 3, func(args []string) (string, error) { return strings.ReplaceAll(args[0], args[1], args[2]), nil }),
		texts("reject", 1, 1, func(args []string) (string, error) { return "", errors.New(args[0]) }),
		numbered("decimal", 0, 1, s.roundedDecimal),
		numbered("substr", 1, 2, substr),
		numbered("pad", 1, 1, pad),
	}
}

// texts declares a function of texts that takes from least to most arguments.
func texts(name string, least, most int, call func([]string) (string, error)) cel.EnvOption {
	overloads := make([]cel.FunctionOpt, 0, most-least+1)
	for count := least; count <= most; count++ {
		params := slices.Repeat([]*cel.Type{cel.StringType}, count)
		overloads = append(overloads, bind(fmt.Sprintf("%s_%d", name, count), params, func(args ...ref.Val) ref.Val {
			return result(call(stringsOf(args)))
		}))
	}
	return cel.Function(name, overloads...)
}

// numbered declares a function of one text and from least to most whole numbers.
func numbered(name string, least, most int, call func(string, []int64) (string, error)) cel.EnvOption {
	overloads := make([]cel.FunctionOpt, 0, most-least+1)
	for count := least; count <= most; count++ {
		params := append([]*cel.Type{cel.StringType}, slices.Repeat([]*cel.Type{cel.IntType}, count)...)
		overloads = append(overloads, bind(fmt.Sprintf("%s_%d", name, count), params, func(args ...ref.Val) ref.Val {
			numbers := make([]int64, len(args)-1)
			for i, arg := range args[1:] {
				numbers[i] = int64(arg.(types.Int)) //nolint:forcetypeassert // the checker has proved the type
			}
			return result(call(stringsOf(args[:1])[0], numbers))
		}))
	}
	return cel.Function(name, overloads...)
}

// bind declares one overload. CEL wants other bindings for one and for two arguments.
func bind(id string, params []*cel.Type, call func(...ref.Val) ref.Val) cel.FunctionOpt {
	binding := cel.FunctionBinding(call)
	switch len(params) {
	case 1:
		binding = cel.UnaryBinding(func(a ref.Val) ref.Val { return call(a) })
	case 2:
		binding = cel.BinaryBinding(func(a, b ref.Val) ref.Val { return call(a, b) })
	}
	return cel.Overload(id, params, cel.StringType, binding)
}

func stringsOf(args []ref.Val) []string {
	out := make([]string, len(args))
	for i, arg := range args {
		out[i] = string(arg.(types.String)) //nolint:forcetypeassert // the checker has proved the type
	}
	return out
}

func result(s string, err error) ref.Val {
	if err != nil {
		return types.WrapErr(err)
	}
	return types.String(s)
}

// date reads a date by the file's layouts, or by the one given.
func (s *scope) date(args []string) (string, error) {
	if blank(args[0]) {
		return "", nil
	}
	t, err := s.parseTime(args, "date")
	if err != nil {
		return "", err
	}
	return t.Format(time.DateOnly), nil
}

// datetime reads a moment; without an offset it is in the mapping's time zone.
func (s *scope) datetime(args []string) (string, error) {
	if blank(args[0]) {
		return "", nil
	}
	t, err := time.Parse(time.RFC3339Nano, args[0])
	if err != nil {
		if t, err = s.parseTime(args, "time"); err != nil {
			return "", err
		}
	}
	return t.UTC().Format(time.RFC3339Nano), nil
}

func (s *scope) parseTime(args []string, what string) (time.Time, error) {
	layouts := s.format.dateLayouts
	if len(args) == 2 {
		layouts = []string{s.layouts[args[1]]}
	}
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, args[0], s.location); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a %s of the expected form", args[0], what)
}

func (s *scope) decimal(number string) (string, error) {
	if blank(number) {
		return "", nil
	}
	return plainNumber(strings.TrimSpace(number), s.format.decimalComma)
}

// roundedDecimal rounds to places where they are given: programs write more of them than are kept.
func (s *scope) roundedDecimal(number string, places []int64) (string, error) {
	plain, err := s.decimal(number)
	if len(places) == 0 || plain == "" || err != nil {
		return plain, err
	}
	if places[0] < 0 || places[0] > placesMost {
		return "", fmt.Errorf("decimal: places must be from 0 to %d, are %d", placesMost, places[0])
	}
	value, err := decimal.NewFromString(plain)
	if err != nil {
		return "", err
	}
	return value.Round(int32(places[0])).String(), nil //nolint:gosec // at most placesMost
}

func (s *scope) money(args []string) (string, error) {
	amount, err := s.decimal(args[0])
	if amount == "" || err != nil {
		return "", err
	}
	return amount + " " + args[1], nil
}

func (s *scope) latlng(args []string) (string, error) {
	lat, err := s.decimal(args[0])
	if err != nil {
		return "", err
	}
	lng, err := s.decimal(args[1])
	if err != nil || (lat == "" && lng == "") {
		return "", err
	}
	return lat + "," + lng, nil
}

// code looks a text up in a code table.
func (s *scope) code(args []string) (string, error) {
	if blank(args[1]) {
		return "", nil
	}
	meaning, ok := s.codes[args[0]][args[1]]
	switch {
	case ok:
		return meaning, nil
	case len(args) == 3:
		return args[2], nil
	default:
		return "", fmt.Errorf("%q is not in the code table %s", args[1], args[0])
	}
}

func nullIf(args []string) (string, error) {
	if slices.Contains(args[1:], args[0]) {
		return "", nil
	}
	return args[0], nil
}

func first(args []string) (string, error) {
	for _, arg := range args {
		if !blank(arg) {
			return arg, nil
		}
	}
	return "", nil
}

func substr(s string, at []int64) (string, error) {
	runes := []rune(s)
	count := int64(len(runes))
	from := min(max(at[0], 0), count)
	to := count
	if len(at) == 2 {
		to = from + min(max(at[1], 0), count-from)
	}
	return string(runes[from:to]), nil
}

func pad(s string, width []int64) (string, error) {
	if width[0] > padMost {
		return "", fmt.Errorf("pad: the width %d is above %d", width[0], padMost)
	}
	missing := int(width[0]) - utf8.RuneCountInString(s)
	if blank(s) || missing <= 0 {
		return s, nil
	}
	return strings.Repeat("0", missing) + s, nil
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }
