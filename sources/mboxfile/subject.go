package mboxfile

import (
	"cmp"
	"context"
	"encoding/binary"
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
	mails := newSorter(s.temp, "subjects")
	defer mails.close()
	if err := t.sortSubjects(ctx, mails); err != nil {
		return err
	}
	j := subjectJoiner{t: t, window: int64(cmp.Or(s.opts.SubjectWindow, defaultWindow) / time.Second), people: correspondents{reader{s: s}}}
	defer j.people.r.close()
	return mails.each(ctx, j.mail)
}

// sortSubjects sorts the mails that can be joined by subject, by subject and age.
func (t *threader) sortSubjects(ctx context.Context, to *sorter) error {
	var item []byte
	err := t.x.each(ctx, func(i uint32, r *record) error {
		if !t.isRep(i) || r.subject == 0 || r.date == noDate || t.gmail.has(i) {
			return nil
		}
		item = r.appendAge(binary.BigEndian.AppendUint64(item[:0], r.subject))
		return to.add(binary.BigEndian.AppendUint32(append(item, byte(r.flags)), i))
	})
	if err != nil {
		return err
	}
	return to.finish()
}

// A subjectJoiner joins the answers of one subject after the other.
type subjectJoiner struct {
	t       *threader
	window  int64 // seconds
	people  correspondents
	subject uint64
	before  []subjectMail // of the same subject, at most maxLookBack, oldest first
}

type subjectMail struct {
	i    uint32
	date int64
	who  *addresses // nil until they are asked for
}

// mail takes the next mail in the order of subject and age.
func (j *subjectJoiner) mail(item []byte) error {
	if s := be64(item); s != j.subject {
		j.subject, j.before = s, j.before[:0]
	}
	m := subjectMail{i: last32(item), date: dateOf(be64(item[8:]))}
	reply := recordFlags(item[8+ageBytes])&isReply != 0
	if reply && !j.t.bound.has(m.i) {
		if err := j.join(&m); err != nil {
			return err
		}
	}
	if len(j.before) == maxLookBack {
		copy(j.before, j.before[1:])
		j.before = j.before[:maxLookBack-1]
	}
	j.before = append(j.before, m)
	return nil
}

// join brings an answer to the latest mail between the same people.
func (j *subjectJoiner) join(m *subjectMail) error {
	for k := len(j.before) - 1; k >= 0 && m.date-j.before[k].date <= j.window; k-- {
		same, err := j.people.same(m, &j.before[k])
		if err != nil {
			return err
		}
		if same {
			j.t.union(m.i, j.before[k].i)
			return nil
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
type correspondents struct{ r reader }

// same reports whether the mail a, an answer, is between the people of b. Written by another author, it must go to the
// author of b, and come from a recipient of b or from a colleague of one; without the latter, each customer who writes
// "Re: Order" to the team would join the team's last mail to another one. Written by the same author, both must have a
// recipient in common.
func (c *correspondents) same(a, b *subjectMail) (bool, error) {
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

func (c *correspondents) of(m *subjectMail) (*addresses, error) {
	if m.who != nil {
		return m.who, nil
	}
	head, err := c.r.headOf(m.i)
	if err != nil {
		return nil, err
	}
	a := &addresses{}
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
	m.who = a
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
