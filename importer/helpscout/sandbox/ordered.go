package sandbox

import (
	"cmp"
	"iter"
	"slices"
)

// ordered keeps conversations sorted by a moment and then by id, in chunks, so that a million of them take inserts
// in any order and range reads without moving more than one chunk.
type ordered struct {
	key    func(*conversation) int64 // unix seconds; must not change while the conversation is in here
	chunks [][]*conversation         // none empty
}

const chunkSize = 1024

func (o *ordered) compare(a, b *conversation) int {
	if c := cmp.Compare(o.key(a), o.key(b)); c != 0 {
		return c
	}
	return cmp.Compare(a.id, b.id)
}

// chunk is the one that holds c or should.
func (o *ordered) chunk(c *conversation) int {
	i, found := slices.BinarySearchFunc(o.chunks, c, func(chunk []*conversation, c *conversation) int {
		return o.compare(chunk[0], c)
	})
	if !found && i > 0 {
		i--
	}
	return i
}

func (o *ordered) insert(c *conversation) {
	if len(o.chunks) == 0 {
		o.chunks = append(o.chunks, append(make([]*conversation, 0, 16), c))
		return
	}
	i := o.chunk(c)
	at, _ := slices.BinarySearchFunc(o.chunks[i], c, o.compare)
	o.chunks[i] = slices.Insert(o.chunks[i], at, c)
	if n := len(o.chunks[i]); n > chunkSize {
		cut := n / 2
		if at == n-1 {
			cut = n - 1 // appended in order: leave full chunks behind
		}
		right := append(make([]*conversation, 0, chunkSize), o.chunks[i][cut:]...)
		clear(o.chunks[i][cut:])
		o.chunks[i] = o.chunks[i][:cut]
		o.chunks = slices.Insert(o.chunks, i+1, right)
	}
}

func (o *ordered) remove(c *conversation) {
	if len(o.chunks) == 0 {
		return
	}
	i := o.chunk(c)
	at, found := slices.BinarySearchFunc(o.chunks[i], c, o.compare)
	if !found {
		return
	}
	o.chunks[i] = slices.Delete(o.chunks[i], at, at+1)
	if len(o.chunks[i]) == 0 {
		o.chunks = slices.Delete(o.chunks, i, i+1)
	}
}

// within yields what lies in [from, to], ascending.
func (o *ordered) within(from, to int64) iter.Seq[*conversation] {
	return func(yield func(*conversation) bool) {
		first, _ := slices.BinarySearchFunc(o.chunks, from, func(chunk []*conversation, from int64) int {
			return cmp.Compare(o.key(chunk[len(chunk)-1]), from)
		})
		for _, chunk := range o.chunks[first:] {
			at, _ := slices.BinarySearchFunc(chunk, from, func(c *conversation, from int64) int {
				if o.key(c) >= from {
					return 1 // the first of its second
				}
				return -1
			})
			for _, c := range chunk[at:] {
				if o.key(c) > to || !yield(c) {
					return
				}
			}
		}
	}
}

// all yields everything, ascending or descending.
func (o *ordered) all(desc bool) iter.Seq[*conversation] {
	return func(yield func(*conversation) bool) {
		if !desc {
			for _, chunk := range o.chunks {
				for _, c := range chunk {
					if !yield(c) {
						return
					}
				}
			}
			return
		}
		for _, chunk := range slices.Backward(o.chunks) {
			for _, c := range slices.Backward(chunk) {
				if !yield(c) {
					return
				}
			}
		}
	}
}
