package mail

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
)

// charsetAlias knows the names that x/net and the IANA index do not, and those that they read otherwise than mail
// means them. The label is in lower case; ok is false for names to be looked up as they are.
func charsetAlias(l string) (name string, ok bool) {
	switch l {
	case "", "unknown-8bit", "x-unknown", "unknown", "default", "default_charset", "none", "null", "8bit", "7bit", "binary",
		"user-defined", "x-user-defined", "_autodetect", "_autodetect_all", "auto", "undefined", "n/a", "plain", "text":
		return "", true
	case "us-ascii", "ascii", "us_ascii", "usascii", "ansi_x3.4-1968", "iso646-us", "us", "646", "cp367", "ibm367",
		"iso-646-us", "asci", "us-asci", "us-askey", "ascii-us", "iso-ir-6":
		return "us-ascii", true
	case "utf-8", "utf8", "utf_8", "unicode-1-1-utf-8", "utf-8n", "uft-8", "utf8mb4", "unicode-utf-8", "ut-f8", "utf 8",
		"utf-8-sig", "utf-8mb4", "u tf-8":
		return "utf-8", true
	case "utf-7", "utf7", "unicode-1-1-utf-7", "x-unicode-2-0-utf-7", "unicode-2-0-utf-7":
		return "utf-7", true
	case "utf-16", "utf16", "ucs-2", "unicode", "iso-10646-ucs-2", "csunicode", "ucs2":
		return "utf-16", true
	case "utf-16le", "utf16le", "utf-16-le", "ucs-2le", "unicodelittle":
		return "utf-16le", true
	case "utf-16be", "utf16be", "utf-16-be", "ucs-2be", "unicodebig":
		return "utf-16be", true
	case "utf-32", "utf32", "ucs-4", "iso-10646-ucs-4":
		return "utf-32", true
	case "utf-32le", "utf32le", "ucs-4le":
		return "utf-32le", true
	case "utf-32be", "utf32be", "ucs-4be":
		return "utf-32be", true
	}
	return regionalAlias(l)
}

func regionalAlias(l string) (name string, ok bool) {
	switch l {
	case "latin-1", "latin1", "iso_8859_1", "iso8859_1", "iso-8859", "iso8859-1", "iso-8859-1-windows-3.1-latin-1", "ansi",
		"windows-ansi", "cp-1252", "win-1252", "win1252", "windows1252", "1252", "cp_1252", "western", "iso-8859-1:1987",
		"ms-ansi", "iso-8859-8859-1", "iso-8858-1", "iso-8859-1s", "iso 8859-1", "latin", "windows-cp1252":
		return "windows-1252", true
	case "latin-2", "iso8859_2", "iso-latin-2", "iso 8859-2":
		return "iso-8859-2", true
	case "latin-9", "latin9", "iso8859_15", "iso-latin-9", "iso 8859-15", "latin-0":
		return "iso-8859-15", true
	case "win-1250", "win1250", "windows1250", "cp-1250", "1250":
		return "windows-1250", true
	case "win-1251", "win1251", "windows1251", "cp-1251", "1251", "windows-cp1251", "cp1251-cyrillic":
		return "windows-1251", true
	case "koi8r", "koi-8-r", "koi8":
		return "koi8-r", true
	}
	return asianAlias(l)
}

func asianAlias(l string) (name string, ok bool) {
	switch l {
	case "gb2312", "gb_2312", "gb_2312-80", "gbk", "gb2312-80", "euc-cn", "euccn", "cp936", "x-gbk", "gb-2312", "gb18030",
		"gb-18030", "ms936", "chinese", "gb 2312", "x-euc-cn", "hz-gb2312-8":
		return "gb18030", true
	case "hz-gb-2312", "hz", "hz-gb2312", "hzgb":
		return "hz-gb-2312", true
	case "big5-hkscs", "cp950", "big-5", "x-big5", "chinesebig5", "ms950", "big5-eten", "cn-big5":
		return "big5", true
	case "cp932", "ms932", "sjis", "shift-jis", "x-ms-cp932", "windows-932", "shiftjis", "ms_kanji", "windows-31j", "x-sjis-jp":
		return "shift_jis", true
	case "eucjp", "euc_jp", "ujis", "x-eucjp":
		return "euc-jp", true
	case "cp949", "ms949", "uhc", "ks_c_5601", "ksc_5601", "ksc5601", "euckr", "korean", "ks_c_5601-1987", "x-windows-949",
		"ks_c_5601-1989", "windows-949", "5601", "ks-c-5601-1987":
		return "euc-kr", true
	case "iso-2022-jp", "iso-2022-jp-1", "iso-2022-jp-2", "iso-2022-jp-3", "iso-2022-jp-2004", "iso-2022-jp-ms", "cp50220",
		"cp50221", "cp50222", "csiso2022jp", "iso2022jp", "iso2022-jp", "jis", "junet", "x-jis", "iso-2022jp":
		return "iso-2022-jp", true
	case "iso-2022-kr", "csiso2022kr", "iso2022kr":
		return "iso-2022-kr", true
	case "iso-2022-cn", "iso-2022-cn-ext", "csiso2022cn":
		return "iso-2022-cn", true
	}
	return rareAlias(l)
}

func rareAlias(l string) (name string, ok bool) {
	switch l {
	case "mac-roman", "macroman", "x-mac-roman", "applemac", "x-macroman", "mac", "apple-roman":
		return "macintosh", true
	case "x-mac-ce", "macce":
		return "windows-1250", true // near enough: x/text has no Mac Central European
	case "iso-8859-8-i", "iso-8859-8-e", "visual", "logical", "hebrew":
		return "iso-8859-8", true
	case "iso-8859-6-i", "iso-8859-6-e":
		return "iso-8859-6", true
	case "tis620", "cp874", "windows874", "tis-620-2533":
		return "windows-874", true
	case "cp437", "437", "ibm-437":
		return "ibm437", true
	case "cp850", "850", "ibm-850":
		return "ibm850", true
	case "cp852", "852", "ibm-852":
		return "ibm852", true
	case "viscii", "tcvn", "tcvn3":
		return "windows-1258", true // the letters differ, but no other encoding of ours is nearer
	}
	return "", false
}

// decodeUTF7 decodes RFC 2152. Outside of "+...-" bytes stand for themselves; a damaged run is kept as it is written.
func decodeUTF7(b []byte) string {
	var out strings.Builder
	out.Grow(len(b))
	for i := 0; i < len(b); {
		if b[i] != '+' {
			if b[i] < 0x80 {
				out.WriteByte(b[i])
			} else {
				out.WriteString("\ufffd")
			}
			i++
			continue
		}
		end := i + 1
		for end < len(b) && isBase64(b[end]) {
			end++
		}
		run := b[i+1 : end]
		next := end
		if end < len(b) && b[end] == '-' {
			next++
		}
		switch s, ok := utf7Run(run); {
		case len(run) == 0 && next > end:
			out.WriteByte('+')
		case ok:
			out.WriteString(s)
		default:
			out.Write(b[i:next])
		}
		i = next
	}
	return out.String()
}

// utf7Run decodes the base64 of UTF-16 between "+" and its end.
func utf7Run(run []byte) (string, bool) {
	buf := make([]byte, base64.RawStdEncoding.DecodedLen(len(run)))
	n, err := base64.RawStdEncoding.Decode(buf, run)
	if err != nil && n < 2 || len(run) == 0 {
		return "", false
	}
	units := make([]uint16, n/2)
	for i := range units {
		units[i] = uint16(buf[2*i])<<8 | uint16(buf[2*i+1])
	}
	return string(utf16.Decode(units)), true
}

func isBase64(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}
