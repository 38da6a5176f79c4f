//go:build unix

package importer

import (
	"errors"
	"syscall"
)

// alive reports that a process of this machine is there.
func alive(pid int) bool {
	if pid <= 0 {
		return false
	}
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
