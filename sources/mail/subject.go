package mail

import (
	"strings"
	"unicode"
)

// NormalizeSubject strips what mail programs put before a subject they answer or pass on, in many languages and
// repeated ("Re: AW: [list] RE[2]: Fwd: x" is "[list] x"), and joins its blanks. isReply reports whether one of the
// prefixes was that of an answer; one that passes a mail on begins a new matter.
func NormalizeSubject(s string) (base string, isReply bool) {
	s = strings.Join(strings.Fields(s), " ")
	tags := ""
	for range maxPrefixes {
		if rest, reply, ok := cutPrefix(s); ok {
			s = rest
			isReply = isReply || reply
			continue
		}
		// A list's tag stays, what stands behind it may be a prefix again.
		end := strings.IndexByte(s, ']')
		if !strings.HasPrefix(s, "[") || end < 0 {
			break
		}
		rest := strings.TrimSpace(s[end+1:])
		if _, _, ok := cutPrefix(rest); !ok {
			break
		}
		tag := s[:end+1] + " "
		if !strings.Contains(tags, tag) {
			tags += tag
		}
		s = rest
	}
	s = strings.TrimSpace(strings.TrimSuffix(s, "(fwd)"))
	if tags = strings.TrimSpace(tags); tags != "" && !strings.HasPrefix(s, tags) {
		s = strings.TrimSpace(tags + " " + s)
	}
	return s, isReply
}

// maxPrefixes bounds how many prefixes are taken off one subject.
const maxPrefixes = 200

// cutPrefix takes one prefix off: a word of the table, perhaps a counter (RE[2], Re(3), Re^4, Re2), a colon.
func cutPrefix(s string) (rest string, reply, ok bool) {
	end := strings.IndexAny(s, ":：")
	if end <= 0 || end > 24 {
		return "", false, false
	}
	word := strings.ToLower(strings.TrimRight(s[:end], " "))
	word = strings.TrimRightFunc(word, func(r rune) bool { return unicode.IsDigit(r) || strings.ContainsRune("[](){}^*- ", r) })
	kind := subjectPrefix(word)
	if kind == 0 {
		return "", false, false
	}
	rest = strings.TrimPrefix(strings.TrimPrefix(s[end:], ":"), "：")
	return strings.TrimSpace(rest), kind == 'r', true
}

// subjectPrefix is 'r' for the words that mail programs put before an answer, 'f' for those before a mail passed on.
func subjectPrefix(w string) byte {
	switch w {
	case "re", "aw", "antw", "antwort", "sv", "vs", "odp", "ynt", "yan", "rif", "ris", "res", "resp", "ref", "réf", "ra", "rv re",
		"atb", "vá", "va", "hal", "bls", "отв", "ответ", "на", "απ", "σχετ", "r", "ha", "cevap", "回复", "回覆", "答复", "答覆",
		"返信", "답장", "회신", "رد", "השב", "ynt re", "ke":
		return 'r'
	case "fwd", "fw", "wg", "tr", "rv", "enc", "i", "inoltro", "vb", "vl", "vs fwd", "pd", "doorst", "ilt", "továbbítás", "továbbítva", "fs",
		"пересл", "πρθ", "trs", "fyi fwd", "转发", "轉寄", "轉發", "転送", "전달", "הועבר", "إعادة توجيه", "vidarebefordrat", "weitergeleitet":
		return 'f'
	}
	return 0
}
