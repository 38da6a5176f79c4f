package csvfile

import "io"

// framed is a stretch of records with bytes of their own, so that the reader can go on while work is done with them.
type framed struct {
	recs  []record
	spans []span
	raw   []byte
}

const (
	framedBytes   = 1 << 17
	framedBatches = 3 // one being filled, one waiting, one being worked on
)

// records calls f with every record, in order, and frames the next ones meanwhile. A record is valid until f returns. An
// error of the file, or err, that of f, ends it; nothing goes on then.
func (r *reader) records(f func(*record) error) (read, err error) {
	full, free := make(chan *framed, framedBatches), make(chan *framed, framedBatches)
	for range framedBatches {
		free <- new(framed)
	}
	go func() {
		defer close(full)
		read = r.frameAll(full, free)
	}()
	for b := range full {
		for i := range b.recs {
			if err = f(&b.recs[i]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
		free <- b
	}
	close(free)
	for range full { // until the reader has stopped
	}
	if read == io.EOF {
		read = nil
	}
	return read, err
}

// frameAll fills batches until the file ends, an error or, when free is closed, nil. A giant row is waited for: no other
// may lie in memory beside it.
func (r *reader) frameAll(full chan<- *framed, free <-chan *framed) error {
	var spare []*framed
	for {
		if len(spare) == 0 {
			b, ok := <-free
			if !ok {
				return nil
			}
			spare = append(spare, b)
		}
		b := spare[len(spare)-1]
		spare = spare[:len(spare)-1]
		err := r.frame(b)
		giant := len(b.raw) > maxKept
		full <- b
		if err != nil {
			return err
		}
		for giant {
			back, ok := <-free
			if !ok {
				return nil
			}
			if spare = append(spare, back); back == b {
				*b, giant = framed{}, false
			}
		}
	}
}

// frame fills b with the next records.
func (r *reader) frame(b *framed) error {
	b.recs, b.spans, b.raw = b.recs[:0], b.spans[:0], b.raw[:0]
	for len(b.raw) < framedBytes && len(b.recs) < framedBytes/16 {
		rec, err := r.next()
		if err != nil {
			return err
		}
		b.take(rec)
	}
	return nil
}

// take copies a record. Those before it keep their place: growing leaves the old bytes to whoever uses them.
func (b *framed) take(rec *record) {
	at, from := len(b.raw), len(b.spans)
	b.raw, b.spans = append(b.raw, rec.raw...), append(b.spans, rec.spans...)
	own := *rec
	own.raw, own.spans = b.raw[at:len(b.raw):len(b.raw)], b.spans[from:len(b.spans):len(b.spans)]
	if len(rec.raw) > 0 && len(rec.data) == len(rec.raw) && &rec.data[0] == &rec.raw[0] {
		own.data = own.raw
	}
	b.recs = append(b.recs, own)
}
