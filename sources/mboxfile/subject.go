package mboxfile

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"hsimport/sources"
	"hsimport/sources/mail"
)

const (
	defaultWindow = 30 * 24 * time.Hour
	maxLookBack   = 200 // mails of one subject that are looked at for one answer
)

// joinBySubject is the fallback for answers whose program wrote no references: a mail whose subject says that it is an
// answer, and that refers to no mail of the input, goes to the latest mail with the same base subject that is not
// younger, not further away than the window, and between the same people. It never touches mails that Gmail has
// threaded.
func (s *Source) joinBySubject(ctx context.Context, t *threader) error {
	window := int64(cmp.Or(s.opts.SubjectWindow, defaultWindow) / time.Second)
	slots := t.bySubject()
	people := correspondents{r: reader{s: s}}
	defer people.r.close()
	for len(slots) > 0 {
		n := 1
		for n < len(slots) && slots[n].hash == slots[0].hash {
			n++
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := t.joinSubject(slots[:n], window, &people); err != nil {
			return err
		}
		slots = slots[n:]
	}
	return nil
}

// bySubject lists the mails that can be joined by subject, in the order of subject and age.
func (t *threader) bySubject() []slot {
	var slots []slot
	for i := range uint32(t.x.n) {
		if r := t.x.at(int(i)); t.isRep(int(i)) && r.subject != 0 && r.date != noDate && !t.hasGmail(i) {
			slots = append(slots, slot{r.subject, i})
		}
	}
	slices.SortFunc(slots, func(a, b slot) int {
		if a.hash != b.hash {
			return cmp.Compare(a.hash, b.hash)
		}
		return t.x.older(a.i, b.i)
	})
	return slots
}

// joinSubject joins the answers of one subject.
func (t *threader) joinSubject(group []slot, window int64, people *correspondents) error {
	people.known = map[uint32]addresses{}
	for k := 1; k < len(group); k++ {
		r := t.x.at(int(group[k].i))
		if r.flags&isReply == 0 || t.isBound(group[k].i) {
			continue
		}
		for b := k - 1; b >= max(0, k-maxLookBack); b-- {
			if r.date-t.x.at(int(group[b].i)).date > window {
				break
			}
			same, err := people.same(group[k].i, group[b].i)
			if err != nil {
				return err
			}
			if same {
				t.union(group[k].i, group[b].i)
				break
			}
		}
	}
	return nil
}

// addresses are the people of one mail.
type addresses struct {
	from string
	to   []string
}

// correspondents reads who wrote to whom, from the mails' headers.
type correspondents struct {
	r     reader
	known map[uint32]addresses
}

// same reports whether the mail a, an answer, is between the people of b. Written by another author, it must go to the
// author of b, and come from a recipient of b or from a colleague of one; without the latter, each customer who writes
// "Re: Order" to the team would join the team's last mail to another one. Written by the same author, both must have a
// recipient in common.
func (c *correspondents) same(a, b uint32) (bool, error) {
	p, err := c.of(a)
	if err != nil {
		return false, err
	}
	q, err := c.of(b)
	if err != nil {
		return false, err
	}
	if p.from == "" || q.from == "" {
		return false, nil
	}
	if p.from != q.from {
		return slices.Contains(p.to, q.from) && slices.ContainsFunc(q.to, func(to string) bool { return colleagues(p.from, to) }), nil
	}
	return slices.ContainsFunc(p.to, func(to string) bool { return slices.Contains(q.to, to) }), nil
}

// publicDomains are those where two addresses are not colleagues.
var publicDomains = map[string]bool{
	"gmail.com": true, "googlemail.com": true, "outlook.com": true, "hotmail.com": true, "live.com": true, "msn.com": true,
	"yahoo.com": true, "icloud.com": true, "me.com": true, "aol.com": true, "gmx.de": true, "gmx.net": true, "web.de": true,
	"t-online.de": true, "hotmail.fr": true, "orange.fr": true, "free.fr": true, "wanadoo.fr": true, "libero.it": true,
	"mail.ru": true, "yandex.ru": true, "qq.com": true, "163.com": true, "126.com": true, "naver.com": true,
	"comcast.net": true, "verizon.net": true, "btinternet.com": true, "proton.me": true, "protonmail.com": true,
}

func colleagues(a, b string) bool {
	d := domain(a)
	return a == b || d != "" && d == domain(b) && !publicDomains[d]
}

func (c *correspondents) of(i uint32) (addresses, error) {
	if a, ok := c.known[i]; ok {
		return a, nil
	}
	head, err := c.r.headOf(i)
	if err != nil {
		return addresses{}, err
	}
	var a addresses
	if len(head.From) > 0 {
		a.from = strings.ToLower(head.From[0].Email)
	}
	for _, list := range [][]sources.Person{head.To, head.Cc} {
		for _, p := range list {
			if p.Email != "" {
				a.to = append(a.to, strings.ToLower(p.Email))
			}
		}
	}
	c.known[i] = a
	return a, nil
}

// headOf reads the header of a record, without the proof that it is unchanged.
func (r *reader) headOf(i uint32) (*mail.Head, error) {
	at, err := r.open(i)
	if err != nil {
		return nil, err
	}
	buf := make([]byte, min(int(at.size), maxHead/4))
	if n, err := r.file.ReadAt(buf, at.off); n < len(buf) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return mail.ParseHead(buf, mail.Options{Zone: r.s.scan.zone}), nil
}
