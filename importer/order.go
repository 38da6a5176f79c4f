package importer

import (
	"time"

	"hsimport/checkpoint"
	"hsimport/mapping"
)

// A rank orders the parts of a run: live tickets first, then newest to oldest, so that an evening that ends at 60 % has
// done the useful 60 %. It is unique for each ticket and the same for all its parts.
//
//	bit 62      0 live, 1 not (live-first only)
//	bits 28-61  seconds, inverted where newer comes first
//	bits 0-27   the ticket's place in the source's order
func rank(order string, live bool, last time.Time, index int) int64 {
	const secondBits = 34
	sec := min(max(last.Unix(), 0), 1<<secondBits-1)
	if order != "oldest" {
		sec = 1<<secondBits - 1 - sec
	}
	r := sec<<28 | int64(index)&(1<<28-1)
	if (order == "" || order == "live-first") && !live {
		r |= 1 << 62
	}
	return r
}

// A group is the pending parts of one ticket, in order: one worker delivers it.
type group struct {
	ticket string
	parts  []checkpoint.Part
}

// maxCanary bounds the handful that is read back before the rest goes out; each further mailbox adds one.
const maxCanary = 8

// canaryPick remembers, while the pending parts are looked through in send order, the tickets that first show something
// the job uses.
type canaryPick struct {
	seen  mapping.Traits
	picks []string
	last  string
}

func (c *canaryPick) look(p *checkpoint.Part) {
	fresh := mapping.Traits(p.Traits) &^ c.seen
	if fresh == 0 || c.last == p.Ticket || len(c.picks) >= maxCanary && fresh&mapping.RouteTraits == 0 {
		return
	}
	c.seen |= fresh
	c.last = p.Ticket
	c.picks = append(c.picks, p.Ticket)
}
