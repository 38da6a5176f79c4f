package mboxfile

import (
	"context"
	"errors"
	"io"

	"golang.org/x/sync/errgroup"

	"hsimport/sources"
)

const (
	batchBytes = 2 << 20 // of mails that are analysed together
	batchMails = 1024
)

// A pass is the scan of one file. Its framer fills one batch of mails while the mails of the batch before are analysed
// on all processors; results go into the index and the ledger in the order of the file, so that nothing depends on who
// was faster.
type pass struct {
	*scan
	in      input
	content content
	name    string
	size    int64
	file    uint32
	place   []string // labels of mails that have none of their own
	work    errgroup.Group
}

// A batch holds copies of mails, because the framer's window moves on.
type batch struct {
	frames []frame
	buf    []byte
	found  []finding
}

func (b *batch) add(fr frame) {
	if fr.raw != nil {
		start := len(b.buf)
		b.buf = append(b.buf, fr.raw...)
		fr.raw = b.buf[start:len(b.buf):len(b.buf)]
	}
	b.frames = append(b.frames, fr)
}

func (b *batch) full(next int64) bool {
	return len(b.frames) >= batchMails || len(b.frames) > 0 && len(b.buf)+int(next) > batchBytes
}

func newBatch() *batch { return &batch{buf: make([]byte, 0, batchBytes)} }

func (b *batch) reset() {
	clear(b.found) // lets go of what the findings refer to
	b.frames, b.buf, b.found = b.frames[:0], b.buf[:0], b.found[:0]
}

// run frames the file and takes every mail.
func (p *pass) run(ctx context.Context, r io.ReaderAt) error {
	f, err := p.framer(r)
	if err != nil {
		return err
	}
	sum := newFileSum()
	f.w.tap = sum.write
	if err := p.frames(ctx, f); err != nil {
		return errors.Join(err, p.work.Wait()) // nobody may still write into a batch
	}
	for range 2 {
		if err := p.turn(); err != nil {
			return err
		}
	}
	if err := sum.rest(r, p.size); err != nil {
		return err
	}
	if f.whole || f.trusted && f.odd.skipped.n > 0 {
		p.index.files[p.file].quoting = quotedNot
	}
	p.ledger.file(p, f, sum.done())
	return nil
}

// framer prepares the framer for what kind of file this is.
func (p *pass) framer(r io.ReaderAt) (*framer, error) {
	f := newFramer(r, p.size, p.opts.MaxMessage)
	f.whole, f.emlx = p.content.format == oneMail, p.content.format == emlx
	if p.content.format != mboxFile {
		return f, nil
	}
	trusted, err := vote(r, p.size, p.opts.MaxMessage)
	f.trusted = trusted
	return f, err
}

// frames cuts the file into batches.
func (p *pass) frames(ctx context.Context, f *framer) error {
	for {
		fr, err := f.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if fr.raw != nil && f.pos >= f.w.size {
			f.noticeCut(&fr)
		}
		if p.filling.full(fr.size) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := p.turn(); err != nil {
				return err
			}
		}
		if fr.size > batchBytes {
			if err := p.large(fr); err != nil {
				return err
			}
			continue
		}
		p.filling.add(fr)
	}
}

// turn takes the results of the batch that was analysed, and starts on the one that was filled.
func (p *pass) turn() error {
	if err := p.work.Wait(); err != nil {
		return err
	}
	if err := p.commit(p.ready); err != nil {
		return err
	}
	p.ready, p.filling = p.filling, p.ready
	p.filling.reset()
	p.start(p.ready)
	return nil
}

// start analyses a batch, a share on each processor.
func (p *pass) start(b *batch) {
	for range b.frames {
		b.found = append(b.found, finding{})
	}
	n := len(p.hands)
	share := (len(b.frames) + n - 1) / n
	for k, hand := range p.hands {
		from, to := min(k*share, len(b.frames)), min((k+1)*share, len(b.frames))
		if from == to {
			continue
		}
		p.work.Go(func() error {
			for i := from; i < to; i++ {
				b.found[i] = p.analyse(hand, &b.frames[i])
			}
			return nil
		})
	}
}

// large takes a mail that is not worth a copy: in its turn, from the framer's window.
func (p *pass) large(fr frame) error {
	for range 2 {
		if err := p.turn(); err != nil {
			return err
		}
	}
	return p.enter(&fr, p.analyse(p.hands[0], &fr))
}

// commit enters the mails of a batch in the order of the file.
func (p *pass) commit(b *batch) error {
	for i := range b.found {
		if err := p.enter(&b.frames[i], b.found[i]); err != nil {
			return err
		}
	}
	return nil
}

// enter puts one mail into the index, or counts why it does not belong there.
func (p *pass) enter(fr *frame, f finding) error {
	records := &p.ledger.Records
	records.Found++
	if fr.refuse != "" {
		records.Unreadable++
		p.ledger.Refused = append(p.ledger.Refused, sources.Refusal{
			Position: sources.Position{File: p.name, Offset: fr.sepOff}, Bytes: fr.size, Reason: fr.refuse,
		})
		return nil
	}
	p.ledger.labels(f.labels, f.subject, p.name)
	if f.rule != "" {
		p.ledger.exclude(f.rule)
		return nil
	}
	r := f.record
	r.labels = p.index.labels.number(f.labels)
	return p.index.add(r, f.place, f.refs, f.id)
}
