package column

import mathbits "math/bits"

// nextBit returns the place of the first bit that is set from one place on, or to if there is none
// before that.
func nextBit(bits []uint64, from, to int) int {
	for w := from >> 6; w < len(bits) && w<<6 < to; w++ {
		word := bits[w]
		if w == from>>6 {
			word &= ^uint64(0) << (from & 63)
		}
		if word != 0 {
			return min(to, w<<6+mathbits.TrailingZeros64(word))
		}
	}
	return to
}
