//go:build linux || darwin

package main

import (
	"fmt"
	"path/filepath"
	"testing"

	"hsimport/configs"
)

// large shows that memory does not grow with an archive: plain mails of 2.6 kB, the worst for an index, LARGE
// megabytes of them. It needs that room on the disk, and some minutes.
func (f *figures) large(b *testing.B) {
	mb := size("LARGE", 0)
	if mb == 0 {
		b.Skip("LARGE is not set")
	}
	path := filepath.Join(f.dir, "large.mbox")
	bytes, mails := archive(b, path, int64(mb)*1_000_000, false)
	config := f.job(b, configs.Mbox, path)
	f.head("what", "s", "CPU s", "MB resident")
	t := best(b, 1, func() took { return f.dryRun(b, config, mails) })
	f.row(fmt.Sprintf("text archive, %d mails, %d MB", mails, bytes/1e6), t.wall.Seconds(), t.cpu.Seconds(), int(t.resident))
}
