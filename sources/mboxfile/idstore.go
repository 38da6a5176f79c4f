package mboxfile

import (
	"encoding/binary"
	"io"
)

// maxKeyID bounds the Message-ID that a key is made of; a longer one counts as none.
const maxKeyID = 500

// An idStore keeps the Message-ID of every record as text until the threads are known: only those of the roots are
// needed afterwards. It is written once in the order of the records and read once in the same order.
type idStore struct{ spool }

// add appends the id of the next record; it may be empty.
func (s *idStore) add(id string) error {
	var n [2]byte
	binary.LittleEndian.PutUint16(n[:], uint16(len(id)))
	if err := s.write(n[:]); err != nil {
		return err
	}
	return s.write([]byte(id))
}

// each calls fn with the number and the id of every record, and then lets go of all.
func (s *idStore) each(fn func(i int, id []byte)) error {
	defer s.close()
	r, err := s.reader()
	if err != nil {
		return err
	}
	var n [2]byte
	id := make([]byte, maxKeyID)
	for i := 0; ; i++ {
		if _, err := io.ReadFull(r, n[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		id = id[:binary.LittleEndian.Uint16(n[:])]
		if _, err := io.ReadFull(r, id); err != nil {
			return err
		}
		fn(i, id)
	}
}
