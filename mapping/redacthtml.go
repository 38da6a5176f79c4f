package mapping

import (
	"html"
	"slices"
	"strings"

	xhtml "golang.org/x/net/html"
)

// A piece is one token of an HTML body: markup as it stands, or text with its place in the text that people read.
type piece struct {
	raw      string
	text     string // decoded; empty for markup
	from, to int    // of text in the whole
}

// redactHTML is an HTML body without what the rules fit in the text that people read, across inline tags and in whatever
// way characters are written; in addresses, titles and other attributes; and in what nobody sees, comments and styles.
// Tags stay as they are.
func redactHTML(rules []redaction, body string, hits []int) string {
	quoted := slices.Clone(rules) // for markup as it stands: a replacement must not end it
	for i := range quoted {
		quoted[i].With = html.EscapeString(quoted[i].With)
	}
	var pieces []piece
	var whole strings.Builder
	z := xhtml.NewTokenizer(strings.NewReader(body))
	used, hidden := 0, false
	for kind := z.Next(); kind != xhtml.ErrorToken; kind = z.Next() {
		raw := string(z.Raw())
		used += len(raw)
		switch kind {
		case xhtml.TextToken:
			if hidden {
				raw = redactText(quoted, raw, hits)
				break
			}
			p := piece{raw: raw, text: html.UnescapeString(raw), from: whole.Len()}
			whole.WriteString(p.text)
			p.to = whole.Len()
			pieces = append(pieces, p)
			continue
		case xhtml.StartTagToken, xhtml.SelfClosingTagToken, xhtml.EndTagToken:
			tok := z.Token()
			hidden = kind == xhtml.StartTagToken && (tok.Data == "script" || tok.Data == "style")
			if !inlineTags[tok.Data] {
				whole.WriteByte('\n') // no word goes on behind it
			}
			raw = redactTag(rules, raw, tok, hits)
		default:
			raw = redactText(quoted, raw, hits)
		}
		pieces = append(pieces, piece{raw: raw})
	}
	found := spans(rules, whole.String(), hits)
	out := joinPieces(pieces, found)
	return out + redactText(quoted, body[min(used, len(body)):], hits) // a tag that never ends
}

// inlineTags stand within words.
var inlineTags = wordSet("a abbr b big bdi bdo cite code del dfn em font i ins kbd label mark o:p q s samp small span strike strong sub sup tt u var wbr")

// redactTag looks at the values of a tag's attributes. A picture's own bytes and Content-ID are no text.
func redactTag(rules []redaction, raw string, tok xhtml.Token, hits []int) string {
	changed := false
	for i, a := range tok.Attr {
		if hasPrefixFold(a.Val, "data:") || hasPrefixFold(a.Val, "cid:") {
			continue
		}
		v := redactText(rules, a.Val, hits)
		changed = changed || v != a.Val
		tok.Attr[i].Val = v
	}
	if !changed {
		return raw
	}
	return tok.String()
}

// joinPieces puts the body together again. A span that runs over several pieces of text leaves its replacement in the
// first of them.
func joinPieces(pieces []piece, found []span) string {
	var b strings.Builder
	next := 0     // of found
	said := false // the replacement of found[next] stands already
	for _, p := range pieces {
		for next < len(found) && found[next].to <= p.from && p.text != "" {
			next, said = next+1, false
		}
		if p.text == "" || next == len(found) || found[next].from >= p.to {
			b.WriteString(p.raw)
			continue
		}
		at := p.from
		for next < len(found) && found[next].from < p.to {
			x := found[next]
			if x.from > at {
				b.WriteString(html.EscapeString(p.text[at-p.from : x.from-p.from]))
			}
			if !said {
				b.WriteString(html.EscapeString(x.with))
				said = true
			}
			if at = min(x.to, p.to); x.to > p.to {
				break
			}
			next, said = next+1, false
		}
		b.WriteString(html.EscapeString(p.text[at-p.from:]))
	}
	return b.String()
}
