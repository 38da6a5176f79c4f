package mail

import (
	"strings"
	"testing"
	"unicode/utf16"
)

func utf16Bytes(s string, big bool) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		if big {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	return string(b)
}

func TestCharsets(t *testing.T) {
	for _, c := range []struct {
		name, in, label, want string
		guessed, wrong        bool
	}{
		{"ASCII", "plain", "us-ascii", "plain", false, false},
		{"UTF-8", "Grüße", "UTF-8", "Grüße", false, false},
		{"mark", "\xef\xbb\xbfGrüße", "utf-8", "Grüße", false, false},
		{"none, UTF-8", "Grüße", "", "Grüße", true, false},
		{"none, latin1", "Gr\xfc\xdfe aus K\xf6ln", "", "Grüße aus Köln", true, false},
		{"none, one letter", "Caf\xe9 au lait, s'il vous plait", "", "Café au lait, s'il vous plait", true, false},
		{"none, quotes", "it\x92s \x93here\x94", "", "it’s “here”", true, false},
		{"said ASCII, is UTF-8", "Grüße", "us-ascii", "Grüße", false, true},
		{"said latin1, is UTF-8", "Grüße", "iso-8859-1", "Grüße", false, true},
		{"said UTF-8, is latin1", "Gr\xfc\xdfe aus K\xf6ln", "utf-8", "Grüße aus Köln", false, true},
		{"said UTF-8, one bad byte", "Grüße und Küsse \xff", "utf-8", "Grüße und Küsse \ufffd", false, false},
		{"latin1 is windows-1252", "\x80 5", "iso-8859-1", "€ 5", false, false},
		{"latin9", "\xa4 5", "iso-8859-15", "€ 5", false, false},
		{"koi8-r", "\xf0\xd2\xc9\xd7\xc5\xd4", "koi8-r", "Привет", false, false},
		{"windows-1251", "\xcf\xf0\xe8\xe2\xe5\xf2", "cp1251", "Привет", false, false},
		{"gb2312 with GBK letters", "\xd6\xd0\xb9\xfa\x96\x7c", "gb2312", "中国東", false, false},
		{"big5", "\xa4\xa4\xb0\xea", "big5", "中國", false, false},
		{"shift_jis", "\x83\x65\x83\x58\x83\x67", "cp932", "テスト", false, false},
		{"euc-kr", "\xb0\xa1\xb3\xaa", "ks_c_5601-1987", "가나", false, false},
		{"iso-2022-jp", "\x1b$B%F%9%H\x1b(B ok", "iso-2022-jp", "テスト ok", false, false},
		{"iso-2022-jp, none declared", "\x1b$B%F%9%H\x1b(B ok", "", "テスト ok", true, false},
		{"iso-2022-kr", "\x1b$)C\x0e0!3*\x0f ok", "iso-2022-kr", "가나 ok", false, false},
		{"hz", "~{VPND~} ok", "hz-gb-2312", "中文 ok", false, false},
		{"utf-7", "Hi +AOQA9g- 1 +- 1", "utf-7", "Hi äö 1 + 1", false, false},
		{"utf-7 damaged", "a +! b", "utf-7", "a +! b", false, false},
		{"utf-16 with mark", "\xff\xfe" + utf16Bytes("Grüße", false), "utf-16", "Grüße", false, false},
		{"utf-16le", utf16Bytes("Grüße", false), "utf-16le", "Grüße", false, false},
		{"utf-16 without mark or order", utf16Bytes("Hello you", false), "utf-16", "Hello you", false, false},
		{"utf-16be, none declared", utf16Bytes("Hello there", true), "", "Hello there", true, false},
		{"said utf-16, is ASCII", "Hello there, all", "utf-16", "Hello there, all", false, true},
		{"unknown label", "Grüße", "x-nonsense", "Grüße", true, false},
		{"label in quotes", "\xfc", "\"ISO-8859-1\"", "ü", false, false},
		{"label with prefix", "\xfc", "x-latin1", "ü", false, false},
		{"mac", "\x9f", "x-mac-roman", "ü", false, false},
		{"cp437", "\x81", "cp437", "ü", false, false},
		{"said big5, is UTF-8", "Grüße aus Köln für alle", "big5", "Grüße aus Köln für alle", false, true},
		{"said euc-jp, is latin1", "Gr\xfc\xdfe aus K\xf6ln", "euc-jp", "Grüße aus Köln", false, true},
		{"short GBK that is UTF-8 by accident", "\xc1\xaa\xcd\xa8", "gbk", "联通", false, false},
		{"utf-32", "\xff\xfe\x00\x00H\x00\x00\x00\xfc\x00\x00\x00", "utf-32", "Hü", false, false},
		{"utf-16 of another script", utf16Bytes("Привет всем", true), "utf-16be", "Привет всем", false, false},
		{"thai", "\xa1", "tis-620", "ก", false, false},
	} {
		got, v := decodeText([]byte(c.in), c.label)
		if got != c.want || v.guessed != c.guessed && v.charset != "" || v.wrong != c.wrong {
			t.Errorf("%s: %q as %+v; want %q, guessed %v, wrong %v", c.name, got, v, c.want, c.guessed, c.wrong)
		}
	}
}

// What the WHATWG maps to "replacement" would turn a whole text into one U+FFFD.
func TestNoTextIsReplacedWhole(t *testing.T) {
	for _, label := range []string{"iso-2022-kr", "iso-2022-cn", "iso-2022-cn-ext", "hz-gb-2312", "csiso2022kr", "replacement"} {
		if got, _ := decodeText([]byte("a plain sentence"), label); got != "a plain sentence" {
			t.Errorf("%s: %q", label, got)
		}
	}
}

func TestDetection(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{
			"Russian in windows-1251", "\xc7\xe4\xf0\xe0\xe2\xf1\xf2\xe2\xf3\xe9\xf2\xe5, \xff \xed\xe5 \xec\xee\xe3\xf3 \xe2\xee\xe9\xf2\xe8 \xe2 \xf1\xe2\xee\xe9 \xe0\xea\xea\xe0\xf3\xed\xf2",
			"Здравствуйте, я не могу войти в свой аккаунт",
		},
		{
			"Russian in koi8-r", "\xfa\xc4\xd2\xc1\xd7\xd3\xd4\xd7\xd5\xca\xd4\xc5, \xd1 \xce\xc5 \xcd\xcf\xc7\xd5 \xd7\xcf\xca\xd4\xc9 \xd7 \xd3\xd7\xcf\xca \xc1\xcb\xcb\xc1\xd5\xce\xd4",
			"Здравствуйте, я не могу войти в свой аккаунт",
		},
		{"Japanese in Shift_JIS", strings.Repeat("\x82\xb1\x82\xf1\x82\xc9\x82\xbf\x82\xcd\x90\xa2\x8a\x45\x81\x42", 4), strings.Repeat("こんにちは世界。", 4)},
		{"Chinese in GBK", strings.Repeat("\xc4\xe3\xba\xc3\xa3\xac\xce\xd2\xb5\xc4\xb6\xa9\xb5\xa5\xd4\xda\xc4\xc4\xc0\xef\xa3\xbf", 4), strings.Repeat("你好，我的订单在哪里？", 4)},
		{"German", "Sehr geehrte Damen und Herren, meine Bestellung \xfcber f\xfcnf St\xfcck ist nicht angekommen.", "Sehr geehrte Damen und Herren, meine Bestellung über fünf Stück ist nicht angekommen."},
		{"French", "Bonjour, je n'ai pas re\xe7u ma commande. O\xf9 est-elle ? Merci d'avance, Ren\xe9", "Bonjour, je n'ai pas reçu ma commande. Où est-elle ? Merci d'avance, René"},
	} {
		for range 20 { // the detector's own order depends on the scheduler
			got, v := decodeText([]byte(c.in), "")
			if got != c.want || !v.guessed {
				t.Fatalf("%s: %q as %+v", c.name, got, v)
			}
		}
	}
}

func TestCharsetProblems(t *testing.T) {
	for _, c := range []struct{ name, header, body, want, code string }{
		{"none declared", "", "Gr\xfc\xdfe\n", "Grüße\n", "charset-guessed"},
		{"wrong", "Content-Type: text/plain; charset=utf-8\n", "Gr\xfc\xdfe\n", "Grüße\n", "charset-wrong"},
		{"damaged", "Content-Type: text/plain; charset=utf-8\n", "Grüße und Küsse \xff\n", "Grüße und Küsse \ufffd\n", "charset-damaged"},
		{"named in the HTML", "Content-Type: text/html\n", "<meta charset=\"koi8-r\"><p>\xf0\xd2\xc9\xd7\xc5\xd4", "<meta charset=\"koi8-r\"><p>Привет", ""},
		{"C1 controls are windows-1252", "Content-Type: text/plain; charset=utf-8\n", "it\u0092s\n", "it’s\n", ""},
		{"NUL", "", "a\x00b\n", "ab\n", ""},
	} {
		m := parse(t, simple+c.header+"\n"+c.body)
		if m.Body != c.want || c.code != "" && !hasCode(m.Problems, c.code) || c.code == "" && len(m.Problems) > 0 {
			t.Errorf("%s: %q, %v; want %q, %s", c.name, m.Body, m.Problems, c.want, c.code)
		}
	}
}
