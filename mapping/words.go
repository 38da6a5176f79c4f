package mapping

import (
	"math/bits"
	"unicode/utf8"
)

// Texts are looked through eight bytes at a time: in most of them very few bytes need a second look. Each test below
// marks bytes of a word by their highest bit. A mark may be wrong only above a right one, so that the lowest mark, which
// is all that is looked at, is always right.

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// wordAt is the eight bytes at s[i], the first one lowest.
func wordAt(s string, i int) uint64 {
	w := s[i : i+8]
	return uint64(w[0]) | uint64(w[1])<<8 | uint64(w[2])<<16 | uint64(w[3])<<24 |
		uint64(w[4])<<32 | uint64(w[5])<<40 | uint64(w[6])<<48 | uint64(w[7])<<56
}

// equal marks the bytes that are c.
func equal(x uint64, c byte) uint64 {
	x ^= ones * uint64(c)
	return (x - ones) &^ x & highs
}

// control marks the bytes below a space.
func control(x uint64) uint64 { return (x - ones*' ') &^ x & highs }

// foreign marks the bytes that are not ASCII.
func foreign(x uint64) uint64 { return x & highs }

// gaps marks a space that another one follows, and one at the end of the word, whose follower is not seen.
func gaps(x uint64) uint64 {
	x ^= ones * ' '
	spaces := ^((x&^highs + ^uint64(highs)) | x) & highs // with no wrong mark, for two of them are compared
	return spaces & (spaces>>8 | 1<<63)
}

// lowest is the place of the lowest mark. Words without a mark are passed by a branch, which the processor foresees, so
// that they do not wait for each other.
func lowest(marks uint64) int { return bits.TrailingZeros64(marks) >> 3 }

// nextForeign is the place of the first byte that is not ASCII, or the length of s.
func nextForeign(s string) int {
	i := 0
	for i+8 <= len(s) {
		if marks := foreign(wordAt(s, i)); marks != 0 {
			return i + lowest(marks)
		}
		i += 8
	}
	for i < len(s) && s[i] < utf8.RuneSelf {
		i++
	}
	return i
}

// nextEscaped is the place of the next byte at or after i that needs a second look in a JSON string, or the length of s.
func nextEscaped(s string, i int) int {
	for i+8 <= len(s) {
		x := wordAt(s, i)
		if marks := control(x) | equal(x, '"') | equal(x, '\\') | equal(x, 0xe2); marks != 0 {
			return i + lowest(marks)
		}
		i += 8
	}
	for i < len(s) && asIs[s[i]] {
		i++
	}
	return i
}
