//go:build linux || darwin

package checkpoint

import (
	"os"
	"os/signal"
	"syscall"
)

// dropRights becomes nobody if the process is root, whom no permission stops.
func dropRights() error {
	if os.Getuid() != 0 {
		return nil
	}
	return syscall.Setuid(65534)
}

// boundFiles makes every write beyond a size fail.
func boundFiles(size uint64) error {
	signal.Ignore(syscall.SIGXFSZ)
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: size})
}
