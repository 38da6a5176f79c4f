//go:build unix

package archive

import (
	"syscall"
)

// freeSpace is the number of bytes that can still be written below a folder; ok is false when nobody knows.
func freeSpace(path string) (free int64, ok bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}
