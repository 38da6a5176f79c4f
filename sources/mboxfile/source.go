package mboxfile

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
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
	s := &Source{opts: opts, temp: &tempDir{memory: opts.memory}, archives: &archive.Set{}}
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
	f.seen, f.head = nil, nil
	s.scan, s.index = sc, sc.index
	for _, in := range f.inputs {
		if err := sc.input(ctx, in); err != nil {
			return err
		}
	}
	f.inputs, sc.hands, sc.ready, sc.filling = nil, nil, nil, nil
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
	rep, byDigest, duplicates, err := s.index.copies(ctx)
	defer byDigest.close()
	if err != nil {
		return err
	}
	owners, shared, err := s.index.sharingID(ctx, rep)
	defer owners.close()
	defer shared.close()
	if err != nil {
		return err
	}
	more, err := s.nearCopies(ctx, shared, rep)
	if err != nil {
		return err
	}
	if s.digest, err = s.index.contentDigest(ctx, byDigest, rep); err != nil {
		return err
	}
	byDigest.close()
	t, err := newThreader(ctx, s.index, rep, shared, cmp.Or(s.opts.ThreadBy, "auto"))
	if err != nil {
		return err
	}
	defer t.close()
	if err := s.join(ctx, t, owners); err != nil {
		return err
	}
	records := &s.scan.ledger.Records
	records.Duplicates = duplicates + more
	records.Messages = s.index.n - records.Duplicates
	records.Tickets = s.threads.n
	s.report(&t.shared)
	return nil
}

// join makes the tickets.
func (s *Source) join(ctx context.Context, t *threader, owners *sorter) (err error) {
	if err := t.join(ctx, owners); err != nil {
		return err
	}
	owners.close()
	s.index.refs.close()
	if s.opts.SubjectFallback {
		if err := s.joinBySubject(ctx, t); err != nil {
			return err
		}
	}
	if s.threads, err = t.collect(ctx); err != nil {
		return err
	}
	s.index.ids.close()
	return nil
}

// report lists what the threading found odd.
func (s *Source) report(shared *sharedIDs) {
	if shared.ids == 0 {
		return
	}
	s.scan.ledger.Problems = append(s.scan.ledger.Problems, sources.Problem{
		Severity: sources.Info, Code: "message-id-shared", Position: s.position(shared.oldest),
		Text: fmt.Sprintf("%d Message-IDs are shared by %d different mails, which stay different; %d of these ids join no thread",
			shared.ids, shared.mails, shared.ambiguous),
	})
}

// contentDigest is SHA-256 over the sorted content digests of all different mails, and their Gmail threads.
func (x *index) contentDigest(ctx context.Context, byDigest *sorter, rep []uint32) (string, error) {
	h := sha256.New()
	h.Write([]byte(keyRule))
	var row [16 + 8]byte
	err := byDigest.each(ctx, func(item []byte) error {
		i := last32(item)
		if rep[i] != i {
			return nil
		}
		copy(row[:], item[:16])
		if x.gmail {
			r, err := x.at(i)
			if err != nil {
				return err
			}
			binary.BigEndian.PutUint64(row[16:], r.gmail)
		}
		h.Write(row[:])
		return nil
	})
	return hex.EncodeToString(h.Sum(nil)), err
}

// Len is the number of tickets.
func (s *Source) Len() int { return s.threads.n }

// Entry is what the index knows of ticket i. Entries are ordered by (Created, Key). One that a broken disk does not give
// back is empty, and no ticket can be read any more.
func (s *Source) Entry(i int) sources.Entry {
	t, err := s.threads.ticket(i)
	if err != nil {
		return sources.Entry{}
	}
	key, err := s.threads.key(&t)
	if err != nil {
		return sources.Entry{}
	}
	return sources.Entry{Key: sources.Key(key), Created: timeOf(t.created), Last: timeOf(t.last), Messages: int(t.n)}
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
	if s.threads != nil {
		s.threads.close()
	}
	return errors.Join(s.desk.Close(), s.temp.remove(), s.archives.Close())
}

// position is where a record stands in its file: at the From_ line, when there is one.
func (s *Source) position(i uint32) sources.Position {
	at, err := s.index.places.at(i)
	if err != nil { // the disk of the temporary file; whatever reads the mail itself says so
		return sources.Position{Offset: -1}
	}
	return sources.Position{File: s.nameOf(at.file), Offset: at.off - int64(at.sep)}
}

// nameOf is a file as the person knows it.
func (s *Source) nameOf(n uint32) string {
	f := &s.index.files[n]
	if f.name == "" {
		return s.scan.find.name(f.path)
	}
	return f.name
}
