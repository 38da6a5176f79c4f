package mail

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf16"

	"hsimport/sources"
)

// A tnefWriter writes winmail.dat streams.
type tnefWriter struct{ bytes.Buffer }

func newTNEF() *tnefWriter {
	w := &tnefWriter{}
	binary.Write(w, binary.LittleEndian, uint32(tnefSignature))
	binary.Write(w, binary.LittleEndian, uint16(1))
	return w
}

func (w *tnefWriter) attr(level byte, id uint32, data []byte) {
	w.WriteByte(level)
	binary.Write(w, binary.LittleEndian, id)
	binary.Write(w, binary.LittleEndian, uint32(len(data)))
	w.Write(data)
	binary.Write(w, binary.LittleEndian, uint16(0))
}

type mapiProp struct {
	typ, id uint16
	data    []byte
}

func mapi(props ...mapiProp) []byte {
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, uint32(len(props)))
	for _, p := range props {
		binary.Write(&b, binary.LittleEndian, p.typ)
		binary.Write(&b, binary.LittleEndian, p.id)
		if p.id >= 0x8000 {
			b.Write(make([]byte, 16))
			binary.Write(&b, binary.LittleEndian, uint32(0))
			binary.Write(&b, binary.LittleEndian, uint32(1))
		}
		if _, variable := mapiSize(p.typ); variable {
			binary.Write(&b, binary.LittleEndian, uint32(1))
			binary.Write(&b, binary.LittleEndian, uint32(len(p.data)))
			b.Write(p.data)
			b.Write(make([]byte, -len(p.data)&3))
			continue
		}
		b.Write(p.data)
	}
	return b.Bytes()
}

func utf16Prop(s string) []byte {
	var b bytes.Buffer
	for _, u := range append(utf16.Encode([]rune(s)), 0) {
		binary.Write(&b, binary.LittleEndian, u)
	}
	return b.Bytes()
}

func winmail(stream []byte) string {
	return "Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n" +
		wrapLF(base64.StdEncoding.EncodeToString(stream)) + "\n"
}

func wrapLF(s string) string { return strings.ReplaceAll(wrap(s, 76), "\r\n", "\n") }

func TestWinmail(t *testing.T) {
	w := newTNEF()
	w.attr(1, attCodepage, []byte{0xe4, 0x04, 0, 0, 0, 0, 0, 0})
	w.attr(1, attMessageProps, mapi(mapiProp{0x03, 0x8001, []byte{1, 0, 0, 0}}, mapiProp{0x1e, 0x1000, []byte("plain from Outlook\x00")},
		mapiProp{0x102, 0x1013, []byte("<p>rich from Outlook</p>")}))
	w.attr(2, attRendData, make([]byte, 14))
	w.attr(2, attTitle, []byte("GR\xdcSSE~1.PDF\x00"))
	w.attr(2, attData, []byte("%PDF-1.4\n"))
	w.attr(2, attAttachment, mapi(mapiProp{0x1f, 0x3707, utf16Prop("Grüße aus Köln.pdf")}, mapiProp{0x1e, 0x370e, []byte("application/pdf\x00")}))
	w.attr(2, attRendData, make([]byte, 14))
	w.attr(2, attTitle, []byte("dot.gif\x00"))
	w.attr(2, attAttachment, mapi(mapiProp{0x1e, 0x3712, []byte("dot@x\x00")}, mapiProp{0x102, 0x3701, []byte("GIF89a....")}))

	m := parse(t, simple+multipart("mixed", "Content-Type: text/plain\n\n\n", winmail(w.Bytes())))
	if m.Body != "<p>rich from Outlook</p>" || m.Format != sources.HTML || !hasCode(m.Problems, "tnef-unpacked") {
		t.Errorf("body %q, %v", m.Body, m.Problems)
	}
	if names(m) != "Grüße aus Köln.pdf application/pdf; dot.gif image/gif" {
		t.Fatalf("files %q", names(m))
	}
	if got := checkFile(t, m.Attachments[0]); string(got) != "%PDF-1.4\n" {
		t.Errorf("content %q", got)
	}
	if m.Attachments[1].ContentID != "dot@x" {
		t.Errorf("%+v", m.Attachments[1])
	}

	m = parse(t, simple+multipart("mixed", plainPart, winmail(w.Bytes())))
	if m.Body != "plain words\n" || len(m.Attachments) != 2 {
		t.Errorf("with a text of its own: body %q, files %q", m.Body, names(m))
	}
	m = parse(t, simple+multipart("mixed", plainPart, winmail(w.Bytes()[:w.Len()-20])))
	if m.Body != "plain words\n" || !hasCode(m.Problems, "tnef-damaged") || !strings.Contains(names(m), "winmail.dat application/ms-tnef") ||
		!strings.Contains(names(m), "Grüße aus Köln.pdf") {
		t.Errorf("cut: body %q, files %q, %v", m.Body, names(m), m.Problems)
	}
	m = parse(t, simple+multipart("mixed", plainPart, winmail([]byte("not at all"))))
	if names(m) != "winmail.dat text/plain" {
		t.Errorf("something else: files %q", names(m))
	}
}

// The example of [MS-OXRTFCP] section 4.1.
func TestCompressedRTF(t *testing.T) {
	packed, _ := hex.DecodeString("2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0")
	got, ok := decompressRTF(packed)
	if want := "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"; !ok || string(got) != want {
		t.Errorf("%q, want %q", got, want)
	}
	if s := rtfToText(got); s != "hello world" {
		t.Errorf("text %q", s)
	}
}

func TestRTF(t *testing.T) {
	for _, c := range []struct{ name, rtf, want string }{
		{"fonts and colours are no text", `{\rtf1\ansi{\fonttbl{\f0 Arial;}}{\colortbl;\red0;}{\*\generator x;}\f0 Hello\par\tab there}`, "Hello\n\tthere"},
		{"letters", `{\rtf1\ansi\ansicpg1251 \'cf\'f0\u1080 ?\'e2\u1077\'e5\uc0\u1090 !}`, "Приvет!"},
		{"escapes", `{\rtf1 a\{b\}c\\d\~e}`, "a{b}c\\d\u00a0e"},
		{"unbalanced", `{\rtf1 a}}}}b{{{c`, "abc"},
	} {
		c.want = strings.Replace(c.want, "v", "в", 1)
		if got := rtfToText([]byte(c.rtf)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	html, ok := rtfHTML([]byte(`{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\fonttbl{\f0 Arial;}}` +
		`{\*\htmltag19 <html>}{\*\htmltag34 <head>}{\*\htmltag41 </head>}{\*\htmltag64 <p class="a">}\htmlrtf {\htmlrtf0 Gr\'fc\'dfe ` +
		`{\*\htmltag84 <b>}\htmlrtf {\b\htmlrtf0 all\htmlrtf }\htmlrtf0 {\*\htmltag92 </b>}\htmlrtf\par\htmlrtf0{\*\htmltag72 </p>\par}}`))
	if want := "<html><head></head><p class=\"a\">Grüße <b>all</b></p>\n"; !ok || html != want {
		t.Errorf("%q, want %q", html, want)
	}
}

// der makes one BER value.
func der(tag byte, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append([]byte{tag, 0x82, byte(len(body) >> 8), byte(len(body))}, body...)
}

// indefinite makes one of indefinite length.
func indefinite(tag byte, parts ...[]byte) []byte {
	return append(append([]byte{tag, 0x80}, bytes.Join(parts, nil)...), 0, 0)
}

func TestSignedSMIME(t *testing.T) {
	inner := []byte("Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nsigned words\r\n--c\r\nContent-Type: application/pdf; name=in.pdf\r\n\r\n%PDF\r\n--c--\r\n")
	data := []byte{0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1}
	oid := append([]byte{0x06, 9}, oidSignedData...)
	version, digests := []byte{2, 1, 1}, []byte{0x31, 0}
	for name, cms := range map[string][]byte{
		"definite": der(0x30, oid, der(0xa0, der(0x30, version, digests, der(0x30, data, der(0xa0, der(0x04, inner))), der(0x31)))),
		"indefinite": indefinite(0x30, oid, indefinite(0xa0, indefinite(0x30, version, digests,
			indefinite(0x30, data, indefinite(0xa0, indefinite(0x24, der(0x04, inner[:50]), der(0x04, inner[50:])))), der(0x31)))),
	} {
		m := parse(t, simple+"Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\n"+
			wrapLF(base64.StdEncoding.EncodeToString(cms))+"\n")
		if m.Body != "signed words" || names(m) != "in.pdf application/pdf; smime.p7m application/pkcs7-mime" || !hasCode(m.Problems, "smime-signed") {
			t.Errorf("%s: body %q, files %q, %v", name, m.Body, names(m), m.Problems)
		}
	}
}

func TestEncryptedMailIsKeptWhole(t *testing.T) {
	pgp := simple + strings.Replace(multipart("encrypted", "Content-Type: application/pgp-encrypted\n\nVersion: 1\n",
		"Content-Type: application/octet-stream\n\n-----BEGIN PGP MESSAGE-----\n"), "encrypted;", "encrypted; protocol=\"application/pgp-encrypted\";", 1)
	smime := simple + "Content-Type: application/x-pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\nMIAGCSqGSIb3DQEHA6CA\n"
	for _, raw := range []string{pgp, smime} {
		m := parse(t, raw)
		if !strings.Contains(m.Body, "encrypted") || names(m) != "original.eml message/rfc822" || !hasCode(m.Problems, "encrypted") {
			t.Fatalf("body %q, files %q, %v", m.Body, names(m), m.Problems)
		}
		if got := checkFile(t, m.Attachments[0]); string(got) != raw {
			t.Errorf("the attached mail is not the mail:\n%q", got)
		}
	}
	signed := multipart("signed", plainPart, "Content-Type: application/pgp-signature; name=signature.asc\n\n-----BEGIN PGP SIGNATURE-----\n")
	if m := parse(t, simple+signed); m.Body != "plain words\n" || names(m) != "signature.asc application/pgp-signature" {
		t.Errorf("signed: body %q, files %q", m.Body, names(m))
	}
}
