package importer

import (
	"context"
	"hash/maphash"
	"strings"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
)

// A LeftCustomer came into being with a conversation that was rolled back, and is the customer of no other one. The API
// deletes no customer as a side effect, and neither do we: a person decides.
type LeftCustomer struct {
	MessageType string    `json:"message_type"` // customer
	ID          int64     `json:"id"`
	Name        string    `json:"name,omitempty"`
	Email       string    `json:"email"`
	Created     time.Time `json:"created_at"`
}

// leftBehind is what the deleted conversations tell of their customers, in few bytes: there may be a million.
type leftBehind struct {
	seed      maphash.Seed
	addresses map[uint64]bool
	deleted   map[int64]bool // conversations
	used      map[int64]bool // customers of conversations that are there
}

func (l *leftBehind) hash(address string) uint64 {
	return maphash.String(l.seed, strings.ToLower(strings.TrimSpace(address)))
}

// leftCustomers lists the customers that this job has brought along: those of the customers list that were created since
// the job began, whose address a deleted conversation carried, and who are not the customer of any conversation that was
// changed since then; older ones cannot be theirs. It costs a unit for fifty of either.
func (r *rollback) leftCustomers(ctx context.Context) error {
	if r.how.Left == nil || r.n.Deleted == 0 {
		return nil
	}
	r.tell(Event{Kind: EventPhase, Text: "looking for the customers that came with them"})
	l := &leftBehind{maphash.MakeSeed(), map[uint64]bool{}, map[int64]bool{}, map[int64]bool{}}
	for row, err := range r.store.InState(ctx, checkpoint.Deleted) {
		if err != nil {
			return err
		}
		l.deleted[row.DeletedID] = true
		ev, _ := decodeEvidence(row.Evidence) // without it nothing is known of its people
		l.addresses[l.hash(ev.Email)] = true
		for _, t := range ev.Threads {
			l.addresses[l.hash(t.Email)] = true
		}
	}
	since := r.jobStart.Add(-clocksDiffer).UTC().Format(helpscout.TimeLayout)
	err := r.pages(ctx, helpscout.ListQuery{Status: "all", ModifiedSince: since, SortField: "number", SortOrder: "asc"}, func(cs []helpscout.Conversation) bool {
		for i := range cs {
			if c := cs[i].Customer; c != nil && !l.deleted[cs[i].ID] { // the list may still show what is deleted
				l.used[c.ID] = true
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	return r.walkCustomers(ctx, since, l)
}

func (r *rollback) walkCustomers(ctx context.Context, since string, l *leftBehind) error {
	type answer struct {
		list []helpscout.Customer
		page helpscout.Page
	}
	seen := map[int64]bool{}
	for n := 1; n <= maxWalkPages; n++ {
		if err := r.halted(ctx); err != nil {
			return err
		}
		a, err := read(ctx, r.engine, func() (answer, error) {
			list, page, err := r.Client.CustomersSince(ctx, since, n)
			return answer{list, page}, err
		})
		if err != nil {
			return err
		}
		for i := range a.list {
			c := &a.list[i]
			email := l.came(c, r.jobStart)
			if email == "" || seen[c.ID] {
				continue
			}
			seen[c.ID] = true
			r.n.Customers++
			name := strings.TrimSpace(c.FirstName + " " + c.LastName)
			if err := r.how.Left(LeftCustomer{"customer", c.ID, name, email, c.CreatedAt.Time}); err != nil {
				return err
			}
		}
		if len(a.list) == 0 || a.page.TotalPages > 0 && n >= a.page.TotalPages {
			return nil
		}
	}
	return nil
}

// came returns the address by which a customer came with what was deleted, or "".
func (l *leftBehind) came(c *helpscout.Customer, jobStart time.Time) string {
	if l.used[c.ID] || c.CreatedAt.Before(jobStart.Add(-clocksDiffer)) {
		return ""
	}
	for _, e := range c.Embedded.Emails {
		if e.Value != "" && l.addresses[l.hash(e.Value)] {
			return e.Value
		}
	}
	return ""
}
