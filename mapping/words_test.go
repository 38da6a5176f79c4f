package mapping

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"hsimport/importer/helpscout"
)

// oddBytes are the bytes at which the searches stop, and their neighbours.
const oddBytes = "\x00\x01\t\n\r\x1f !\"#%&';<=>?[\\]ab~\x7f\x80\xc3\xa9\xe2\x80\xa8\xe3\xff"

// everyPlace gives texts in which each oddBytes byte stands at each place of two words, alone and beside another one.
func everyPlace(yield func(string) bool) {
	for n := range 20 {
		for at := range n {
			for _, c := range []byte(oddBytes) {
				for _, next := range []byte(oddBytes) {
					s := bytes.Repeat([]byte{'x'}, n)
					s[at] = c
					if at+1 < n {
						s[at+1] = next
					}
					if !yield(string(s)) {
						return
					}
				}
			}
		}
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		s := make([]byte, rnd.IntN(40))
		for i := range s {
			s[i] = oddBytes[rnd.IntN(len(oddBytes))]
		}
		if !yield(string(s)) {
			return
		}
	}
}

func firstWhere(s string, from, to int, is func(int) bool) int {
	for i := from; i < to; i++ {
		if is(i) {
			return i
		}
	}
	return to
}

func TestWordsFindWhatBytesFind(t *testing.T) {
	for s := range everyPlace {
		if got, want := nextForeign(s), firstWhere(s, 0, len(s), func(i int) bool { return s[i] >= utf8.RuneSelf }); got != want {
			t.Fatalf("nextForeign(%q) = %d, want %d", s, got, want)
		}
		if got, want := nextEscaped(s, 0), firstWhere(s, 0, len(s), func(i int) bool { return !asIs[s[i]] }); got != want {
			t.Fatalf("nextEscaped(%q) = %d, want %d", s, got, want)
		}
		if clean, removed := cleanText(s); firstUnclean(s) < 0 && (cleaned(s) != s || removed != 0) || firstUnclean(s) >= 0 && cleaned(s) != clean {
			t.Fatalf("cleanText(%q) = %q, want %q; first at %d", s, clean, cleaned(s), firstUnclean(s))
		}
		text := strings.TrimRight(cleaned(s), " \t\n")
		if got, want := nextSpecial(text, 0, len(text), strings.Contains(text, "  ")), firstWhere(text, 0, len(text), func(i int) bool {
			return strings.IndexByte("<>&\n\t", text[i]) >= 0 || text[i] == ' ' && (i == 0 || text[i-1] == '\n' || text[i+1] == ' ')
		}); got != want {
			t.Fatalf("nextSpecial(%q) = %d, want %d", text, got, want)
		}
	}
}

// cleaned cleans every byte as an unusual one.
func cleaned(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		if c := s[i]; c == '\n' || c == '\t' || c >= ' ' && c < 0x7f {
			b.WriteByte(c)
			i++
			continue
		}
		n, _ := cleanOne(&b, s[i:])
		i += n
	}
	return b.String()
}

func TestJSONStrings(t *testing.T) {
	for s := range everyPlace {
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(s); err != nil {
			t.Fatal(err)
		}
		if got := string(appendJSON(nil, s)) + "\n"; got != want.String() && utf8.ValidString(s) {
			t.Fatalf("%q is written %s, want %s", s, got, want.String())
		}
	}
}

func TestTimesOnTheWire(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	zone := time.FixedZone("", 5*3600+1800)
	for range 10_000 {
		at := time.Unix(rnd.Int64N(253402300800), 0).In(zone)
		if got, want := string(appendTime(nil, helpscout.At(at))), fmt.Sprintf("%q", at.UTC().Format(helpscout.TimeLayout)); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
	for _, at := range []time.Time{{}, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if got, want := string(appendTime(nil, helpscout.At(at))), fmt.Sprintf("%q", at.Format(helpscout.TimeLayout)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestUsualAddresses: what is recognised at first sight is what a careful look would have said.
func TestUsualAddresses(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	const letters = "aab1.-_+@@A é"
	usual := 0
	try := func(s string) {
		if !isNormal(s) {
			return
		}
		usual++
		if got, ok := carefulAddress(s); !ok || got != s {
			t.Fatalf("%q is taken as it is; a careful look says %q, %v", s, got, ok)
		}
	}
	for range 300_000 {
		var b strings.Builder
		for range 1 + rnd.IntN(9) {
			b.WriteString(string([]rune(letters)[rnd.IntN(13)]))
		}
		try(b.String())
		try("x@" + b.String() + ".x")
	}
	long := strings.Repeat("a", 63)
	for _, s := range []string{"ann@shop.example", "a.b+c-d_e@x-1.co.uk", long + "a@x.example", long + "aa@x.example", "a@" + long + ".example", "a@" + long + "a.example", "a@x." + long, "a@x." + long + "a", "a@1.2.3.4", "a@x.1b"} {
		try(s)
	}
	if usual < 1000 || !isNormal("a.b+c-d_e@x-1.co.uk") {
		t.Errorf("only %d addresses were recognised", usual)
	}
}

func TestFew(t *testing.T) {
	var f few[int, string]
	want := map[int]string{}
	for i := range 100 {
		if f.has(i * 7) {
			t.Fatalf("%d is there before it was put", i*7)
		}
		f.put(i*7, fmt.Sprint(i))
		want[i*7] = fmt.Sprint(i)
		for k := range 7 * 101 {
			if v, ok := f.get(k); v != want[k] || ok != (want[k] != "") {
				t.Fatalf("after %d: %d has %q, %v, want %q", i+1, k, v, ok, want[k])
			}
		}
	}
}
