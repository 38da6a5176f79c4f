//go:build unix

package mboxfile

import (
	"path/filepath"
	"syscall"
)

// freeSpace is the number of bytes that a file at path can still grow by; ok is false when nobody knows.
func freeSpace(path string) (free int64, ok bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(path), &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}
