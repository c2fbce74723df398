package cluster

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/mixture"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
)

// ReasonTooFew is the reason of FAILED_PRECONDITION for customers who can't be told apart into so many clusters.
const ReasonTooFew = "TOO_FEW_CUSTOMERS"

// Model is a fitted model as it is kept with a run.
type Model struct {
	Space       Space         `json:"space"`
	Shape       mixture.Shape `json:"shape"`
	Weights     []float64     `json:"weights"`
	Means       [][]float64   `json:"means"`
	Covariances [][]float64   `json:"covariances"`
	// Numbers of the clusters, ascending, in the order of the means.
	Numbers []uint32 `json:"numbers"`
	// LastNumber is the greatest number that was ever given.
	LastNumber uint32 `json:"last_number"`
	// New are the clusters without a counterpart in the run before.
	New []uint32 `json:"new,omitempty"`
	// Sample is how many customers it was fitted to.
	Sample        int     `json:"sample"`
	LogLikelihood float64 `json:"log_likelihood"`
	Iterations    int     `json:"iterations"`
	Converged     bool    `json:"converged"`
	Trials        []Trial `json:"trials"`
	// Previous is the run whose numbers go on; empty when there is none.
	Previous string `json:"previous,omitempty"`
}

// Trial is what came of one number of clusters.
type Trial struct {
	Clusters      int     `json:"clusters"`
	LogLikelihood float64 `json:"log_likelihood"`
	Parameters    int     `json:"parameters"`
	BIC           float64 `json:"bic"`
	Converged     bool    `json:"converged"`
	Refusal       string  `json:"refusal,omitempty"`
}

// restored is the mixture of the model.
func (m *Model) restored() (*mixture.Model, error) {
	return mixture.NewModel(m.Shape, m.Weights, m.Means, m.Covariances)
}

// centres are the means in the units of the facts.
func (m *Model) centres() [][]float64 {
	out := make([][]float64, len(m.Means))
	for g, mean := range m.Means {
		out[g] = m.Space.centre(mean)
	}
	return out
}

// fit finds the clusters of a sample; they have no numbers yet.
func fit(ctx context.Context, spec *definitionv1.ClusteringDefinition, sample [][]*float64) (*Model, *mixture.Model, error) {
	if len(sample) == 0 {
		return nil, nil, tooFew("no customer is in the population")
	}
	space := newSpace(spec.GetFacts(), sample)
	if space.dims() == 0 {
		return nil, nil, tooFew("all facts are the same for all %d customers of the sample", len(sample))
	}
	points, err := space.points(sample)
	if err != nil {
		return nil, nil, tooFew("the facts have no places: %v", err)
	}
	shape := shapes[spec.GetMethod()]
	options := mixture.Options{
		Seed: uint64(spec.GetSeed()), Starts: int(spec.GetStarts()), Floor: spec.GetVarianceFloor(), //nolint:gosec // not negative
	}
	best, trials, err := mixture.Choose(ctx, int(spec.GetClustersMin()), int(spec.GetClustersMax()),
		func(ctx context.Context, k int) (*mixture.Model, error) {
			if shape == mixture.Spherical {
				return mixture.KMeans(ctx, points, k, options)
			}
			return mixture.EM(ctx, points, k, shape, options)
		})
	if errors.Is(err, mixture.ErrTooFew) {
		return nil, nil, tooFew("the sample of %d customers: %v", len(sample), err)
	}
	if err != nil {
		return nil, nil, err
	}
	return &Model{
		Space: space, Shape: shape, Sample: len(sample), LogLikelihood: best.LogLikelihood, Iterations: best.Iterations,
		Converged: best.Converged, Trials: trialsOf(trials),
	}, best, nil
}

func tooFew(format string, args ...any) error {
	return apperr.New(codes.FailedPrecondition, ReasonTooFew, format, args...)
}

func trialsOf(trials []mixture.Trial) []Trial {
	out := make([]Trial, len(trials))
	for i, t := range trials {
		out[i] = Trial{Clusters: t.Groups}
		if t.Err != nil {
			out[i].Refusal = t.Err.Error()
			continue
		}
		out[i].LogLikelihood, out[i].Parameters, out[i].BIC, out[i].Converged = t.Model.LogLikelihood, t.Model.Parameters, t.Model.BIC(), t.Model.Converged
	}
	return out
}

// number gives the clusters of a fit their numbers: those of the nearest clusters of an earlier model, new ones to the rest, the
// greatest cluster first.
func (m *Model) number(fitted *mixture.Model, earlier *Model) error {
	matched := make([]int, fitted.Groups())
	for g := range matched {
		matched[g] = -1
	}
	if earlier != nil {
		matched = m.match(fitted, earlier)
		m.LastNumber = earlier.LastNumber
	}
	order := make([]int, fitted.Groups())
	for g := range order {
		order[g] = g
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(-cmp.Compare(fitted.Weights[a], fitted.Weights[b]), slices.Compare(fitted.Means[a], fitted.Means[b]))
	})
	numbers := make([]uint32, fitted.Groups())
	for _, g := range order {
		if matched[g] >= 0 {
			numbers[g] = earlier.Numbers[matched[g]]
			continue
		}
		m.LastNumber++
		numbers[g] = m.LastNumber
		m.New = append(m.New, m.LastNumber)
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(numbers[a], numbers[b]) })
	if err := fitted.Reorder(order); err != nil {
		return err
	}
	slices.Sort(numbers)
	m.Numbers, m.Weights, m.Means, m.Covariances = numbers, fitted.Weights, fitted.Means, fitted.Covariances
	return nil
}

// match finds the earlier cluster of each, by distances in the space of the earlier model.
func (m *Model) match(fitted *mixture.Model, earlier *Model) []int {
	now, then := make([][]float64, fitted.Groups()), make([][]float64, len(earlier.Means))
	for g := range now {
		now[g] = earlier.Space.within(m.Space.centre(fitted.Means[g]))
	}
	copy(then, earlier.Means)
	return mixture.Match(then, now)
}

// continues says whether the numbers of an earlier model can go on in this one: it was made of the same facts.
func (m *Model) continues(earlier *Model) bool {
	return slices.EqualFunc(m.Space, earlier.Space, func(a, b Axis) bool { return a.Fact == b.Fact })
}
