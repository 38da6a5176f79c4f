//go:build !unix

package archive

// freeSpace is unknown here; a full disk is an error of the write then.
func freeSpace(string) (free int64, ok bool) { return 0, false }
