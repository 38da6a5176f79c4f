package csvfile

import (
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
)

// A keyLog holds the keys of tickets in the order of their numbers: the first in memory, the others in a file. Blocks of
// a few keys are found by their place and read whole; a block is never half here and half there.
type keyLog struct {
	temp    func() (string, error)
	memory  int // bytes that stay in memory
	n       int
	blocks  []int64 // where each block begins
	size    int64
	mem     []byte
	file    *os.File
	flushed int64 // where pending begins
	pending []byte
	failed  atomic.Pointer[error] // of the file: the first
}

const (
	blockKeys    = 16
	pendingBytes = 1 << 16
)

// add appends a key.
func (l *keyLog) add(key []byte) error {
	if l.n%blockKeys == 0 {
		if err := l.settle(); err != nil {
			return err
		}
		l.blocks = append(l.blocks, l.size)
	}
	l.n++
	to := &l.mem
	if l.file != nil {
		to = &l.pending
	}
	before := len(*to)
	*to = append(binary.AppendUvarint(*to, uint64(len(key))), key...)
	l.size += int64(len(*to) - before)
	return nil
}

// settle decides, between two blocks, where the next one goes.
func (l *keyLog) settle() error {
	if l.file == nil {
		if len(l.mem) < l.memory {
			return nil
		}
		dir, err := l.temp()
		if err != nil {
			return err
		}
		if l.file, err = os.CreateTemp(dir, "keys-*"); err != nil {
			return err
		}
		l.flushed = l.size
		return nil
	}
	if len(l.pending) < pendingBytes {
		return nil
	}
	if _, err := l.file.WriteAt(l.pending, l.flushed-int64(len(l.mem))); err != nil {
		return fmt.Errorf("write the index to %s: %w", l.file.Name(), err)
	}
	l.flushed = l.size
	l.pending = l.pending[:0]
	return nil
}

// block returns the bytes of a block; buf may serve for reading them.
func (l *keyLog) block(b int, buf *[]byte) []byte {
	from, to := l.blocks[b], l.size
	if b+1 < len(l.blocks) {
		to = l.blocks[b+1]
	}
	switch {
	case from < int64(len(l.mem)):
		return l.mem[from:to]
	case from >= l.flushed:
		return l.pending[from-l.flushed : to-l.flushed]
	}
	*buf = slices.Grow((*buf)[:0], int(to-from))[:to-from]
	if _, err := l.file.ReadAt(*buf, from-int64(len(l.mem))); err != nil {
		err = fmt.Errorf("read the index from %s: %w", l.file.Name(), err)
		l.failed.CompareAndSwap(nil, &err)
		return nil
	}
	return *buf
}

// key is key n, valid until buf is used again; empty when the file cannot be read, which err says.
func (l *keyLog) key(n uint32, buf *[]byte) []byte {
	rest := l.block(int(n/blockKeys), buf)
	for range n % blockKeys {
		_, rest = cutKey(rest)
	}
	key, _ := cutKey(rest)
	return key
}

// cutKey takes the first key off a block.
func cutKey(block []byte) (key, rest []byte) {
	size, n := binary.Uvarint(block)
	if n <= 0 || uint64(len(block)-n) < size {
		return nil, nil
	}
	return block[n : n+int(size)], block[n+int(size):]
}

// each calls f with every key in order.
func (l *keyLog) each(f func(n uint32, key []byte)) {
	var buf []byte
	for b := range l.blocks {
		rest := l.block(b, &buf)
		for i := b * blockKeys; i < min((b+1)*blockKeys, l.n); i++ {
			var key []byte
			key, rest = cutKey(rest)
			f(uint32(i), key)
		}
	}
}

// err is what reading the file has failed with.
func (l *keyLog) err() error {
	if p := l.failed.Load(); p != nil {
		return *p
	}
	return nil
}

func (l *keyLog) close() {
	if l.file != nil {
		l.file.Close()
		os.Remove(l.file.Name())
	}
}
