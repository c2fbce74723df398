package date_test

import (
	"errors"
	"testing"
	"time"

	pb "google.golang.org/genproto/googleapis/type/date"

	"tandem.bank/pkg/date"
)

func TestTime(t *testing.T) {
	t.Parallel()
	got, err := date.Time(&pb.Date{Year: 1970, Month: 12, Day: 13})
	if want := time.Date(1970, 12, 13, 0, 0, 0, 0, time.UTC); err != nil || !got.Equal(want) {
		t.Fatalf("got %v, %v", got, err)
	}
	if date.Text(got) != "1970-12-13" || date.Proto(got).GetDay() != 13 {
		t.Fatal("the day changed on its way back")
	}
	for _, bad := range []*pb.Date{{Year: 2023, Month: 2, Day: 29}, {Year: 2023, Month: 2}, {Month: 1, Day: 1}, {Year: 2023, Month: 13, Day: 1}} {
		if _, err := date.Time(bad); !errors.Is(err, date.ErrNotADay) {
			t.Errorf("Time(%v) = %v", bad, err)
		}
	}
	if zero, err := date.Time(nil); err != nil || !zero.IsZero() || date.Proto(zero) != nil || date.Text(zero) != "" {
		t.Error("an unset date must stay unset")
	}
}
