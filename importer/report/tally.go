package report

import (
	"cmp"
	"slices"
)

// A tally counts by key. It keeps at most max keys, the first that come; what comes under further ones is counted in
// rest, so that the sum is always whole.
type tally[K comparable] struct {
	max  int
	n    map[K]int
	rest int
}

func newTally[K comparable](most int) tally[K] { return tally[K]{max: most, n: map[K]int{}} }

// add counts n under k. The key is kept as it is: strings in it must not belong to a larger text.
func (t *tally[K]) add(k K, n int) {
	if _, known := t.n[k]; !known && len(t.n) >= t.max {
		t.rest += n
		return
	}
	t.n[k] += n
}

// A distinct set counts different values by 64-bit digests: 8 bytes each, exact up to maxDistinct.
type distinct struct {
	sorted, fresh []uint64
	full          bool
}

const maxDistinct = 4 << 20

func (d *distinct) add(x uint64) {
	if d.full {
		return
	}
	if _, known := slices.BinarySearch(d.sorted, x); known {
		return
	}
	if d.fresh = append(d.fresh, x); len(d.fresh) >= max(1024, len(d.sorted)) {
		d.merge()
	}
}

func (d *distinct) merge() {
	d.sorted = append(d.sorted, d.fresh...)
	d.fresh = d.fresh[:0]
	slices.Sort(d.sorted)
	d.sorted = slices.Compact(d.sorted)
	d.full = len(d.sorted) >= maxDistinct
}

// count is the number of different values; atLeast says that there were too many to go on counting.
func (d *distinct) count() (n int, atLeast bool) {
	d.merge()
	return len(d.sorted), d.full
}

// digest is FNV-1a: quick, the same everywhere, and good enough to count by.
func digest(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	// FNV leaves keys that differ in their last character side by side; the sample needs them apart.
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>32
}

// A top list keeps the size greatest items; of equals, those that came first.
type top[T any] struct {
	size    int
	greater func(a, b T) int // negative when a goes before b
	items   []T
}

// wants reports that x would be kept: making the whole of an item may be dear.
func (t *top[T]) wants(x T) bool {
	return len(t.items) < t.size || t.greater(x, t.items[len(t.items)-1]) < 0
}

func (t *top[T]) add(x T) {
	if !t.wants(x) {
		return
	}
	at := len(t.items)
	for at > 0 && t.greater(x, t.items[at-1]) < 0 {
		at--
	}
	t.items = slices.Insert(t.items, at, x)
	if len(t.items) > t.size {
		t.items = t.items[:t.size]
	}
}

// monthly counts by month, for each of a bounded number of values.
type monthly struct {
	max  int
	by   map[party]map[int]int
	rest map[int]int
}

func newMonthly(most int) monthly {
	return monthly{max: most, by: map[party]map[int]int{}, rest: map[int]int{}}
}

func (m *monthly) add(p party, month int) {
	months := m.by[p]
	switch {
	case months != nil:
	case len(m.by) >= m.max:
		months = m.rest
	default:
		months = map[int]int{}
		m.by[p] = months
	}
	months[month]++
}

// A party is somebody or something on either side: an id of the account, or (0) a name of the source.
type party struct {
	id   int64
	name string
}

func (p party) compare(q party) int {
	return cmp.Or(cmp.Compare(p.id, q.id), cmp.Compare(p.name, q.name))
}
