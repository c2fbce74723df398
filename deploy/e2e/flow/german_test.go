package flow

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// badLoans foretells the mark from all attributes, on everybody: the figures that were published are in sample.
const badLoans = `name: bad_loans
title: Loans that go bad
spec:
  score_model:
    target: attribute.bad = true
    horizon_days: 0
    split: {kind: SCORE_SPLIT_KIND_NONE}
    grades: [{name: bad, from: 0.5}, {name: good, from: 0}]
    features:
      - {fact: attribute.checking_status}
      - {fact: attribute.duration_months}
      - {fact: attribute.credit_history}
      - {fact: attribute.purpose}
      - {fact: attribute.credit_amount}
      - {fact: attribute.savings}
      - {fact: attribute.employment_since}
      - {fact: attribute.instalment_rate}
      - {fact: attribute.personal_status}
      - {fact: attribute.other_debtors}
      - {fact: attribute.residence_since}
      - {fact: attribute.property}
      - {fact: attribute.age_years}
      - {fact: attribute.other_instalments}
      - {fact: attribute.housing}
      - {fact: attribute.credits_here}
      - {fact: attribute.job}
      - {fact: attribute.liable_people}
      - {fact: attribute.telephone}
      - {fact: attribute.foreign_worker}
`

// TestGermanCredit takes the German credit data through the whole path: file, mapping, events, facts, training. The published figures
// come out. Where the data are not at hand, drawn loans go the same way, and their known parameters come out.
func TestGermanCredit(t *testing.T) {
	t.Parallel()
	b := open(t)
	folder, published := b.germanCredit(t)
	b.tandem(t, 0, "import", "--mapping", "german_credit", folder)
	b.tandem(t, 0, "wait", "--timeout", catchUpTimeout)
	// Facts of today follow ingestion in their own time.
	b.tandem(t, 0, "facts", "refresh")
	b.tandem(t, 0, "definition", "apply", b.file(t, "bad_loans.yaml", badLoans))
	b.tandem(t, 0, "wait")
	today := time.Now().In(b.zone(t)).Format(time.DateOnly)
	trained := &analyticsv1.TrainModelResponse{}
	b.json(t, trained, "score", "train", "bad_loans", "--as-of", today)
	m := trained.GetModel()
	if published {
		b.comparePublished(t, m)
	} else {
		b.compareDrawnLoans(t, m)
	}
	b.scoreLoans(t, m, today)
}

// germanCredit returns a folder with the file, and whether it is the real one.
func (b *bank) germanCredit(t *testing.T) (folder string, published bool) {
	t.Helper()
	folder = filepath.Join(b.root, "..", "shared", "data", "german_credit")
	if _, err := os.Stat(filepath.Join(folder, "german.data")); err == nil {
		t.Log("with the German credit data")
		return folder, true
	}
	t.Log("the German credit data are not at ../shared/data/german_credit beside the project: drawn loans take their place")
	folder = t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "german.data"), []byte(drawnLoans(1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder, false
}

// drawnLoans have the log-odds −1 + 0.06·(duration − 20), and 1 less for those of the checking status A14.
func drawnLoans(n int) string {
	random := rand.New(rand.NewPCG(1994, 11))
	codes := map[int][]string{
		0: {"A11", "A12", "A13", "A14"}, 2: {"A30", "A32", "A34"}, 3: {"A40", "A41", "A43"}, 5: {"A61", "A65"}, 6: {"A71", "A73", "A75"},
		8: {"A91", "A92", "A93"}, 9: {"A101", "A103"}, 11: {"A121", "A122", "A124"}, 13: {"A141", "A143"}, 14: {"A151", "A152"}, 16: {"A171", "A173"},
		18: {"A191", "A192"}, 19: {"A201", "A202"},
	}
	var out strings.Builder
	for range n {
		fields := make([]string, 21)
		for j := range 20 {
			fields[j] = strconv.Itoa(1 + random.IntN(40))
			if of := codes[j]; of != nil {
				fields[j] = of[random.IntN(len(of))]
			}
		}
		duration, _ := strconv.Atoi(fields[1])
		odds := -1 + 0.06*float64(duration-20)
		if fields[0] == "A14" {
			odds--
		}
		fields[20] = "1"
		if random.Float64() < 1/(1+math.Exp(-odds)) {
			fields[20] = "2"
		}
		out.WriteString(strings.Join(fields, " ") + "\n")
	}
	return out.String()
}

func (*bank) zone(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Prague")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func (*bank) comparePublished(t *testing.T, m *analyticsv1.ScoreModel) {
	t.Helper()
	got := m.GetTraining()
	digit(t, "log-likelihood", got.GetLogLikelihood(), "-447.9089")
	digit(t, "AUC", got.GetAuc(), ".8338")
	digit(t, "KS", got.GetKs(), ".5314")
	for _, l := range got.GetLifts() {
		if l.GetShare() == 0.1 {
			digit(t, "top 10 % lift", l.GetLift(), "2.667")
		}
	}
	if len(m.GetParameters()) != 49 || len(m.GetLeftOut()) != 0 || got.GetCustomers() != 1000 || got.GetEvents() != 300 || m.GetHoldout() != nil {
		t.Errorf("%d parameters, left out %v, %v", len(m.GetParameters()), m.GetLeftOut(), got)
	}
}

func (*bank) compareDrawnLoans(t *testing.T, m *analyticsv1.ScoreModel) {
	t.Helper()
	for name, want := range map[string]float64{"attribute.duration_months": 0.06, "attribute.checking_status = A14": -1, "attribute.age_years": 0} {
		at := slices.IndexFunc(m.GetParameters(), func(p *analyticsv1.ScoreParameter) bool { return p.GetName() == name })
		if at < 0 || math.Abs(m.GetParameters()[at].GetValue()-want) > 4*m.GetParameters()[at].GetStandardError() {
			t.Errorf("%s is not %g: %v", name, want, m.GetParameters())
		}
	}
}

// scoreLoans promotes the model, scores by it, and explains a score: it adds up, and stands beside the customer in crm.
func (b *bank) scoreLoans(t *testing.T, m *analyticsv1.ScoreModel, today string) {
	t.Helper()
	if out := b.tandem(t, 0, "score", "promote", "bad_loans", "--trained-as-of", today); !strings.Contains(out, "champion of bad_loans is the model of "+today+", version 2") {
		t.Error(out)
	}
	b.tandem(t, 0, "wait")
	run := &analyticsv1.RunScoreResponse{}
	b.json(t, run, "score", "run", "bad_loans", "--as-of", today)
	if r := run.GetRun(); r.GetCustomers() != 1000 || r.GetModelVersion() != m.GetModelVersion() || r.GetDefinitionVersion() != 2 || r.GetStabilityIndex() > 1e-6 {
		t.Errorf("%v", r)
	}
	if out := b.tandem(t, 0, "score", "models", "bad_loans"); !strings.Contains(out, "champion") {
		t.Error(out)
	}
	highest := strings.Split(strings.TrimSpace(b.tandem(t, 0, "score", "list", "bad_loans", "--order", "highest", "--limit", "1", "--csv")), "\n")
	if len(highest) != 2 {
		t.Fatal(highest)
	}
	customer, _, _ := strings.Cut(highest[1], ",")
	explained := &analyticsv1.ExplainScoreResponse{}
	b.json(t, explained, "score", "explain", customer, "bad_loans")
	sum := explained.GetBase()
	for _, c := range explained.GetContributions() {
		sum += c.GetValue()
	}
	if sum != explained.GetTotal() || explained.GetCustomer().GetValue() != 1/(1+math.Exp(-sum)) || len(explained.GetRaising()) == 0 {
		t.Errorf("%v adds up to %v", explained, sum)
	}
	b.tandem(t, 0, "definition", "init")
	b.tandem(t, 0, "wait")
	b.json(t, run, "score", "run", "lead_quality", "--as-of", today)
	if r := run.GetRun(); r.GetCustomers() != 1000 || r.GetKind() != analyticsv1.ScoreKind_SCORE_KIND_SCORECARD {
		t.Fatalf("%v", r)
	}
	if out := b.tandem(t, 0, "score", "explain", customer, "lead_quality"); !strings.Contains(out, "together") {
		t.Error(out)
	}
}
