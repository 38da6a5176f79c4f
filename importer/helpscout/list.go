package helpscout

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
)

// maxPages ends a list that does not end by itself.
const maxPages = 10000

// listing is one page of a list.
type listing[T any] struct {
	items []T
	page  Page
	more  bool // the server says that another page follows
}

// entity is anything with an id.
type entity interface {
	id() int64
}

func (v Conversation) id() int64 { return v.ID }
func (v Thread) id() int64       { return v.ID }
func (v Customer) id() int64     { return v.ID }
func (v User) id() int64         { return v.ID }
func (v Team) id() int64         { return v.ID }
func (v Mailbox) id() int64      { return v.ID }
func (v Field) id() int64        { return v.ID }
func (v Folder) id() int64       { return v.ID }
func (v Workflow) id() int64     { return v.ID }
func (v Webhook) id() int64      { return v.ID }

// listPage asks for one page, from 1.
func listPage[T entity](ctx context.Context, c *Client, path, key string, query url.Values, page int) (listing[T], error) {
	q := call{method: http.MethodGet, path: path, query: url.Values{}, limit: limitList}
	for k, v := range query {
		q.query[k] = v
	}
	q.query.Set("page", strconv.Itoa(page))
	a, err := c.do(ctx, q)
	if err != nil {
		return listing[T]{}, err
	}
	if a.err != nil {
		return listing[T]{}, c.unusable(q, a, "the list is not whole")
	}
	l, why := parseList[T](a.body, key, page)
	if why != "" {
		return listing[T]{}, c.unusable(q, a, why)
	}
	return l, nil
}

// listAll asks for all pages. An entity that moved to a later page while pages were turned is taken once. It ends
// where the server says so, and at a page that brings nothing new.
func listAll[T entity](ctx context.Context, c *Client, path, key string) ([]T, error) {
	var all []T
	seen := map[int64]bool{}
	for page := 1; page <= maxPages; page++ {
		l, err := listPage[T](ctx, c, path, key, nil, page)
		if err != nil {
			return nil, err
		}
		before := len(all)
		for _, v := range l.items {
			if !seen[v.id()] {
				seen[v.id()] = true
				all = append(all, v)
			}
		}
		switch {
		case !l.more || len(l.items) == 0:
			return all, nil
		case len(all) == before && len(all) < l.page.TotalElements:
			q := call{method: http.MethodGet, path: path}
			return nil, c.unusable(q, &answer{status: http.StatusOK}, "page "+strconv.Itoa(page)+" of the list repeats an earlier one")
		case len(all) == before:
			return all, nil
		}
	}
	q := call{method: http.MethodGet, path: path}
	return nil, c.unusable(q, &answer{status: http.StatusOK}, "the list does not end")
}

// parseList reads a page of a list. An empty list has no _embedded: it counts as empty only where the rest of the
// answer says so too, because what is absent from a list may be sent again. why is empty when all is well.
func parseList[T entity](body []byte, key string, page int) (l listing[T], why string) {
	var shape struct {
		Embedded map[string]json.RawMessage `json:"_embedded"`
		Links    *struct {
			Next *struct {
				Href string `json:"href"`
			} `json:"next"`
		} `json:"_links"`
		Page *Page `json:"page"`
	}
	body = bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\ufeff"))
	if err := json.Unmarshal(body, &shape); err != nil {
		return l, "the answer is not a list: " + err.Error()
	}
	if raw, ok := shape.Embedded[key]; ok {
		if err := json.Unmarshal(raw, &l.items); err != nil {
			return l, "the answer is not a list of " + key + ": " + err.Error()
		}
	}
	for _, v := range l.items {
		if v.id() < 1 {
			return l, "an entry of the list has no id"
		}
	}
	if shape.Page != nil {
		l.page = *shape.Page
	}
	if l.page.Number == 0 {
		l.page.Number = page
	}
	l.more = shape.Links != nil && shape.Links.Next != nil && shape.Links.Next.Href != "" || l.page.TotalPages > page
	switch {
	case len(l.items) > 0:
	case shape.Page == nil && shape.Embedded[key] == nil && (shape.Links == nil || !reference[key]):
		return l, "the answer is not a list: it has neither entries nor a page"
	case l.page.TotalElements > 0 && page <= max(1, l.page.TotalPages) || l.page.TotalElements < 0:
		return l, "the list is empty but counts " + strconv.Itoa(l.page.TotalElements)
	}
	return l, ""
}

// reference are the lists in which nothing is looked for that might be sent again: an empty one needs no page block.
var reference = map[string]bool{
	"users": true, "teams": true, "mailboxes": true, "fields": true, "folders": true, "tags": true, "workflows": true, "webhooks": true,
}
