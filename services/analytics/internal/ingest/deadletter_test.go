package ingest_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/natsx"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

// What can't be applied is put aside with its reason, and the rest goes in.
func TestDeadLetters(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	broken := []struct {
		change *eventsv1.Change
		reason string
	}{
		{bundle(transaction(1, 1, 7, "2024-01-31", "1e9")), `transaction_bundle.transactions[0].amount.value: "1e9" is not a decimal`},
		{bundle(transaction(1, 1, 7, "2024-01-31", strings.Repeat("9", 35))), "has more than 34 digits before the point"},
		{bundle(transaction(1, 1, 7, "2024-01-31", "0.00001")), "has more than 4 decimal places"},
		{bundle(transaction(5, 1, 7, "2024-01-31", "1"), transaction(6, 1, 7, "2024-02-30", "1")), `transactions[1].business_date: "2024-02-30" is not a day`},
		{bundle(transaction(1, 1, 7, "1969-12-31", "1")), "is out of range"},
		{bundle(transaction(1, 1, 0, "2024-01-31", "1")), "transactions[0].account_id: must be positive"},
		{change("deal", 1, 1, func(*eventsv1.Change) {}), `entity: "deal" has no payload that this version knows`},
		{change("card", 1, 1, func(c *eventsv1.Change) {
			c.Payload = &eventsv1.Change_Manager{Manager: &eventsv1.ManagerState{}}
		}), `entity: "card" comes with the payload of a manager`},
		{customer(0, 1, "clerk"), "entity_id: must be positive, is 0"},
	}
	b.start(t, b.conn)
	b.publish(t, "crm.v1.customer.upserted", []byte{0xff, 0xff})
	for i, c := range broken {
		b.change(t, c.change)
		b.change(t, customer(int64(i+1), 1, "clerk"))
	}
	b.await(t, b.change(t, customer(100, 1, "clerk")))

	letters := b.letters(t)
	if len(letters) != len(broken)+1 {
		t.Fatalf("%d dead letters", len(letters))
	}
	if !strings.Contains(letters[0].GetReason(), "is not a tandem.events.v1.Change") || letters[0].GetChangeJson() != "" {
		t.Errorf("letter = %v", letters[0])
	}
	for i, c := range broken {
		letter := letters[i+1]
		if !strings.Contains(letter.GetReason(), c.reason) {
			t.Errorf("reason %q, want %q", letter.GetReason(), c.reason)
		}
		if !strings.Contains(letter.GetChangeJson(), c.change.GetEventId()) || letter.GetStreamSequence() == 0 || letter.GetSizeBytes() == 0 {
			t.Errorf("letter = %v", letter)
		}
	}
	if got := b.count(t, "customer"); got != "10" {
		t.Errorf("%s customers", got)
	}
	if got := b.count(t, "transaction"); got != "0" {
		t.Errorf("%s transactions of broken bundles", got)
	}
}

// ClickHouse itself refuses rows: they are found among the good ones, put aside, and applied once it takes them.
func TestRefusedRowsAndReplay(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	exec := func(sql string) {
		t.Helper()
		if err := warehouse.OnParts(t.Context(), b.conn, sql); err != nil {
			t.Fatal(err)
		}
	}
	exec("ALTER TABLE customer ADD CONSTRAINT no_pirates CHECK occupation != 'pirate'")
	var last uint64
	for id := int64(1); id <= 64; id++ {
		occupation := "clerk"
		if id == 17 || id == 64 {
			occupation = "pirate"
		}
		last = b.change(t, customer(id, 1, occupation))
	}
	garbage := b.publish(t, "crm.v1.customer.upserted", []byte{0xff, 0xff})
	b.start(t, b.conn)
	b.await(t, max(last, garbage))
	if got := b.count(t, "customer"); got != "62" {
		t.Fatalf("%s customers", got)
	}
	letters := b.letters(t)
	if len(letters) != 3 {
		t.Fatalf("dead letters: %v", letters)
	}
	if !slices.ContainsFunc(letters, func(l *analyticsv1.StoredDeadLetter) bool { return strings.Contains(l.GetReason(), "no_pirates") }) {
		t.Fatalf("no letter tells the reason: %v", letters)
	}

	replay := func(want *analyticsv1.ReplayDeadLettersResponse, sequences ...uint64) {
		t.Helper()
		got, err := b.server.ReplayDeadLetters(t.Context(), &analyticsv1.ReplayDeadLettersRequest{Sequences: sequences})
		if err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(got, want) {
			t.Fatalf("replay gave %v, want %v", got, want)
		}
	}
	replay(&analyticsv1.ReplayDeadLettersResponse{Failed: 3})
	if again := b.letters(t); len(again) != 3 {
		t.Fatalf("%d dead letters after a vain replay", len(again))
	}
	exec("ALTER TABLE customer DROP CONSTRAINT no_pirates")
	replay(&analyticsv1.ReplayDeadLettersResponse{Applied: 2, Failed: 1})
	if got := b.count(t, "customer"); got != "64" {
		t.Fatalf("%s customers after the replay", got)
	}
	left := b.letters(t)
	if len(left) != 1 || left[0].GetStreamSequence() != garbage {
		t.Fatalf("left: %v", left)
	}

	_, err := b.server.ReplayDeadLetters(t.Context(), &analyticsv1.ReplayDeadLettersRequest{Sequences: []uint64{left[0].GetSequence(), 999}})
	if st, _ := apperr.Public(err); st.Code() != codes.NotFound {
		t.Fatalf("an unknown sequence gave %v", err)
	}
}

// crm puts insights aside in the same stream: replaying one sends it back to crm.
func TestReplayOfInsight(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.start(t, b.conn)
	b.await(t, 0)
	insight, err := proto.Marshal(&eventsv1.InsightBundle{RunId: "r"})
	if err != nil {
		t.Fatal(err)
	}
	letter, err := proto.Marshal(&eventsv1.DeadLetter{Subject: "insight.v1.rfm", MessageId: "r:0", Reason: "why", Data: insight})
	if err != nil {
		t.Fatal(err)
	}
	b.publish(t, "crm_dlq.v1", letter)
	if got := b.letters(t); len(got) != 1 || got[0].GetChangeJson() != `{"runId":"r"}` {
		t.Fatalf("letters = %v", got)
	}
	if _, err := b.server.ReplayDeadLetters(t.Context(), &analyticsv1.ReplayDeadLettersRequest{}); err != nil {
		t.Fatal(err)
	}
	stream, err := b.js.Stream(t.Context(), "INSIGHT")
	if err != nil {
		t.Fatal(err)
	}
	back, err := stream.GetLastMsgForSubject(t.Context(), "insight.v1.rfm")
	if err != nil || string(back.Data) != string(insight) {
		t.Fatalf("sent back: %v, %v", back, err)
	}
	if left := b.letters(t); len(left) != 0 {
		t.Fatalf("left: %v", left)
	}
}

// A message as large as the stream allows does not fit into a letter: its beginning is kept.
func TestLargeDeadLetter(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.start(t, b.conn)
	const size = natsx.MessageBytesMax - 200 // the rest is the header
	b.await(t, b.publish(t, "crm.v1.customer.upserted", bytes.Repeat([]byte{0xff}, size)))
	letters := b.letters(t)
	if len(letters) != 1 || letters[0].GetSizeBytes() >= size || letters[0].GetSizeBytes() < size/2 || !strings.Contains(letters[0].GetReason(), "bytes are kept") {
		t.Fatalf("letters = %.300s", letters)
	}
}

// Pages go on after the last sequence.
func TestDeadLetterPages(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.start(t, b.conn)
	var last uint64
	for range 5 {
		last = b.publish(t, "crm.v1.customer.upserted", []byte{0xff})
	}
	b.await(t, last)
	var seen []uint64
	for after := uint64(0); ; {
		page, err := b.server.ListDeadLetters(t.Context(), &analyticsv1.ListDeadLettersRequest{PageSize: 2, AfterSequence: after})
		if err != nil {
			t.Fatal(err)
		}
		if len(page.GetDeadLetters()) == 0 {
			break
		}
		for _, letter := range page.GetDeadLetters() {
			seen = append(seen, letter.GetStreamSequence())
			after = letter.GetSequence()
		}
	}
	if !slices.Equal(seen, []uint64{1, 2, 3, 4, 5}) {
		t.Fatalf("letters of %v", seen)
	}
}
