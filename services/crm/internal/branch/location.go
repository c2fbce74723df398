package branch

import (
	"google.golang.org/genproto/googleapis/type/latlng"

	"tandem.bank/services/crm/internal/record"
)

// ReadLocation checks a point on the globe (WGS 84); without one both columns are null.
func ReadLocation(in *record.Reader, l *latlng.LatLng) (latitude, longitude *float64) {
	if l == nil {
		return nil, nil
	}
	// Written so that NaN is refused too.
	if !(l.Latitude >= -90 && l.Latitude <= 90) {
		in.Refuse("location.latitude", "must lie between -90 and 90 degrees")
	}
	if !(l.Longitude >= -180 && l.Longitude <= 180) {
		in.Refuse("location.longitude", "must lie between -180 and 180 degrees")
	}
	return &l.Latitude, &l.Longitude
}

// Location renders a point; without one it is unset.
func Location(latitude, longitude *float64) *latlng.LatLng {
	if latitude == nil || longitude == nil {
		return nil
	}
	return &latlng.LatLng{Latitude: *latitude, Longitude: *longitude}
}
