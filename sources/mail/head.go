package mail

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"hsimport/sources"
)

// Options say what the surroundings of a message tell about it.
type Options struct {
	Zone      *time.Location   // for dates without a zone; nil: UTC, with a Problem
	Separator time.Time        // the date of the mbox separator line; zero when there is none
	Position  sources.Position // where the message stands; copied to its problems and attachments
}

// Where the date of a message was found: the values of Head.DateSource.
const (
	DateFromDate      = "date"
	DateFromReceived  = "received"
	DateFromSeparator = "separator"
	DateFromNone      = "none"
)

// Head is what an index needs of a message: its header only, decoded.
type Head struct {
	MessageID  string   // without brackets and blanks; empty when there is none, or none that can name a mail
	InReplyTo  []string // Message-IDs, without brackets
	References []string // oldest first
	Subject    string
	Date       time.Time // UTC; zero when DateSource is DateFromNone
	DateSource string
	Received   time.Time // of the newest Received field that can be read, UTC; zero when there is none

	// From holds the authors. One that a mailing list rewrote ("Ann via Support <support@lists.example>") is replaced
	// by the original one where the header still knows it. Empty when the field is missing or empty.
	From    []sources.Person
	Sender  []sources.Person
	ReplyTo []sources.Person
	To      []sources.Person
	Cc      []sources.Person
	Bcc     []sources.Person

	GmailThread   string   // X-GM-THRID
	Labels        []string // X-Gmail-Labels, decoded
	MozillaStatus uint32   // X-Mozilla-Status, with the flags of X-Mozilla-Status2; 0x0008 is expunged
	Auto          sources.Auto
	ListID        string // inside of the brackets
	ThreadIndex   string // Outlook's, base64 without blanks
	Mailer        string // X-Mailer or User-Agent

	Problems []sources.Problem
}

// ParseHead decodes the header of a message. raw may be the whole message or only its header block. It never fails:
// what is damaged or missing is in Problems.
func ParseHead(raw []byte, opts Options) *Head {
	h, _, _ := readHead(raw, opts)
	return h
}

// readHead also returns the raw fields, which the body's decoding needs, and the decoder with its state.
func readHead(raw []byte, opts Options) (*Head, *rawFields, *decoder) {
	f := collectFields(unixEnds(raw))
	h := &Head{}
	n := &notes{at: opts.Position}
	d := &decoder{hint: f.charset()}
	if !f.known {
		n.add(sources.Warning, "header-missing", "the message has no header; all of it is taken for its text")
	} else if f.noGap {
		n.add(sources.Info, "header-no-blank-line", "no blank line between header and text")
	}
	if f.cut {
		n.add(sources.Warning, "header-too-long", "the header is longer than any mail's; what is beyond the limit is left out")
	}
	h.ids(f, n)
	h.Subject = d.text(f.subject)
	h.people(f, d, n)
	h.dates(f, opts, n)
	h.marks(f, d)
	h.Auto = f.auto(h)
	if d.guessed {
		n.add(sources.Info, "header-charset-guessed",
			"the header has letters beyond ASCII in no declared charset; the likeliest one was taken")
	}
	h.Problems = n.list
	return h, f, d
}

func (h *Head) ids(f *rawFields, n *notes) {
	ids := messageIDs(f.messageID)
	switch {
	case len(trimSpace(f.messageID)) == 0:
		n.add(sources.Info, "message-id-missing", "no Message-ID; the mail is known by its content")
	case len(ids) == 0:
		n.add(sources.Info, "message-id-malformed", "the Message-ID %s names nothing; the mail is known by its content",
			quoted(f.messageID))
	default:
		h.MessageID = ids[0]
	}
	h.InReplyTo = replyIDs(f.inReplyTo)
	h.References = messageIDs(f.references)
}

func (h *Head) people(f *rawFields, d *decoder, n *notes) {
	f.from.dropSeparator()
	h.From = f.from.addresses(d)
	h.Sender = parseAddresses(f.sender, d)
	h.ReplyTo = f.replyTo.addresses(d)
	h.To = f.to.addresses(d)
	h.Cc = f.cc.addresses(d)
	h.Bcc = f.bcc.addresses(d)
	if len(f.from.more) > 0 {
		n.add(sources.Info, "from-repeated", "the mail has %d From fields; the first one with an address counts",
			1+len(f.from.more))
		for i, p := range h.From {
			if p.Email != "" {
				h.From[0], h.From[i] = h.From[i], h.From[0]
				break
			}
		}
	}
	if f.known && !hasAddress(h.From) {
		n.add(sources.Warning, "from-missing", "the mail does not say with an address who wrote it")
	}
	h.unlist(f, d, n)
}

func hasAddress(people []sources.Person) bool {
	for _, p := range people {
		if p.Email != "" {
			return true
		}
	}
	return false
}

func (h *Head) marks(f *rawFields, d *decoder) {
	h.GmailThread = string(trimSpace(f.gmailThread))
	if len(f.gmailLabels) > 0 {
		h.Labels = splitLabels(d.text(f.gmailLabels))
	}
	status, _ := strconv.ParseUint(string(f.mozillaStatus), 16, 32)
	status2, _ := strconv.ParseUint(string(f.mozillaStatus2), 16, 32)
	h.MozillaStatus = uint32(status) | uint32(status2)
	h.ListID = listID(f.listID, d)
	h.ThreadIndex = strings.Join(strings.Fields(d.text(f.threadIndex)), "")
	h.Mailer = d.text(f.mailer)
}

// listID is what stands in the brackets of a List-Id field, else all of it.
func listID(v []byte, d *decoder) string {
	s := d.text(v)
	if i := strings.LastIndexByte(s, '<'); i >= 0 {
		s = s[i+1:]
		if j := strings.IndexByte(s, '>'); j >= 0 {
			s = s[:j]
		}
	}
	return strings.TrimSpace(s)
}

// splitLabels splits Gmail's list of labels at the commas; one that holds a comma is in quotes.
func splitLabels(s string) []string {
	var out []string
	var cur strings.Builder
	quoted := false
	add := func() {
		label := strings.TrimSpace(cur.String())
		cur.Reset()
		if label == "" {
			return
		}
		for _, l := range out {
			if l == label {
				return
			}
		}
		out = append(out, label)
	}
	for _, r := range s {
		switch {
		case r == '"':
			quoted = !quoted
		case r == ',' && !quoted:
			if len(out) < maxLabels {
				add()
			}
		default:
			cur.WriteRune(r)
		}
	}
	add()
	return out
}

// maxLabels bounds the labels of one mail.
const maxLabels = 1000

// maxID bounds a Message-ID. A longer one was made to break something.
const maxID = 2000

// messageIDs takes the ids out of a Message-ID or References field: what stands in brackets, else words with "@".
func messageIDs(v []byte) []string {
	v = unfold(v)
	var out []string
	bare := bytes.IndexByte(v, '<') < 0
	for len(v) > 0 {
		var id []byte
		if bare {
			f := bytes.IndexAny(v, " \t,;")
			if f < 0 {
				f = len(v)
			}
			id, v = v[:f], v[min(len(v), f+1):]
		} else {
			i := bytes.IndexByte(v, '<')
			if i < 0 {
				break
			}
			end := bytes.IndexAny(v[i+1:], "><")
			if end < 0 {
				end = len(v) - i - 1
			}
			id, v = v[i+1:i+1+end], v[i+1+end:]
		}
		if s := cleanID(id); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// replyIDs takes the ids out of In-Reply-To, which older programs filled with a sentence: "Your message of Monday
// <id>", or with the author's address.
func replyIDs(v []byte) []string {
	if bytes.IndexByte(v, '<') < 0 && len(bytes.Fields(v)) > 1 {
		return nil
	}
	return messageIDs(v)
}

// cleanID removes the blanks that folding left in an id. One of a single character, or an endless one, is none.
func cleanID(id []byte) string {
	s := string(id)
	for _, c := range id {
		if c <= ' ' || c >= 0x7f {
			s = tidyID(id)
			break
		}
	}
	s = strings.Trim(s, "<>\"")
	if len(s) < 2 || len(s) > maxID {
		return ""
	}
	return s
}

func tidyID(id []byte) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(id), "\ufffd"))
}

// unixEnds returns raw with old Macintosh line ends (a lone CR) made "\n", at the same offsets; any other message as it
// is.
func unixEnds(raw []byte) []byte {
	if bytes.IndexByte(raw, '\n') >= 0 || bytes.IndexByte(raw, '\r') < 0 {
		return raw
	}
	return bytes.ReplaceAll(raw, []byte("\r"), []byte("\n"))
}
