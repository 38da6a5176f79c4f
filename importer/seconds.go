package importer

import (
	"context"
	"fmt"
	"time"

	"hsimport/importer/helpscout"
)

// lister asks the account for the conversations of many seconds at the price of few calls.
type lister struct {
	*engine
	threads bool // bring the threads along
}

// page asks for one page of a list. Where the threads of a page are more than one answer can hold, they stay away.
func (l lister) page(ctx context.Context, q helpscout.ListQuery, n int) ([]helpscout.Conversation, helpscout.Page, error) {
	if err := l.halted(ctx); err != nil {
		return nil, helpscout.Page{}, err
	}
	q.EmbedThreads = l.threads
	var p helpscout.Page
	cs, err := read(ctx, l.engine, func() (cs []helpscout.Conversation, err error) {
		cs, p, err = l.Client.Conversations(ctx, q, n)
		if helpscout.StatusOf(err) == 200 && q.EmbedThreads {
			bare := q
			bare.EmbedThreads = false
			cs, p, err = l.Client.Conversations(ctx, bare, n)
		}
		return cs, err
	})
	return cs, p, err
}

// ask visits the conversations of some seconds, given in order and each once; some of other seconds may be among them.
// One question covers the whole span where its pages cost less than a question for each second; otherwise each half is
// asked for by itself.
func (l lister) ask(ctx context.Context, seconds []int64, visit func(helpscout.Conversation)) error {
	if len(seconds) == 0 {
		return nil
	}
	last := time.Unix(seconds[len(seconds)-1]+1, 0).UTC()
	q := helpscout.ListQuery{
		Status: "all", SortField: "number", SortOrder: "desc",
		Query: fmt.Sprintf("(createdAt:[%s TO %s])", stamp(seconds[0]), last.Format(helpscout.TimeLayout)),
	}
	for try := 1; ; try++ {
		cs, total, pages, err := l.span(ctx, q, len(seconds))
		if err != nil {
			return err
		}
		if pages > len(seconds) && len(seconds) > 1 {
			half := len(seconds) / 2
			if err := l.ask(ctx, seconds[:half], visit); err != nil {
				return err
			}
			return l.ask(ctx, seconds[half:], visit)
		}
		if total < 0 && try < 3 {
			continue // the list changed while its pages were turned: one may have slipped through
		}
		seen := map[int64]bool{}
		for _, c := range cs {
			if !seen[c.ID] {
				seen[c.ID] = true
				visit(c)
			}
		}
		return nil
	}
}

// span reads all pages of a question, or only the first when there are more than worth it and the question can be cut.
// total is -1 when the list has changed its length meanwhile.
func (l lister) span(ctx context.Context, q helpscout.ListQuery, worth int) (all []helpscout.Conversation, total, pages int, err error) {
	for n := 1; n <= maxWalkPages; n++ {
		cs, p, err := l.page(ctx, q, n)
		if err != nil {
			return nil, 0, 0, err
		}
		all = append(all, cs...)
		if n == 1 {
			total, pages = p.TotalElements, p.TotalPages
			if pages > worth && worth > 1 {
				return nil, total, pages, nil
			}
		} else if p.TotalElements != total {
			total = -1
		}
		if len(cs) == 0 || p.TotalPages > 0 && n >= p.TotalPages {
			break
		}
	}
	return all, total, pages, nil
}
