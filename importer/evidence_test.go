package importer

import (
	"crypto/sha256"
	"encoding/hex"
	"html"
	"strings"
	"testing"
	"unicode"
)

// slowDigest spells out what textDigest means, rune by rune. Digests lie in people's checkpoints: they must not move.
func slowDigest(s string) string {
	h := sha256.New()
	var b strings.Builder
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '<':
			depth = 1
		case c == '>' && depth == 1:
			depth = 0
		case depth == 0:
			b.WriteByte(c)
		}
	}
	for _, r := range html.UnescapeString(b.String()) {
		if !unicode.IsSpace(r) && r != '\u00a0' && r != '\u200b' {
			h.Write([]byte(string(r)))
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// texts that take every branch.
var digestTexts = []string{
	"", "plain", "<p>Hello <b>world</b></p>", "a<br>b", "a<br />b", "1 &lt; 2 &amp;&amp; 3 &gt; 2", "a > b", "<<a>>", "<never closed",
	"no\u00a0break\u200bat\u2003all\v\f\r\n\t \u0085", "Grüße, 東京 🙂", "bad \xff\xfe bytes \xf0\x9f and on", "&nbsp;&#8203;x", "\x00\x1f", "\xff",
}

// TestTextDigest pins one digest and compares the rest with the definition.
func TestTextDigest(t *testing.T) {
	if got, want := textDigest("<p>Hello <b>world</b></p>"), textDigest("Hello world\n"); got != want {
		t.Errorf("markup counts: %s, %s", got, want)
	}
	if got := textDigest("<p>Hello <b>world</b></p>"); got != "5ab92ff2e9e8e609398a3673" {
		t.Errorf("digest %s", got)
	}
	for _, s := range digestTexts {
		if got, want := textDigest(s), slowDigest(s); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
}

func FuzzTextDigest(f *testing.F) {
	for _, s := range digestTexts {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := textDigest(s), slowDigest(s); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	})
}

func BenchmarkTextDigest(b *testing.B) {
	s := strings.Repeat("<p>Hello <b>world</b>, the printer says that it is out of paper.</p>\n", 15)
	b.SetBytes(int64(len(s)))
	b.Run("fast", func(b *testing.B) {
		for b.Loop() {
			textDigest(s)
		}
	})
	b.Run("definition", func(b *testing.B) {
		for b.Loop() {
			slowDigest(s)
		}
	})
}
