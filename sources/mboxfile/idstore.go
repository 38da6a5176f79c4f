package mboxfile

import "encoding/binary"

// maxKeyID bounds the Message-ID that a key is made of; a longer one counts as none.
const maxKeyID = 500

// An idStore keeps the Message-ID of every record as text until the threads are known: only those of the roots are
// needed afterwards. Each stands behind its length.
type idStore struct{ spool }

// add appends an id; it may be empty.
func (s *idStore) add(id string) error {
	var n [2]byte
	binary.LittleEndian.PutUint16(n[:], uint16(len(id)))
	if err := s.write(n[:]); err != nil {
		return err
	}
	return s.write([]byte(id))
}

// read appends the id that stands at off to dst.
func (s *idStore) read(dst []byte, off int64) ([]byte, error) {
	var n [2]byte
	if err := s.readAt(n[:], off); err != nil {
		return dst, err
	}
	start := len(dst)
	dst = append(dst, make([]byte, binary.LittleEndian.Uint16(n[:]))...)
	return dst, s.readAt(dst[start:], off+int64(len(n)))
}
