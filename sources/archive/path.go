package archive

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"

	"hsimport/sources"
)

// A kind is what packs an archive.
type kind uint8

const (
	none kind = iota
	zipArchive
	tarPlain
	tarGzip
	tarZstd
	tarBzip2
)

// String is how a ledger calls it.
func (k kind) String() string {
	return [...]string{"", "zip", "tar", "tar+gzip", "tar+zstd", "tar+bzip2"}[k]
}

// Split finds the archive that a path leads into: the first file on its way that is one, and the rest of the path with
// slashes, which is empty for the archive itself. ok is false for paths that lead into none.
func Split(path string) (archive, inside string, ok bool) {
	archive, rest := filepath.Clean(path), ""
	for {
		info, err := os.Stat(archive)
		if err == nil {
			if info.Mode().IsRegular() && kindOf(archive) != none {
				return archive, rest, true
			}
			return "", "", false
		}
		dir, name := filepath.Split(archive)
		dir = filepath.Clean(dir)
		if dir == archive || name == "" {
			return "", "", false
		}
		archive, rest = dir, joined(name, rest)
	}
}

func joined(name, rest string) string {
	if rest == "" {
		return name
	}
	return name + "/" + rest
}

// kindOf tells an archive from other files by its first bytes. An office document is no archive to us.
func kindOf(path string) kind {
	f, err := os.Open(path)
	if err != nil {
		return none
	}
	defer f.Close()
	head := make([]byte, 4096)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.ErrUnexpectedEOF {
		return none
	}
	head = head[:n]
	switch {
	case isZip(head):
		if document(path) != "" {
			return none
		}
		return zipArchive
	case isTar(head):
		return tarPlain
	}
	k, ok := packedBy(head)
	if !ok {
		return none
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return none
	}
	r, closeReader, err := unpacker(k, f)
	if err != nil {
		return none
	}
	defer closeReader()
	n, err = io.ReadFull(r, head[:512])
	if err == nil && isTar(head[:n]) {
		return k
	}
	return none
}

// packedBy knows the compressions that a tar may be in.
func packedBy(head []byte) (kind, bool) {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b, 8}):
		return tarGzip, true
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return tarZstd, true
	case bytes.HasPrefix(head, []byte("BZh")):
		return tarBzip2, true
	}
	return none, false
}

func isZip(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06"))
}

// isTar proves the checksum of a first header block, which old tars without a magic have too.
func isTar(head []byte) bool {
	if len(head) < 512 || head[0] == 0 {
		return false
	}
	want, ok := octal(head[148:156])
	if !ok {
		return false
	}
	unsigned, signed := int64(0), int64(0)
	for i, c := range head[:512] {
		if i >= 148 && i < 156 {
			c = ' '
		}
		unsigned += int64(c)
		signed += int64(int8(c))
	}
	return want == unsigned || want == signed
}

func octal(field []byte) (n int64, ok bool) {
	text := strings.Trim(string(field), " \x00")
	if text == "" {
		return 0, false
	}
	for _, c := range text {
		if c < '0' || c > '7' {
			return 0, false
		}
		n = n<<3 | int64(c-'0')
	}
	return n, true
}

// inputError is about an archive as a whole.
func inputError(name string, err error, hint string) error {
	return &sources.InputError{Position: sources.Position{File: name, Offset: -1}, Err: err, Hint: hint}
}
