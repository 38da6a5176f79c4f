package mapping

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"hsimport/importer/helpscout"
)

// The functions here write a create call exactly as encoding/json does with HTML escaping off, which is what the
// client sends. Every part of a dry run is written once for its digest and length, so that speed counts; a test holds
// them against encoding/json and notices a field that the wire types gain.

func appendConversation(b []byte, c *helpscout.NewConversation) []byte {
	b = appendJSON(append(b, `{"subject":`...), c.Subject)
	b = appendCustomer(append(b, `,"customer":`...), c.Customer)
	b = strconv.AppendInt(append(b, `,"mailboxId":`...), c.MailboxID, 10)
	b = appendJSON(append(b, `,"type":`...), c.Type)
	b = appendJSON(append(b, `,"status":`...), c.Status)
	b = strconv.AppendBool(append(b, `,"imported":`...), c.Imported)
	b = append(b, `,"assignTo":`...)
	if c.AssignTo == nil {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendInt(b, *c.AssignTo, 10)
	}
	b = appendTime(append(b, `,"createdAt":`...), c.CreatedAt)
	if c.ClosedAt != nil {
		b = appendTime(append(b, `,"closedAt":`...), *c.ClosedAt)
	}
	if c.User != 0 {
		b = strconv.AppendInt(append(b, `,"user":`...), c.User, 10)
	}
	if len(c.Tags) > 0 {
		b = appendList(append(b, `,"tags":`...), c.Tags, appendJSON)
	}
	if len(c.Fields) > 0 {
		b = appendList(append(b, `,"fields":`...), c.Fields, appendField)
	}
	b = append(b, `,"threads":`...)
	if c.Threads == nil {
		return append(b, "null}"...)
	}
	return append(appendList(b, c.Threads, appendThread), '}')
}

func appendThread(b []byte, t helpscout.NewThread) []byte {
	b = append(b, '{')
	if t.Type != "" {
		b = append(appendJSON(append(b, `"type":`...), t.Type), ',')
	}
	if t.Customer != nil {
		b = append(appendCustomer(append(b, `"customer":`...), t.Customer), ',')
	}
	if t.User != 0 {
		b = append(strconv.AppendInt(append(b, `"user":`...), t.User, 10), ',')
	}
	b = appendJSON(append(b, `"text":`...), t.Text)
	b = strconv.AppendBool(append(b, `,"imported":`...), t.Imported)
	b = appendTime(append(b, `,"createdAt":`...), t.CreatedAt)
	if t.Status != "" {
		b = appendJSON(append(b, `,"status":`...), t.Status)
	}
	if len(t.Cc) > 0 {
		b = appendList(append(b, `,"cc":`...), t.Cc, appendJSON)
	}
	if len(t.Attachments) > 0 {
		b = appendList(append(b, `,"attachments":`...), t.Attachments, appendAttachment)
	}
	return append(b, '}')
}

func appendCustomer(b []byte, c *helpscout.NewCustomer) []byte {
	if c == nil {
		return append(b, "null"...)
	}
	start := len(b)
	if c.ID != 0 {
		b = strconv.AppendInt(append(b, `,"id":`...), c.ID, 10)
	}
	for _, f := range [...]struct{ key, value string }{
		{`,"email":`, c.Email},
		{`,"firstName":`, c.FirstName},
		{`,"lastName":`, c.LastName},
		{`,"phone":`, c.Phone},
		{`,"jobTitle":`, c.JobTitle},
		{`,"organization":`, c.Organization},
		{`,"background":`, c.Background},
		{`,"location":`, c.Location},
	} {
		if f.value != "" {
			b = appendJSON(append(b, f.key...), f.value)
		}
	}
	if len(b) == start {
		return append(b, "{}"...)
	}
	b[start] = '{' // the first comma
	return append(b, '}')
}

func appendField(b []byte, f helpscout.FieldValue) []byte {
	b = strconv.AppendInt(append(b, `{"id":`...), f.ID, 10)
	return append(appendJSON(append(b, `,"value":`...), f.Value), '}')
}

func appendAttachment(b []byte, a helpscout.NewAttachment) []byte {
	b = appendJSON(append(b, `{"fileName":`...), a.FileName)
	b = appendJSON(append(b, `,"mimeType":`...), a.MIMEType)
	return append(appendJSON(append(b, `,"data":`...), a.Data), '}')
}

// appendTime writes helpscout.TimeLayout, digit by digit.
func appendTime(b []byte, t helpscout.Time) []byte {
	year, month, day := t.UTC().Date()
	hour, minute, second := t.UTC().Clock()
	if year < 0 || year > 9999 { // does not happen in a plan
		return append(t.UTC().AppendFormat(append(b, '"'), helpscout.TimeLayout), '"')
	}
	b = appendTwo(appendTwo(append(b, '"'), year/100), year%100)
	b = appendTwo(append(b, '-'), int(month))
	b = appendTwo(append(b, '-'), day)
	b = appendTwo(append(b, 'T'), hour)
	b = appendTwo(append(b, ':'), minute)
	b = appendTwo(append(b, ':'), second)
	return append(b, 'Z', '"')
}

// appendTwo appends n as two digits.
func appendTwo(b []byte, n int) []byte { return append(b, '0'+byte(n/10), '0'+byte(n%10)) }

func appendList[T any](b []byte, list []T, item func([]byte, T) []byte) []byte {
	b = append(b, '[')
	for i, x := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = item(b, x)
	}
	return append(b, ']')
}

// asIs are the bytes that need no second look in a JSON string. 0xe2 does: U+2028 and U+2029 begin with it.
var asIs = func() (t [256]bool) {
	for i := range t {
		t[i] = i >= 0x20 && i != '"' && i != '\\' && i != 0xe2
	}
	return t
}()

// appendJSON appends s as a JSON string.
func appendJSON(b []byte, s string) []byte {
	ascii := nextForeign(s)
	if !utf8.ValidString(s[ascii:]) { // does not happen in a plan: everything in it was cleaned
		j, _ := json.Marshal(s)
		return append(b, j...)
	}
	b = append(b, '"')
	done := 0
	for i := 0; i < len(s); i++ {
		if i = nextEscaped(s, i); i == len(s) {
			break
		}
		var to string
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(append(b, s[done:i]...), '\\', c)
			done = i + 1
			continue
		case c == '\n':
			to = `\n`
		case c == '\t':
			to = `\t`
		case c == '\r':
			to = `\r`
		case c == '\b':
			to = `\b`
		case c == '\f':
			to = `\f`
		case c < 0x20:
			const hex = "0123456789abcdef"
			b = append(append(b, s[done:i]...), '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			done = i + 1
			continue
		case s[i+1] == 0x80 && s[i+2]&^1 == 0xa8: // valid UTF-8 has two more bytes here
			b = append(append(b, s[done:i]...), `\u202`...)
			b = append(b, '8'+s[i+2]-0xa8)
			i += 2
			done = i + 1
			continue
		default:
			continue
		}
		b = append(append(b, s[done:i]...), to...)
		done = i + 1
	}
	return append(append(b, s[done:]...), '"')
}
