package mapping

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"google.golang.org/genproto/googleapis/type/latlng"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/date"
	"tandem.bank/pkg/money"
)

// leaf reads the text of a value into the type of a field.
type leaf struct {
	// what the field takes, for messages: "a date".
	what string
	// kind decides which results of expressions fit.
	kind  leafKind
	parse func(string) (protoreflect.Value, error)
}

type leafKind int

const (
	kindText leafKind = iota
	kindWhole
	kindFraction
	kindFlag
	// kindSpecial is written in a form of its own: only a text fits.
	kindSpecial
)

// messageLeaves are the messages that one text fills.
var messageLeaves = map[protoreflect.FullName]*leaf{
	"google.type.Date":          {what: "a date", kind: kindSpecial, parse: parseDate},
	"google.type.Money":         {what: "an amount with currency", kind: kindSpecial, parse: parseMoney},
	"google.type.LatLng":        {what: "coordinates", kind: kindSpecial, parse: parseLatLng},
	"google.protobuf.Timestamp": {what: "a time", kind: kindSpecial, parse: parseTime},
}

func leafOf(field protoreflect.FieldDescriptor) (leaf, error) {
	if field.Message() != nil {
		if field.Message().FullName() == externalKey {
			return leaf{what: "a reference", kind: kindSpecial}, nil
		}
		if known := messageLeaves[field.Message().FullName()]; known != nil {
			return *known, nil
		}
	}
	switch field.Kind() {
	case protoreflect.StringKind:
		return leaf{what: "a text", kind: kindText, parse: parseString}, nil
	case protoreflect.BoolKind:
		return leaf{what: "true or false", kind: kindFlag, parse: parseBool}, nil
	case protoreflect.Int32Kind:
		return leaf{what: "a whole number", kind: kindWhole, parse: parseInt32}, nil
	case protoreflect.Int64Kind:
		return leaf{what: "a whole number", kind: kindWhole, parse: parseInt64}, nil
	case protoreflect.DoubleKind:
		return leaf{what: "a number", kind: kindFraction, parse: parseDouble}, nil
	case protoreflect.EnumKind:
		return enumLeaf(field.Enum()), nil
	default:
		return leaf{}, fmt.Errorf("%s is of the type %s, which a mapping can't fill", field.Name(), field.Kind())
	}
}

// enumLeaf reads short names: the value's name without the enum's own, in lower case.
func enumLeaf(enum protoreflect.EnumDescriptor) leaf {
	numbers := map[string]protoreflect.EnumNumber{}
	prefix := ""
	for i := range enum.Values().Len() {
		value := enum.Values().Get(i)
		name := string(value.Name())
		if value.Number() == 0 {
			prefix = strings.TrimSuffix(name, "UNSPECIFIED")
			continue
		}
		numbers[strings.ToLower(strings.TrimPrefix(name, prefix))] = value.Number()
	}
	names := sortedKeys(numbers)
	what := "one of " + strings.Join(names, ", ")
	return leaf{what: what, kind: kindSpecial, parse: func(s string) (protoreflect.Value, error) {
		number, ok := numbers[s]
		if !ok {
			return protoreflect.Value{}, fmt.Errorf("%q is not %s", s, what)
		}
		return protoreflect.ValueOfEnum(number), nil
	}}
}

func parseString(s string) (protoreflect.Value, error) { return protoreflect.ValueOfString(s), nil }

func parseBool(s string) (protoreflect.Value, error) {
	if s != "true" && s != "false" {
		return protoreflect.Value{}, fmt.Errorf("%q is not true or false", s)
	}
	return protoreflect.ValueOfBool(s == "true"), nil
}

func parseInt32(s string) (protoreflect.Value, error) {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return protoreflect.Value{}, fmt.Errorf("%q is not a whole number of 32 bits", s)
	}
	return protoreflect.ValueOfInt32(int32(n)), nil
}

func parseInt64(s string) (protoreflect.Value, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return protoreflect.Value{}, fmt.Errorf("%q is not a whole number of 64 bits", s)
	}
	return protoreflect.ValueOfInt64(n), nil
}

func parseDouble(s string) (protoreflect.Value, error) {
	f, err := finite(s)
	return protoreflect.ValueOfFloat64(f), err
}

func finite(s string) (float64, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, fmt.Errorf("%q is not a number", s)
	}
	return f, nil
}

func parseDate(s string) (protoreflect.Value, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return protoreflect.Value{}, fmt.Errorf("%q is not a date such as 1970-12-13; date() reads other forms", s)
	}
	return protoreflect.ValueOfMessage(date.Proto(t).ProtoReflect()), nil
}

func parseTime(s string) (protoreflect.Value, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return protoreflect.Value{}, fmt.Errorf("%q is not a time such as 1997-12-31T15:04:05Z; datetime() reads other forms", s)
	}
	return protoreflect.ValueOfMessage(timestamppb.New(t).ProtoReflect()), nil
}

// amountMost keeps an amount within google.type.Money's 64-bit units.
var amountMost = decimal.New(math.MaxInt64, 0)

func parseMoney(s string) (protoreflect.Value, error) {
	number, currency, _ := strings.Cut(s, " ")
	if currency == "" {
		return protoreflect.Value{}, fmt.Errorf("%q is not an amount such as 96396.00 CZK; money() makes it of two columns", s)
	}
	if err := money.CheckCurrency(currency); err != nil {
		return protoreflect.Value{}, err
	}
	plain, err := plainNumber(number, false)
	if err != nil {
		return protoreflect.Value{}, err
	}
	value, err := decimal.NewFromString(plain)
	switch {
	case err != nil || value.Abs().GreaterThan(amountMost):
		return protoreflect.Value{}, fmt.Errorf("%q is not an amount", number)
	case !value.Equal(value.Truncate(money.Scale)):
		return protoreflect.Value{}, fmt.Errorf("amount %s %w", number, money.ErrScale)
	}
	return protoreflect.ValueOfMessage(money.Proto(value, currency).ProtoReflect()), nil
}

func parseLatLng(s string) (protoreflect.Value, error) {
	north, east, _ := strings.Cut(s, ",")
	lat, errLat := finite(north)
	lng, errLng := finite(east)
	if errLat != nil || errLng != nil || math.Abs(lat) > 90 || math.Abs(lng) > 180 {
		return protoreflect.Value{}, fmt.Errorf("%q is not a pair of latitude and longitude in degrees, such as 50.0875,14.4214", s)
	}
	return protoreflect.ValueOfMessage((&latlng.LatLng{Latitude: lat, Longitude: lng}).ProtoReflect()), nil
}
