package mail

import "testing"

func TestCut(t *testing.T) {
	const head = "From: a@b.example\nSubject: x\n"
	const parts = head + "Content-Type: multipart/mixed; boundary=xx\n\n--xx\nContent-Type: text/plain\n\nhello\n--xx\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo"
	for _, c := range []struct {
		name, raw string
		cut       bool
	}{
		{"whole", head + "\nhello\n", false},
		{"without a last line end", head + "\nhello", false},
		{"header only", head, false},
		{"within the header", head + "Message-ID: <abc", true},
		{"within a part", parts, true},
		{"at a line's end", parts + "AAAA\n", true},
		{"all parts", parts + "\n--xx--\n", false},
		{"all parts, CRLF", "From: a@b.example\r\nContent-Type: multipart/mixed; boundary=xx\r\n\r\n--xx\r\n\r\nhello\r\n--xx--", false},
		{"a boundary that is not there", head + "Content-Type: multipart/mixed; boundary=yy\n\nhello\n", false},
		{"a boundary that ends in blanks", head + "Content-Type: multipart/mixed; boundary=\"yy  \"\n\n--yy  \n\nhello\n--yy  --\nepilogue", false},
		{"nothing", "", false},
	} {
		if why := Cut([]byte(c.raw)); (why != "") != c.cut {
			t.Errorf("%s: %q", c.name, why)
		}
	}
}
