package customer

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
	"google.golang.org/genproto/googleapis/type/latlng"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// Kinds of contact points that others look up.
var (
	contactPhone   = record.EnumText(crmv1.ContactPointKind_CONTACT_POINT_KIND_PHONE)
	contactEmail   = record.EnumText(crmv1.ContactPointKind_CONTACT_POINT_KIND_EMAIL)
	contactAddress = record.EnumText(crmv1.ContactPointKind_CONTACT_POINT_KIND_ADDRESS)
)

// ContactPoint is a way to reach a customer, as the column keeps it. Days are texts.
type ContactPoint struct {
	Kind      string   `json:"kind"`
	Value     string   `json:"value,omitempty"`
	Address   *Address `json:"address,omitempty"`
	Label     string   `json:"label,omitempty"`
	Primary   bool     `json:"primary,omitempty"`
	Verified  bool     `json:"verified,omitempty"`
	ValidFrom string   `json:"valid_from,omitempty"`
	ValidTo   string   `json:"valid_to,omitempty"`
}

// Address is a postal address.
type Address struct {
	Country    string   `json:"country,omitempty"`
	PostalCode string   `json:"postal_code,omitempty"`
	City       string   `json:"city,omitempty"`
	Street     string   `json:"street,omitempty"`
	Latitude   *float64 `json:"latitude,omitempty"`
	Longitude  *float64 `json:"longitude,omitempty"`
}

func (rm *room) readContactPoints(in *record.Reader, points []*crmv1.ContactPoint) []ContactPoint {
	var out []ContactPoint
	primary := map[string]bool{}
	for i, p := range points {
		path := fmt.Sprintf("contact_points[%d]", i)
		from, to := in.Date(path+".valid_from", p.GetValidFrom()), in.Date(path+".valid_to", p.GetValidTo())
		in.NotBefore(path+".valid_to", to, "valid_from", from)
		point := ContactPoint{
			Kind: record.EnumText(p.GetKind()), Label: p.GetLabel(), Primary: p.GetPrimary(), Verified: p.GetVerified(),
			ValidFrom: record.DateText(from), ValidTo: record.DateText(to),
		}
		if point.Primary && primary[point.Kind] {
			in.Refuse(path+".primary", "another "+point.Kind+" is the primary one")
		}
		primary[point.Kind] = primary[point.Kind] || point.Primary
		if point.Kind == contactAddress {
			point.Address = readAddress(in, path, p)
		} else {
			point.Value = rm.readContactValue(in, path, p)
		}
		out = append(out, point)
	}
	return out
}

func readAddress(in *record.Reader, path string, p *crmv1.ContactPoint) *Address {
	if p.GetValue() != "" {
		in.Refuse(path+".value", "must be empty for an address")
	}
	a := p.GetAddress()
	out := &Address{Country: a.GetCountry(), PostalCode: a.GetPostalCode(), City: a.GetCity(), Street: a.GetStreet()}
	if at := a.GetLocation(); at != nil {
		lat, lng := at.GetLatitude(), at.GetLongitude()
		// Written so that NaN is refused too.
		if !(lat >= -90 && lat <= 90) || !(lng >= -180 && lng <= 180) {
			in.Refuse(path+".address.location", "must lie within -90 to 90 and -180 to 180 degrees")
			return out
		}
		out.Latitude, out.Longitude = &lat, &lng
	}
	if *out == (Address{}) {
		in.Refuse(path+".address", "is required for an address")
	}
	return out
}

// The forms in which Customer.phone and Customer.email are accepted too: whatever becomes the primary one fits there.
var (
	e164      = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	emailForm = regexp.MustCompile("^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?" +
		`(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$`)
)

func (rm *room) readContactValue(in *record.Reader, path string, p *crmv1.ContactPoint) string {
	value := strings.TrimSpace(p.GetValue())
	switch kind := record.EnumText(p.GetKind()); {
	case p.GetAddress() != nil:
		in.Refuse(path+".address", "is only for an address")
	case value == "":
		in.Refuse(path+".value", "is required")
	case kind == contactPhone:
		phone, err := normalPhone(value, rm.country)
		if err != nil {
			in.Refuse(path+".value", err.Error())
		}
		return phone
	case kind == contactEmail && !emailForm.MatchString(value):
		in.Refuse(path+".value", "must be a valid email address")
	}
	return value
}

// normalPhone writes a phone in E.164. What is in that form is taken as it is: numbers are opened faster than any list of
// them is kept.
func normalPhone(text, country string) (string, error) {
	if e164.MatchString(text) {
		return text, nil
	}
	number, err := phonenumbers.Parse(text, country)
	if err != nil || !phonenumbers.IsPossibleNumber(number) {
		if country == "" {
			return "", fmt.Errorf("is not a phone number with its country code")
		}
		return "", fmt.Errorf("is not a phone number, with its country code or of %s", country)
	}
	if number.GetExtension() != "" {
		return "", fmt.Errorf("must not have an extension; the label can hold it")
	}
	phone := phonenumbers.Format(number, phonenumbers.E164)
	if !e164.MatchString(phone) {
		return "", fmt.Errorf("is not a phone number of the public network")
	}
	return phone, nil
}

// agree keeps the primary phone or e-mail, which stands beside the contact points, and the contact points together: what
// changed leads, and beside and points both given, what stands beside.
func (r *Row) agree(kind string, beside func(*Row) *string, old *Row) {
	mine, before := beside(r), ""
	var pointsBefore []ContactPoint
	if old != nil {
		before, pointsBefore = *beside(old), old.ContactPoints
	}
	first := primaryOf(r.ContactPoints, kind)
	if first < 0 {
		gone := primaryOf(pointsBefore, kind)
		if gone >= 0 && *mine == before && pointsBefore[gone].Value == before {
			*mine = "" // its contact point was taken away
		}
		return
	}
	pointsLead := old != nil && *mine == before && !slices.EqualFunc(r.ContactPoints, pointsBefore, samePoint) &&
		(r.ContactPoints[first].Primary || primaryOf(pointsBefore, kind) >= 0)
	if *mine == "" || pointsLead {
		*mine = r.ContactPoints[first].Value
	}
	r.makePrimary(kind, *mine)
}

// makePrimary marks the contact point with a value, which it adds when there is none.
func (r *Row) makePrimary(kind, value string) {
	points, marked := slices.Clone(r.ContactPoints), false
	for i := range points {
		if points[i].Kind == kind {
			points[i].Primary = points[i].Value == value && !marked
			marked = marked || points[i].Primary
		}
	}
	if !marked {
		points = slices.Insert(points, 0, ContactPoint{Kind: kind, Value: value, Primary: true})
	}
	r.ContactPoints = points
}

func samePoint(a, b ContactPoint) bool {
	return a.Kind == b.Kind && a.Value == b.Value && a.Primary == b.Primary
}

// primaryOf is the place of the primary contact point of a kind: the one so marked, or the first; −1 when there is none.
func primaryOf(points []ContactPoint, kind string) int {
	if i := slices.IndexFunc(points, func(p ContactPoint) bool { return p.Kind == kind && p.Primary }); i >= 0 {
		return i
	}
	return slices.IndexFunc(points, func(p ContactPoint) bool { return p.Kind == kind })
}

func contactPoints(points []ContactPoint) []*crmv1.ContactPoint {
	var out []*crmv1.ContactPoint
	for _, p := range points {
		out = append(out, &crmv1.ContactPoint{
			Kind: record.EnumValue[crmv1.ContactPointKind](p.Kind), Value: p.Value, Address: address(p.Address), Label: p.Label,
			Primary: p.Primary, Verified: p.Verified, ValidFrom: day(p.ValidFrom), ValidTo: day(p.ValidTo),
		})
	}
	return out
}

func address(a *Address) *crmv1.PostalAddress {
	if a == nil {
		return nil
	}
	out := &crmv1.PostalAddress{Country: a.Country, PostalCode: a.PostalCode, City: a.City, Street: a.Street}
	if a.Latitude != nil && a.Longitude != nil {
		out.Location = &latlng.LatLng{Latitude: *a.Latitude, Longitude: *a.Longitude}
	}
	return out
}
