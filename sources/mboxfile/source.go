package mboxfile

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"

	"hsimport/sources"
	"hsimport/sources/archive"
	"hsimport/sources/fetch"
)

// A Source is an archive of mail, indexed. Its methods are safe for concurrent use, but for Close.
type Source struct {
	opts     Options
	scan     *scan
	index    *index
	threads  *threads
	ledger   *sources.Ledger
	digest   string
	copies   []copied // sorted
	temp     *tempDir
	desk     *fetch.Desk
	archives *archive.Set
	sums     sync.Pool // of *digester
}

// Kind is the name of this kind of source in a configuration and in a checkpoint.
func (s *Source) Kind() string { return "mbox" }

// KeyRule names the rule that keys are made by. A checkpoint of another rule must not be used with this source.
func (s *Source) KeyRule() string { return keyRule }

// Open finds all mails of opts.Paths, indexes them and joins them into tickets. It reads every file once.
//
// An error is a *sources.InputError when the input is missing, of another kind, or an option is wrong. Files of a folder
// that hold no mail are passed over and listed in Ledger().Problems; a file that was named itself and holds none is an
// error, unless it is empty, which is a Problem.
func Open(ctx context.Context, opts Options) (*Source, error) {
	s := &Source{opts: opts, temp: &tempDir{}, archives: &archive.Set{}}
	s.sums.New = func() any { return newDigester() }
	if err := s.open(ctx); err != nil {
		if closeErr := s.Close(); closeErr != nil {
			err = errors.Join(err, closeErr)
		}
		return nil, err
	}
	return s, nil
}

func (s *Source) open(ctx context.Context) error {
	var err error
	if s.desk, err = fetch.OpenDesk(s.opts.Cache, s.opts.LegacyHosts); err != nil {
		return err
	}
	f := &finder{base: s.opts.Base, archives: s.archives}
	sc, err := newScan(s.opts, f, s.temp)
	if err != nil {
		return err
	}
	found, err := find(ctx, s.opts.Paths, s.opts.Base, s.archives)
	if err != nil {
		return err
	}
	*f = *found
	s.scan, s.index = sc, sc.index
	for _, in := range f.inputs {
		if err := sc.input(ctx, in); err != nil {
			return err
		}
	}
	f.inputs, f.seen, sc.hands, sc.ready, sc.filling = nil, nil, nil, nil, nil
	sc.ledger.Problems = append(f.problems, sc.ledger.Problems...)
	sc.ledger.close(sc.exclude)
	if err := s.thread(ctx); err != nil {
		return err
	}
	s.ledger = &sc.ledger.Ledger
	return s.ledger.Check()
}

// thread makes tickets of what was scanned.
func (s *Source) thread(ctx context.Context) error {
	if err := s.index.flush(); err != nil {
		return err
	}
	rep, duplicates, err := s.index.copies()
	if err != nil {
		return err
	}
	more, err := s.nearCopies(ctx, rep)
	if err != nil {
		return err
	}
	t := newThreader(s.index, rep, cmp.Or(s.opts.ThreadBy, "auto"))
	if err := t.join(); err != nil {
		return err
	}
	if s.opts.SubjectFallback {
		if err := s.joinBySubject(ctx, t); err != nil {
			return err
		}
	}
	if s.threads, err = t.collect(); err != nil {
		return err
	}
	s.index.refs.close()
	s.keepCopies(rep)
	s.digest = s.index.contentDigest(rep)
	records := &s.scan.ledger.Records
	records.Duplicates = duplicates + more
	records.Messages = s.index.n - records.Duplicates
	records.Tickets = len(s.threads.tickets)
	s.report(t)
	return nil
}

// report lists what the threading found odd.
func (s *Source) report(t *threader) {
	if len(t.twins) == 0 {
		return
	}
	first, ok := uint32(0), false
	for _, o := range t.twins {
		if !ok || s.index.older(o, first) < 0 {
			first, ok = o, true
		}
	}
	s.scan.ledger.Problems = append(s.scan.ledger.Problems, sources.Problem{
		Severity: sources.Info, Code: "message-id-shared", Position: s.position(first),
		Text: fmt.Sprintf("%d Message-IDs are shared by %d different mails, which stay different; %d of these ids join no thread",
			len(t.twins), t.many, len(t.shared)),
	})
}

// copied says that the record copy is a copy of the record of.
type copied struct{ of, copy uint32 }

// keepCopies remembers which records are copies of which mail, for their positions.
func (s *Source) keepCopies(rep []uint32) {
	for i, r := range rep {
		if uint32(i) != r {
			s.copies = append(s.copies, copied{of: r, copy: uint32(i)})
		}
	}
	slices.SortFunc(s.copies, func(a, b copied) int {
		return cmp.Or(cmp.Compare(a.of, b.of), cmp.Compare(a.copy, b.copy))
	})
}

// copiesOf is the first copy of a mail and the number of copies.
func (s *Source) copiesOf(i uint32) (first uint32, n int) {
	at, _ := slices.BinarySearchFunc(s.copies, i, func(c copied, i uint32) int { return cmp.Compare(c.of, i) })
	for _, c := range s.copies[at:] {
		if c.of != i {
			break
		}
		if n++; n == 1 {
			first = c.copy
		}
	}
	return first, n
}

// contentDigest is SHA-256 over the sorted content digests of all different mails.
func (x *index) contentDigest(rep []uint32) string {
	slots := make([]slot, 0, x.n)
	for i := range x.n {
		if rep[i] == uint32(i) {
			slots = append(slots, slot{hash: be64(x.at(i).digest[:]), i: uint32(i)})
		}
	}
	slices.SortFunc(slots, func(a, b slot) int {
		if a.hash != b.hash {
			return cmp.Compare(a.hash, b.hash)
		}
		return slices.Compare(x.at(int(a.i)).digest[:], x.at(int(b.i)).digest[:])
	})
	h := sha256.New()
	h.Write([]byte(keyRule))
	for _, sl := range slots {
		r := x.at(int(sl.i))
		h.Write(binary.BigEndian.AppendUint64(r.digest[:], r.gmail))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Len is the number of tickets.
func (s *Source) Len() int { return len(s.threads.tickets) }

// Entry is what the index knows of ticket i. Entries are ordered by (Created, Key).
func (s *Source) Entry(i int) sources.Entry {
	t := &s.threads.tickets[i]
	return sources.Entry{
		Key: sources.Key(s.threads.key(t)), Created: timeOf(t.created), Last: timeOf(t.last), Messages: int(t.n),
	}
}

// Find returns the place of the ticket with key k.
func (s *Source) Find(k sources.Key) (int, bool) { return s.threads.find(k) }

// Ledger accounts for all input. It is complete but for Attachments, which are known only when every mail has been
// decoded: Survey and the reader of the tickets count them.
func (s *Source) Ledger() *sources.Ledger { return s.ledger }

// Digest is a hash of all different mails and their Gmail threads: the same for the same mails in other files, in
// another order, or with other line ends. Folders and labels are not in it.
func (s *Source) Digest() string { return s.digest }

// Close removes temporary files. Nothing of the Source may be used afterwards, attachments included.
func (s *Source) Close() error {
	if s.index != nil {
		s.index.close()
	}
	return errors.Join(s.desk.Close(), s.temp.remove(), s.archives.Close())
}

// position is where a record stands in its file: at the From_ line, when there is one.
func (s *Source) position(i uint32) sources.Position {
	at, err := s.index.places.at(i)
	if err != nil { // the disk of the temporary file; whatever reads the mail itself says so
		return sources.Position{Offset: -1}
	}
	return sources.Position{File: s.index.files[at.file].name, Offset: at.off - int64(at.sep)}
}
