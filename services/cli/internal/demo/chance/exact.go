package chance

import "math"

// The standard library's Exp and Log have assembly on some processors and their last bit differs between machines, and
// a compiler may fuse x*y + z into one instruction with another rounding. The functions here use only operations that
// IEEE 754 rounds exactly, and each product that meets a sum is wrapped in float64(), which the language says is never
// fused. Their error is a few units in the last place, far below what a random draw could show.

const (
	// ln2High and ln2Low add up to the natural logarithm of 2; the first has trailing zero bits, so that its products
	// with small whole numbers are exact.
	ln2High = 6.93147180369123816490e-01
	ln2Low  = 1.90821492927058770002e-10

	logTerms = 12 // terms of the series in Log; (√2−1)²/(√2+1)² to that power is below 2⁻⁵³
	expTerms = 14 // terms of the series in Exp; (ln 2 / 2)¹⁴ / 14! is below 2⁻⁵³
)

// Log returns the natural logarithm of a positive number.
func Log(x float64) float64 {
	mantissa, exponent := math.Frexp(x) // x = mantissa · 2^exponent, mantissa in [½, 1)
	if mantissa < math.Sqrt2/2 {
		mantissa, exponent = mantissa*2, exponent-1
	}
	// ln m = 2 · artanh((m−1)/(m+1)) = 2 · (s + s³/3 + s⁵/5 + …)
	s := (mantissa - 1) / (mantissa + 1)
	square := float64(s * s)
	sum := 0.0
	for term := logTerms; term >= 1; term-- {
		sum = float64(sum*square) + 1/float64(2*term-1)
	}
	e := float64(exponent)
	return float64(e*ln2High) + (float64(2*float64(s*sum)) + float64(e*ln2Low))
}

// Exp returns e to the power x, for |x| below 700.
func Exp(x float64) float64 {
	whole := math.Floor(float64(x/math.Ln2) + 0.5)
	rest := (x - float64(whole*ln2High)) - float64(whole*ln2Low) // |rest| ≤ ln 2 / 2
	sum := 1.0
	for term := expTerms; term >= 1; term-- {
		sum = 1 + float64(sum*rest)/float64(term)
	}
	return math.Ldexp(sum, int(whole))
}

// Power returns a positive base to any exponent.
func Power(base, exponent float64) float64 {
	return Exp(float64(exponent * Log(base)))
}
