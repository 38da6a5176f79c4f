package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"golang.org/x/net/idna"

	"hsimport/sources"
)

// Limits of RFC 5321, section 4.5.3.1.
const (
	maxLocal   = 64
	maxAddress = 254
	maxLabel   = 63
)

// normalAddress is the form in which an address is compared and sent: lower case, an international domain in its
// ASCII form. It is not ok when it cannot be an address that a server takes (RFC 5321 without quoted local parts and
// domain literals).
func normalAddress(s string) (string, bool) {
	if isNormal(s) {
		return s, true // as most are
	}
	return carefulAddress(s)
}

func carefulAddress(s string) (string, bool) {
	s = strings.TrimSpace(s)
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || at > maxLocal || !validLocal(s[:at]) {
		return "", false
	}
	domain, ok := normalDomain(s[at+1:])
	if !ok || at+1+len(domain) > maxAddress {
		return "", false
	}
	return strings.ToLower(s[:at]) + "@" + domain, true
}

// isNormal recognises, in one pass, an address that is written as the usual ones are and in normal form already. Of the
// others it says nothing.
func isNormal(s string) bool {
	at := strings.IndexByte(s, '@')
	if at <= 0 || at > maxLocal || len(s) > maxAddress {
		return false
	}
	before := byte('.')
	for i := 0; i < at; i++ {
		c := s[i]
		if c == '.' && before == '.' || c != '.' && !lowerWord(c) && c != '_' && c != '+' {
			return false
		}
		before = c
	}
	return before != '.' && isNormalDomain(s[at+1:])
}

func isNormalDomain(s string) bool {
	dots, label := 0, 0 // label: where the last one begins
	before, number := byte('.'), true
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '.':
			if before == '.' || before == '-' || i-label > maxLabel {
				return false
			}
			dots, label, number = dots+1, i+1, true
		case !lowerWord(c), c == '-' && before == '.':
			return false
		default:
			number = number && '0' <= c && c <= '9'
		}
		before = s[i]
	}
	return before != '.' && before != '-' && dots > 0 && !number && len(s)-label <= maxLabel
}

func lowerWord(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' }

func validAddress(s string) bool {
	_, ok := normalAddress(s)
	return ok
}

// validLocal is the dot-atom of RFC 5322, section 3.2.3.
func validLocal(s string) bool {
	if s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !alphanumeric(c) && strings.IndexByte(".!#$%&'*+-/=?^_`{|}~", c) < 0 {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// toASCII maps an international domain; it is asked only for names that are not plain ASCII already.
var toASCII = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))

// normalDomain is lower case and ASCII: two labels or more, the last one not a number.
func normalDomain(s string) (string, bool) {
	s = strings.TrimSpace(s)
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			a, err := toASCII.ToASCII(s)
			if err != nil {
				return "", false
			}
			s = a
			break
		}
	}
	s = strings.ToLower(strings.TrimSuffix(s, "."))
	if len(s) > maxAddress || !strings.Contains(s, ".") {
		return "", false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return "", false
		}
		for i := 0; i < len(label); i++ {
			if c := label[i]; !alphanumeric(c) && c != '-' && c != '_' {
				return "", false
			}
		}
	}
	top := s[strings.LastIndexByte(s, '.')+1:]
	return s, strings.Trim(top, "0123456789") != "" // else it is an IP address
}

// mendAddress undoes what exports do to addresses: mailto:, angle brackets, a name in front, quotes, a second address
// behind, a full stop at the end. It reports whether that changed anything; the result may still be malformed.
func mendAddress(s string) (mended string, changed bool) {
	t := strings.TrimSpace(s)
	if open := strings.LastIndexByte(t, '<'); open >= 0 {
		if end := strings.IndexByte(t[open:], '>'); end > 0 {
			t = t[open+1 : open+end]
		}
	}
	if len(t) > 7 && strings.EqualFold(t[:7], "mailto:") {
		t = t[7:]
		t, _, _ = strings.Cut(t, "?")
	}
	if i := strings.IndexAny(t, ",;"); i > 0 && strings.Contains(t[:i], "@") {
		t = t[:i]
	}
	t = strings.Trim(t, " \t\r\n\"'<>()[]\u00a0\u200b\ufeff")
	t = strings.TrimRight(t, ".,;:")
	return t, t != strings.TrimSpace(s)
}

// placeholderLocal is the local part that stands for a person without a usable address: the old desk's id where it
// can be one, else a digest of what is known. Two people never share one, and one person keeps theirs over all
// tickets. own is used for somebody of whom nothing at all is known.
func placeholderLocal(p sources.Person, own sources.Key) string {
	if plainID(p.ID) {
		return p.ID
	}
	var known string
	switch {
	case p.ID != "":
		known = "id\x00" + p.ID
	case strings.TrimSpace(p.Email) != "":
		known = "address\x00" + fold(p.Email)
	case strings.TrimSpace(p.Phone) != "":
		known = "phone\x00" + digitsOf(p.Phone) + "\x00" + fold(p.Name)
	case strings.TrimSpace(p.Name) != "":
		known = "name\x00" + fold(p.Name)
	default:
		known = "ticket\x00" + string(own)
	}
	sum := sha256.Sum256([]byte(known))
	return "anon-" + hex.EncodeToString(sum[:8])
}

// plainID reports whether an id is a safe local part as it is: no two ids become one by lower-casing.
func plainID(s string) bool {
	if s == "" || len(s) > 48 || strings.HasPrefix(s, "anon-") || !alphanumeric(s[0]) || !alphanumeric(s[len(s)-1]) || strings.Contains(s, "..") {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; 'A' <= c && c <= 'Z' || !alphanumeric(c) && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' || r == '+' {
			return r
		}
		return -1
	}, s)
}

// legacyHosts take in mail for help desks: an address there is the old desk itself, not a person.
var legacyHosts = []string{
	"zendesk.com", "freshdesk.com", "freshservice.com", "groovehq.com", "inbox.groovehq.com", "desk-mail.com", "desk.com",
	"helpscout.net", "uservoice.com", "intercom-mail.com", "frontapp.com", "front-mail.com", "kayako.com", "happyfox.com",
	"zohodesk.com", "zohosupport.com", "gorgias.com", "reamaze.com", "reamaze.net", "atlassian.net", "teamsupport.com",
	"hiverhq.com", "supportbee.com", "tenderapp.com", "assembla.com", "kustomerapp.com", "gladly.com", "richpanel.com",
}

// atLegacyDesk reports that a normal address belongs to a help desk's own mail host.
func atLegacyDesk(address string) bool {
	domain := address[strings.LastIndexByte(address, '@')+1:]
	for _, h := range legacyHosts {
		if domain == h || strings.HasSuffix(domain, "."+h) {
			return true
		}
	}
	return false
}
