package natsx_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tandem.bank/pkg/natsx"
	"tandem.bank/pkg/testkit"
)

func connect(t *testing.T, url string) (*nats.Conn, jetstream.JetStream) {
	t.Helper()
	nc, js, err := natsx.Connect(t.Context(), natsx.Config{URL: url, Name: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc, js
}

func TestEnsureStreams(t *testing.T) {
	t.Parallel()
	_, js := connect(t, testkit.NATS(t))
	for _, maxAge := range []time.Duration{natsx.MaxAgeDefault, time.Hour, time.Minute} { // once made, then changed
		// A service with a setting, and one without that comes after it.
		for _, opts := range [][]natsx.StreamOption{{natsx.WithMaxAge(maxAge)}, nil} {
			if err := natsx.EnsureStreams(t.Context(), js, opts...); err != nil {
				t.Fatal(err)
			}
		}
		for name, subject := range map[string]string{
			natsx.StreamCRM: natsx.SubjectChanges, natsx.StreamInsight: natsx.SubjectInsights, natsx.StreamCRMDLQ: natsx.SubjectDeadLetters,
		} {
			stream, err := js.Stream(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			c := stream.CachedInfo().Config
			if diff := cmp.Diff([]string{subject}, c.Subjects); diff != "" {
				t.Errorf("subjects of %s (-want +got):\n%s", name, diff)
			}
			sizeMax := int32(natsx.MessageBytesMax)
			if name == natsx.StreamCRMDLQ {
				sizeMax = -1
			}
			if c.MaxAge != maxAge || c.Duplicates > maxAge || c.MaxMsgSize != sizeMax {
				t.Errorf("%s: age %s, duplicates %s, size %d", name, c.MaxAge, c.Duplicates, c.MaxMsgSize)
			}
		}
	}
}

func TestMessagesAreStoredOnce(t *testing.T) {
	t.Parallel()
	_, js := connect(t, testkit.NATS(t))
	if err := natsx.EnsureStreams(t.Context(), js); err != nil {
		t.Fatal(err)
	}
	// The largest payload fits with its headers, once.
	for _, duplicate := range []bool{false, true} {
		ack, err := js.Publish(t.Context(), natsx.ChangeSubject("card", true), make([]byte, natsx.PayloadBytesMax), jetstream.WithMsgID("1"))
		if err != nil {
			t.Fatal(err)
		}
		if ack.Stream != natsx.StreamCRM || ack.Sequence != 1 || ack.Duplicate != duplicate {
			t.Errorf("acknowledged as %+v", ack)
		}
	}
}

func TestSubjects(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		natsx.ChangeSubject("card", false):              "crm.v1.card.upserted",
		natsx.ChangeSubject("transaction_bundle", true): "crm.v1.transaction_bundle.deleted",
		natsx.InsightSubject("rfm"):                     "insight.v1.rfm",
	} {
		if got != want {
			t.Errorf("subject %s, want %s", got, want)
		}
	}
}

func TestConnectWithoutServer(t *testing.T) {
	t.Parallel()
	// Port 1 answers nobody: the connection is there all the same, and keeps trying.
	nc, _ := connect(t, "nats://127.0.0.1:1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := natsx.AwaitConnected(ctx, nc); !errors.Is(err, context.Canceled) {
		t.Errorf("AwaitConnected: %v", err)
	}
	nc.Close()
	if err := natsx.AwaitConnected(t.Context(), nc); !errors.Is(err, nats.ErrConnectionClosed) {
		t.Errorf("AwaitConnected after Close: %v", err)
	}
}

func TestAwaitConnected(t *testing.T) {
	t.Parallel()
	nc, _ := connect(t, testkit.NATS(t))
	if err := natsx.AwaitConnected(t.Context(), nc); err != nil {
		t.Error(err)
	}
}

func TestConfigIsValidated(t *testing.T) {
	t.Parallel()
	if _, _, err := natsx.Connect(t.Context(), natsx.Config{}); err == nil {
		t.Error("an empty configuration was accepted")
	}
}
