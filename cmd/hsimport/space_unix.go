//go:build linux || darwin

package main

import "syscall"

// freeSpace is the number of bytes that may still be written to the disk of dir, or -1 when that cannot be known.
func freeSpace(dir string) int64 {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return -1
	}
	return int64(st.Bavail) * int64(st.Bsize)
}
