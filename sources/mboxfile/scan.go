package mboxfile

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"time"

	"hsimport/sources"
)

// A scan is the one pass over all inputs that fills the index and the ledger.
type scan struct {
	opts    Options
	zone    *time.Location
	exclude exclusion
	quoting quoting
	find    *finder
	temp    *tempDir
	index   *index
	ledger  *ledger
	hands   []*analyst
	ready   *batch // being analysed
	filling *batch // being filled by the framer
}

// newScan checks the options.
func newScan(opts Options, find *finder, temp *tempDir) (*scan, error) {
	s := &scan{opts: opts, exclude: newExclusion(opts.ExcludeLabels), find: find, temp: temp}
	s.ready, s.filling = newBatch(), newBatch()
	for range runtime.GOMAXPROCS(0) {
		s.hands = append(s.hands, newAnalyst())
	}
	s.index = newIndex(temp)
	s.ledger = newLedger()
	switch opts.Quoting {
	case "", "mboxrd":
		s.quoting = quotedRD
	case "mboxo":
		s.quoting = quotedO
	case "none":
		s.quoting = quotedNot
	default:
		return nil, badOption("quoting", opts.Quoting, "mboxrd, mboxo, none")
	}
	switch opts.ThreadBy {
	case "", "auto", "gmail", "references":
	default:
		return nil, badOption("thread_by", opts.ThreadBy, "auto, gmail, references")
	}
	if opts.TimeZone != "" {
		zone, err := sources.LoadZone(opts.TimeZone)
		if err != nil {
			return nil, badOption("time_zone", opts.TimeZone, "an IANA name like Europe/Paris")
		}
		s.zone = zone
	}
	if s.opts.MaxMessage <= 0 {
		s.opts.MaxMessage = 256 << 20
	}
	s.opts.MaxMessage = min(s.opts.MaxMessage, math.MaxUint32)
	return s, nil
}

func badOption(key, got, want string) error {
	return &sources.InputError{
		Err:  fmt.Errorf("source.mbox.%s is %q", key, got),
		Hint: fmt.Sprintf("it can be %s", want),
	}
}

// input reads one file from its first to its last byte.
func (s *scan) input(ctx context.Context, in input) error {
	c, err := s.temp.open(ctx, in, s.find)
	if err != nil {
		return s.inputError(in, err)
	}
	f, err := os.Open(c.path)
	if err != nil {
		return s.inputError(in, plain(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return s.inputError(in, plain(err))
	}
	p := &pass{scan: s, in: in, content: c, name: s.find.name(in.path), size: info.Size(), file: uint32(len(s.index.files)), place: placeLabels(in)}
	kept := file{path: c.path, name: p.name, quoting: s.quoting}
	if c.path == in.path && (c.format == oneMail || c.format == emlx) {
		kept.name = ""
	}
	s.index.files = append(s.index.files, kept)
	err = p.run(ctx, f)
	var ie *sources.InputError
	if err != nil && !errors.As(err, &ie) && ctx.Err() == nil {
		return fmt.Errorf("read %s: %w", p.name, plain(err))
	}
	return err
}

func (s *scan) inputError(in input, err error) error {
	hint := ""
	var ie *sources.InputError
	if errors.As(err, &ie) {
		err, hint = ie.Err, ie.Hint
	}
	return &sources.InputError{Position: sources.Position{File: s.find.name(in.path), Offset: -1}, Err: err, Hint: hint}
}
