package sources

import "fmt"

// A Ledger accounts for everything an input holds: every byte, every record, every attachment, every column and label
// is in exactly one named bucket, and the sums close.
type Ledger struct {
	Files       []FileLedger     `json:"files"`
	Records     RecordLedger     `json:"records"`
	Attachments AttachmentLedger `json:"attachments"`
	Columns     []Use            `json:"columns"` // of tables: one for each column
	Labels      []Use            `json:"labels"`  // of mail: one for each label
	Refused     []Refusal        `json:"refused"`
	Problems    []Problem        `json:"problems"` // of the input as a whole, not of one ticket; may block the job (Severity BlocksJob)
}

// A FileLedger puts each byte of one file into one class. Sizes are of the decoded file (after gunzip and charset);
// Stored is the size on disk, or what the file takes in its archive.
type FileLedger struct {
	Path      string `json:"path"` // as the person named it
	Stored    int64  `json:"stored"`
	Size      int64  `json:"size"`
	SHA256    string `json:"sha256"`    // hex, of the decoded content
	Encoding  string `json:"encoding"`  // as found or declared: utf-8, windows-1252, gzip+utf-8, ...
	Message   int64  `json:"message"`   // bytes of messages, or of rows that hold tickets and messages, duplicates and excluded ones too
	Separator int64  `json:"separator"` // From_ lines, record ends that belong to no row
	Preamble  int64  `json:"preamble"`  // before the first record: header row, BOM, sep= line, garbage
	Blank     int64  `json:"blank"`     // blank rows, blank lines between mails
	Refused   int64  `json:"refused"`   // bytes of records that could not be read
	Truncated int64  `json:"truncated"` // the tail of a record that the file ends within
}

// Sum is the number of bytes accounted for; it equals Size, or there is an error of ours.
func (f FileLedger) Sum() int64 {
	return f.Message + f.Separator + f.Preamble + f.Blank + f.Refused + f.Truncated
}

// A RecordLedger puts each record into one class. A record is what can become a message: a mail, a comment row, a
// filled comment cell, the description of a ticket.
type RecordLedger struct {
	Found      int `json:"found"`      // records seen
	Messages   int `json:"messages"`   // those that belong to a ticket
	Duplicates int `json:"duplicates"` // further copies of one of them
	Excluded   int `json:"excluded"`   // left out by a rule the person wrote or a mark the mail client left
	Unreadable int `json:"unreadable"` // refused; each has a Refusal
	Tickets    int `json:"tickets"`    // what the messages form
	// ExcludedBy counts Excluded by rule: "label Spam", "expunged", "after cut-over".
	ExcludedBy map[string]int `json:"excluded_by"`
}

// An AttachmentLedger counts attachments of messages that belong to tickets.
type AttachmentLedger struct {
	Found   int   `json:"found"`
	Missing int   `json:"missing"`
	Bytes   int64 `json:"bytes"`
}

// Use says what happens to one column of a table or one mail label.
type Use struct {
	Name    string   `json:"name"` // as written; a repeated header carries #1, #2, ...
	Class   UseClass `json:"class"`
	As      string   `json:"as"`      // what it is mapped to, for Mapped and KeyColumn
	Filled  int      `json:"filled"`  // cells that are not empty, or mails with the label
	Of      int      `json:"of"`      // all cells
	Example string   `json:"example"` // one value, shortened
	File    string   `json:"file"`
}

// UseClass is the one class a column or label is in.
type UseClass string

// The classes of a column or label.
const (
	Mapped     UseClass = "mapped"
	KeyColumn  UseClass = "key"
	Ignored    UseClass = "ignored by name"
	EmptyUse   UseClass = "empty"
	NotCarried UseClass = "not carried over"
)

// A Refusal is a record that could not be read, with its place and reason.
type Refusal struct {
	Position Position `json:"position"`
	Bytes    int64    `json:"bytes"`
	Reason   string   `json:"reason"`
}

// Check reports the first sum that does not close; that is an error of ours, never of the input.
func (l *Ledger) Check() error {
	for _, f := range l.Files {
		if f.Sum() != f.Size {
			return fmt.Errorf("ledger of %s: %d bytes accounted for, the file has %d", f.Path, f.Sum(), f.Size)
		}
	}
	r := l.Records
	if sum := r.Messages + r.Duplicates + r.Excluded + r.Unreadable; sum != r.Found {
		return fmt.Errorf("record ledger: %d accounted for, %d found", sum, r.Found)
	}
	if r.Unreadable != len(l.Refused) {
		return fmt.Errorf("record ledger: %d unreadable, %d refusals listed", r.Unreadable, len(l.Refused))
	}
	return nil
}

// Bytes is the decoded size of all files.
func (l *Ledger) Bytes() (n int64) {
	for _, f := range l.Files {
		n += f.Size
	}
	return n
}
