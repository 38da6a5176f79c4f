package mail

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand"
	"mime/quotedprintable"
	"strings"
	"testing"
)

func TestTransferEncodings(t *testing.T) {
	for _, c := range []struct{ name, enc, in, want, code string }{
		{"quoted-printable", "quoted-printable", "Gr=C3=BC=C3=9Fe =\nan alle\n", "Grüße an alle\n", ""},
		{"blanks at the line end were added", "quoted-printable", "a=20  \nb\t\n", "a \nb\n", ""},
		{"soft break with blanks", "quoted-printable", "a=  \nb\n", "ab\n", ""},
		{"no escape", "quoted-printable", "100=% =ZZ a=b\n", "100=% =ZZ a=b\n", "quoted-printable-damaged"},
		{"lower case", "Quoted-Printable ", "=c3=bc\n", "ü\n", ""},
		{"cut", "quoted-printable", "ab=", "ab", ""},
		{"base64", "base64", "aGVsbG8g\nd29ybGQ=\n", "hello world", ""},
		{"no padding", "BASE64", "aGVsbG8gd29ybGQ\n", "hello world", ""},
		{"padding in the middle", "base64", "aGVsbG8=IHdvcmxk\n", "hello world", ""},
		{"text after the padding", "base64", "aGVsbG8= ignored\nIHdvcmxk\n", "hello world", ""},
		{"stray characters", "base64", "aGVs*bG8!g\nd29ybGQ=\n", "hello world", "base64-damaged"},
		{"cut in a group", "base64", "aGVsbG8gd29ybG\n", "hello worl", ""},
		{"odd name", "\"base64\"", "aGVsbG8=\n", "hello", ""},
		{"unknown", "x-own", "aGVsbG8=\n", "aGVsbG8=\n", ""},
		{"8bit", "8bit", "Grüße\n", "Grüße\n", ""},
		{"uuencode", "x-uuencode", "begin 644 a.txt\n#86)C\n`\nend\n", "abc", ""},
	} {
		m := parse(t, simple+"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: "+c.enc+"\n\n"+c.in)
		if m.Body != c.want || c.code != "" && !hasCode(m.Problems, c.code) || c.code == "" && len(m.Problems) > 0 {
			t.Errorf("%s: %q, %v; want %q, %q", c.name, m.Body, m.Problems, c.want, c.code)
		}
	}
}

// Big contents are decoded in chunks; where the cuts fall must not matter.
func TestChunksDecodeLikeTheWhole(t *testing.T) {
	rnd := rand.New(rand.NewSource(1))
	data := make([]byte, 5*chunkSize+123)
	rnd.Read(data)
	var qp bytes.Buffer
	w := quotedprintable.NewWriter(&qp)
	w.Binary = true
	w.Write(data)
	w.Close()
	oneLine := base64.StdEncoding.EncodeToString(data)
	for _, c := range []struct {
		name string
		enc  transfer
		src  string
	}{
		{"base64 on one line", base64Encoding, oneLine},
		{"base64 in lines", base64Encoding, wrap(oneLine, 76)},
		{"base64 in odd lines", base64Encoding, wrap(oneLine, 77)},
		{"quoted-printable", quotedPrintable, qp.String()},
		{"quoted-printable on one line", quotedPrintable, strings.ReplaceAll(qp.String(), "=\r\n", "")},
		{"identity", identity, string(data)},
	} {
		got, err := io.ReadAll(&content{src: []byte(c.src), enc: c.enc})
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %d bytes of %d, %v", c.name, len(got), len(data), err)
		}
		whole := content{src: []byte(c.src), enc: c.enc}
		if !bytes.Equal(whole.bytes(), data) || whole.damaged {
			t.Errorf("%s: decoded whole it differs", c.name)
		}
	}
	crlf := strings.Repeat("line\r\n", chunkSize)
	if got, _ := io.ReadAll(&content{src: []byte(crlf), lf: true}); string(got) != strings.Repeat("line\n", chunkSize) {
		t.Error("line ends at a cut survive")
	}
}

func wrap(s string, n int) string {
	var out strings.Builder
	for len(s) > n {
		out.WriteString(s[:n] + "\r\n")
		s = s[n:]
	}
	return out.String() + s
}

func uuencode(name string, data []byte) string {
	var out strings.Builder
	fmt.Fprintf(&out, "begin 644 %s\n", name)
	for len(data) > 0 {
		n := min(45, len(data))
		line := data[:n]
		data = data[n:]
		out.WriteByte(byte(' ' + n))
		for i := 0; i < n; i += 3 {
			var g [3]byte
			copy(g[:], line[i:])
			v := uint32(g[0])<<16 | uint32(g[1])<<8 | uint32(g[2])
			for shift := 18; shift >= 0; shift -= 6 {
				c := byte(v>>shift) & 63
				if c == 0 {
					c = 64 // a grave accent, because blanks get lost
				}
				out.WriteByte(' ' + c)
			}
		}
		out.WriteByte('\n')
	}
	return out.String() + "`\nend\n"
}

func TestUuencodeInText(t *testing.T) {
	first, second := bytes.Repeat([]byte("first file\n"), 20), []byte{0, 1, 2, 255}
	m := parse(t, simple+"\nbefore\n\nbegin 644 is a sentence\n"+uuencode("a b.txt", first)+"between\n"+uuencode("", second)+"after\n")
	if m.Body != "before\n\nbegin 644 is a sentence\nbetween\nafter\n" || len(m.Attachments) != 2 || !hasCode(m.Problems, "uuencoded") {
		t.Fatalf("body %q, files %q", m.Body, names(m))
	}
	if a := m.Attachments[0]; a.Name != "a b.txt" || !bytes.Equal(checkFile(t, a), first) {
		t.Errorf("%+v", a)
	}
	if a := m.Attachments[1]; !bytes.Equal(checkFile(t, a), second) {
		t.Errorf("%+v", a)
	}
}

func TestUnfinishedUuencodeStaysText(t *testing.T) {
	text := strings.TrimSuffix(uuencode("a.bin", []byte("some bytes")), "end\n")
	if m := parse(t, simple+"\n"+text); m.Body != text || len(m.Attachments) != 0 {
		t.Errorf("body %q, files %q", m.Body, names(m))
	}
}
