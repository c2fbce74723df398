// Package chance draws random numbers that are the same on every machine and with every release of Go.
//
// A Stream is a PCG-DXSM generator (the algorithm of math/rand/v2's PCG, fixed by its documentation) whose start is
// hashed from a seed, a subject and a purpose. Streams of different subjects or purposes have nothing to do with each
// other: adding a draw to one leaves all others as they were.
package chance

import (
	"math"
	"math/bits"
	"math/rand/v2"
)

// Stream is a source of draws; it is not safe for concurrent use. Start it with Seed.
type Stream struct {
	source rand.PCG
}

// Seed starts the stream of a subject and a purpose over.
func (s *Stream) Seed(seed, subject, purpose uint64) {
	first := mix(seed ^ mix(subject^mix(purpose)))
	s.source.Seed(first, mix(first))
}

// mix is the output function of SplitMix64 (Steele, Lea & Flood 2014), a bijection that spreads each bit over all.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Uniform draws evenly between 0 and 1, both excluded.
func (s *Stream) Uniform() float64 {
	return (float64(s.source.Uint64()>>12) + 0.5) / (1 << 52)
}

// Between draws evenly between two bounds.
func (s *Stream) Between(low, high float64) float64 {
	return low + float64((high-low)*s.Uniform())
}

// Happens is true with the given probability.
func (s *Stream) Happens(probability float64) bool {
	return s.Uniform() < probability
}

// Below draws a whole number from 0 to n−1. The bias of this multiplication is n/2⁶⁴.
func (s *Stream) Below(n int) int {
	high, _ := bits.Mul64(s.source.Uint64(), uint64(n))
	return int(high)
}

// Whole draws a whole number between two bounds, both included.
func (s *Stream) Whole(low, high int) int {
	return low + s.Below(high-low+1)
}

// Weighted draws an index with probability proportional to its weight.
func (s *Stream) Weighted(weights []int) int {
	sum := 0
	for _, weight := range weights {
		sum += weight
	}
	left := s.Below(sum)
	for i, weight := range weights {
		if left -= weight; left < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// Normal draws from the standard normal distribution by the polar method (Marsaglia & Bray 1964).
func (s *Stream) Normal() float64 {
	for {
		x, y := s.Between(-1, 1), s.Between(-1, 1)
		square := float64(x*x) + float64(y*y)
		if square < 1 && square > 0 {
			return x * math.Sqrt(float64(-2*Log(square))/square)
		}
	}
}

// LogNormal draws a number whose logarithm is normal around that of the median, with deviation sigma.
func (s *Stream) LogNormal(median, sigma float64) float64 {
	return median * Exp(float64(sigma*s.Normal()))
}

// Exponential draws a waiting time with the given rate.
func (s *Stream) Exponential(rate float64) float64 {
	return -Log(s.Uniform()) / rate
}

// Poisson draws a count with the given mean, by adding up waiting times; its cost grows with the mean.
func (s *Stream) Poisson(mean float64) int {
	count := 0
	for left := mean - s.Exponential(1); left > 0; left -= s.Exponential(1) {
		count++
	}
	return count
}

// Gamma draws from the gamma distribution with mean shape/rate (Marsaglia & Tsang 2000).
func (s *Stream) Gamma(shape, rate float64) float64 {
	if shape < 1 {
		// Gamma(shape) = Gamma(shape+1) · U^(1/shape), from the same paper.
		return s.Gamma(shape+1, rate) * Power(s.Uniform(), 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := s.Normal()
		root := 1 + float64(c*x)
		if root <= 0 {
			continue
		}
		v := float64(root * root * root)
		if Log(s.Uniform()) < float64(x*x/2)+float64(d*(1-v+Log(v))) {
			return float64(d*v) / rate
		}
	}
}

// Beta draws from the beta distribution with mean a/(a+b).
func (s *Stream) Beta(a, b float64) float64 {
	x, y := s.Gamma(a, 1), s.Gamma(b, 1)
	return x / (x + y)
}
