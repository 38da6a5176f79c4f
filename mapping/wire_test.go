package mapping

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hsimport/importer/helpscout"
)

// TestWireTypesAreWrittenWhole: a field that the wire types gain must be written too.
func TestWireTypesAreWrittenWhole(t *testing.T) {
	for _, c := range []struct {
		v      any
		fields int
	}{
		{helpscout.NewConversation{}, 13}, {helpscout.NewThread{}, 9}, {helpscout.NewCustomer{}, 9}, {helpscout.FieldValue{}, 2}, {helpscout.NewAttachment{}, 3},
	} {
		if typ := reflect.TypeOf(c.v); typ.NumField() != c.fields {
			t.Errorf("%s has %d fields, wire.go knows %d: write the new one there, and add it to genConversation", typ, typ.NumField(), c.fields)
		}
	}
}

var odd = []string{"", "plain", "a\"b\\c", "\n\t\r\b\f\x01\x1f", "<&>'", "é🙂\u2028x\u2029\u2027", "\xff\xe2", "\xe2\x80", "\x7f\u0080"}

func genCustomer(t *rapid.T) *helpscout.NewCustomer {
	if rapid.IntRange(0, 3).Draw(t, "none") == 0 {
		return nil
	}
	s := func() string { return rapid.SampledFrom(odd).Draw(t, "s") }
	return &helpscout.NewCustomer{
		ID: rapid.Int64Range(0, 1).Draw(t, "id"), Email: s(), FirstName: s(), LastName: s(), Phone: s(), JobTitle: s(), Organization: s(), Background: s(), Location: s(),
	}
}

func genConversation(t *rapid.T) *helpscout.NewConversation {
	s := func() string {
		return rapid.OneOf(rapid.SampledFrom(odd), rapid.String()).Draw(t, "s")
	}
	at := func() helpscout.Time { return helpscout.At(time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "at"), 7)) }
	n := func() int64 { return rapid.Int64Range(-1, 1).Draw(t, "n") }
	c := &helpscout.NewConversation{
		Subject: s(), Customer: genCustomer(t), MailboxID: n(), Type: s(), Status: s(), Imported: rapid.Bool().Draw(t, "imported"), CreatedAt: at(), User: n(),
		Tags: rapid.SliceOfN(rapid.SampledFrom(odd), 0, 3).Draw(t, "tags"),
	}
	if rapid.Bool().Draw(t, "assigned") {
		c.AssignTo = new(n())
	}
	if rapid.Bool().Draw(t, "closed") {
		c.ClosedAt = new(at())
	}
	for range rapid.IntRange(0, 2).Draw(t, "fields") {
		c.Fields = append(c.Fields, helpscout.FieldValue{ID: n(), Value: s()})
	}
	for range rapid.IntRange(0, 3).Draw(t, "threads") {
		th := helpscout.NewThread{
			Type: s(), Customer: genCustomer(t), User: n(), Text: s(), Imported: rapid.Bool().Draw(t, "i"), CreatedAt: at(), Status: s(),
			Cc: rapid.SliceOfN(rapid.SampledFrom(odd), 0, 2).Draw(t, "cc"),
		}
		for range rapid.IntRange(0, 2).Draw(t, "files") {
			th.Attachments = append(th.Attachments, helpscout.NewAttachment{FileName: s(), MIMEType: s(), Data: s()})
		}
		c.Threads = append(c.Threads, th)
	}
	return c
}

// TestWireIsEncodingJSON: what is digested and measured is what the client sends, byte for byte.
func TestWireIsEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := genConversation(t)
		body, err := helpscout.NewBody(c, nil)
		if err != nil {
			t.Skip("a text of the generator looks like a symbol")
		}
		if got := string(appendConversation(nil, c)); got != string(body.Symbolic()) {
			t.Fatalf("written\n%s\nthe client sends\n%s", got, body.Symbolic())
		}
	})
}

// TestTextLen: the length that decides about cuts is that of the JSON.
func TestTextLen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, _ := cleanText(rapid.String().Draw(t, "s") + rapid.SampledFrom(odd).Draw(t, "odd"))
		if got, want := textLen(s), len(appendJSON(nil, s))-2; got != want || want > 2*len(s) {
			t.Fatalf("%q: %d, the JSON has %d", s, got, want)
		}
	})
}
