//go:build linux || darwin

package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

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

// manyRows shows the same of a table: LARGEROWS tickets, a row each, as short as a ticket can be.
func (f *figures) manyRows(b *testing.B) {
	rows := size("LARGEROWS", 0)
	if rows == 0 {
		b.Skip("LARGEROWS is not set")
	}
	path := filepath.Join(f.dir, "rows.csv")
	bytes := write(b, path, func(w *bufio.Writer) {
		w.WriteString("id,subject,status,requester,created,text\n")
		for i := range rows {
			at := begun.Add(time.Duration(i) * 37 * time.Second).Format(time.DateTime)
			fmt.Fprintf(w, "%d,Order %d has not arrived,closed,c%d@customers.example,%s,\"I ordered it last week, number %d, and it is not here yet.\"\n", i, i, i%70_001, at, 7*i)
		}
	})
	config := filepath.Join(f.dir, "rows.yaml")
	check(b, os.WriteFile(config, []byte(`version: 1
source:
  kind: csv
  paths: [rows.csv]
  csv:
    layout: ticket-per-row
    time_zone: UTC
    columns: {ticket_id: id, subject: subject, status: status, requester_email: requester, created_at: created, description: text}
helpscout: {mailbox: Support}
mapping: {statuses: {closed: closed}, fallback_user: ada@support.example}
checkpoint: rows.db
`), 0o644))
	f.head("what", "s", "CPU s", "MB resident")
	t := best(b, 1, func() took { return f.dryRun(b, config, rows) })
	f.row(fmt.Sprintf("CSV, %d tickets of a row, %d MB", rows, bytes/1e6), t.wall.Seconds(), t.cpu.Seconds(), int(t.resident))
}
