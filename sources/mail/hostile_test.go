package mail

import (
	"fmt"
	"strings"
	"testing"
)

// Mails made to take for ever: each shape repeats what made some step look far ahead, or again. With a square in any step
// this test would not end within the time of the whole run.
func TestHostileShapesEnd(t *testing.T) {
	size := 4 << 20
	if testing.Short() {
		size = 1 << 20
	}
	rep := func(s string) string { return strings.Repeat(s, size/len(s)) }
	var nest strings.Builder
	for i := 0; nest.Len() < size; i++ {
		fmt.Fprintf(&nest, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	for name, raw := range map[string]string{
		"words":     "Subject: " + rep("=?a?q? ") + "\n\n",
		"manywords": rep("From: =?a?q? =?a?q? \xff\n") + "\n\n",
		"angles":    "From: " + rep("<") + "\n\n",
		"parens":    "From: " + rep("(") + "\n\n",
		"quotes":    "To: " + rep("\"") + "\n\n",
		"tos":       rep("To: <<<\"(\xff a@b,\n") + "\n\n",
		"begin":     simple + "\n" + rep("begin 644 x\n#86)C\n"),
		"begin2":    simple + "\n" + rep("begin 644 x\n"),
		"nest":      simple + nest.String(),
		"dashes":    simple + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n" + rep("\n--"),
		"param":     simple + "Content-Type: text/enriched\n\n" + rep("<param>"),
		"tags":      simple + "Content-Type: text/html\n\n" + rep("<"),
		"styles":    simple + "Content-Type: text/html\n\n" + rep("<style></styl>"),
		"comments":  simple + "Content-Type: text/html\n\n" + rep("<!-- "),
		"src":       simple + "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n" + rep("src=\"cid:") + "x\n--b\nContent-Type: image/gif\nContent-ID: <x>\n\nx\n",
		"high":      simple + "\n" + rep("\xff\xfe\xe0 a"),
		"parts8":    simple + "Content-Type: multipart/mixed; boundary=b\n\n" + rep("--b\n\n\xe4\xff\xe0\xe1\n"),
		"partnames": simple + "Content-Type: multipart/mixed; boundary=b\n\n" + rep("--b\nContent-Type: image/gif; name=\"\xe4\xe3\xff\"\n\nx\n"),
		"uu":        simple + "\n" + rep("begin 644 x\n#86)C\n`\nend\n"),
		"blankhdr":  "Subject: x\n" + rep(" \n") + "x",
		"folds":     "Subject: x\n" + rep(" x\n") + "\n",
		"junkhdr":   "Subject: x,\n" + rep("x,\n") + "\n",
		"params":    simple + "Content-Type: text/plain; " + rep("a=b; ") + "\n\n",
		"refs":      simple + "References: " + rep("<a@b> ") + "\n\n",
		"tnefish":   simple + "Content-Type: application/ms-tnef\n\n\x78\x9f\x3e\x22\x01\x00" + rep("\x02\x02\x90\x06\x00\x00\x00\x00\x00\x00\x00"),
		"p7":        simple + "Content-Type: application/pkcs7-mime\n\n" + rep("\x30\x80"),
		"alt":       simple + "Content-Type: multipart/alternative; boundary=b\n\n" + rep("--b\nContent-Type: text/html\n\n<p>\n"),
		"rel":       simple + "Content-Type: multipart/related; boundary=b\n\n" + rep("--b\n\nx\n"),
		"lines":     simple + "\n" + rep("\n"),
		"oneline":   simple + "Content-Transfer-Encoding: quoted-printable\n\n" + rep("="),
		"b64":       simple + "Content-Transfer-Encoding: base64\n\n" + rep("= a"),
		"rtf":       simple + "Content-Type: text/rtf\n\n" + rep("{\\'e4\\u8364?"),
	} {
		t.Run(name, func(t *testing.T) { check(t, read([]byte(raw), nil, Options{})) })
	}
}
