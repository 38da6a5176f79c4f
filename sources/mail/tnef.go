package mail

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"

	"hsimport/sources"
)

// Bounds of a winmail.dat.
const (
	maxTNEF      = 128 << 20
	maxTNEFFiles = 500
	maxTNEFProps = 5000
)

// A tnefMessage is what a winmail.dat holds ([MS-OXTNEF]): Outlook's wrapping of attachments and formatted text.
type tnefMessage struct {
	body, html, rtf []byte
	codepage        string // of body and names
	files           []tnefFile
	broken          bool // it ends in the middle, or holds what no writer writes
}

// A tnefFile is one attachment. Its slices are of the stream.
type tnefFile struct {
	title, longName, mime, id, location string
	data                                []byte
	nested                              bool // a message in TNEF form
}

// The attributes that matter, with their types.
const (
	tnefSignature   = 0x223e9f78
	tnefMagic       = "\x78\x9f\x3e\x22"
	attBody         = 0x0002800c
	attMessageProps = 0x00069003
	attCodepage     = 0x00069007
	attRendData     = 0x00069002
	attTitle        = 0x00018010
	attTransport    = 0x00069001
	attData         = 0x0006800f
	attAttachment   = 0x00069005
)

// parseTNEF reads a stream. ok is false for something else, or for one without anything in it.
func parseTNEF(b []byte) (m tnefMessage, ok bool) {
	if len(b) < 6 || len(b) > maxTNEF || binary.LittleEndian.Uint32(b) != tnefSignature {
		return m, false
	}
	m.codepage = "windows-1252"
	b = b[6:]
	for len(b) > 0 {
		if len(b) < 11 || b[0] != 1 && b[0] != 2 {
			m.broken = m.broken || len(trimNUL(b)) > 0
			break
		}
		id, size := binary.LittleEndian.Uint32(b[1:]), binary.LittleEndian.Uint32(b[5:])
		if uint64(size)+11 > uint64(len(b)) {
			m.broken = true
			break
		}
		m.attribute(id, b[9:9+size])
		b = b[11+size:]
	}
	return m, len(m.files) > 0 || m.body != nil || m.html != nil || m.rtf != nil
}

func trimNUL(b []byte) []byte { return []byte(strings.TrimRight(string(b), "\x00\r\n ")) }

// attribute takes one attribute. Each attRendData begins a new attachment.
func (m *tnefMessage) attribute(id uint32, data []byte) {
	switch id {
	case attCodepage:
		if len(data) >= 4 {
			m.codepage = codepageName(binary.LittleEndian.Uint32(data))
		}
	case attBody:
		m.body = trimNUL(data)
	case attMessageProps:
		m.broken = !mapiProps(data, m.messageProp) || m.broken
	case attRendData:
		if len(m.files) < maxTNEFFiles {
			m.files = append(m.files, tnefFile{})
		} else {
			m.broken = true
		}
	}
	if len(m.files) == 0 {
		return
	}
	f := &m.files[len(m.files)-1]
	switch id {
	case attTitle:
		f.title = m.str(data)
	case attTransport:
		if f.title == "" {
			f.title = m.str(data)
		}
	case attData:
		f.data = data
	case attAttachment:
		m.broken = !mapiProps(data, func(id, typ uint16, v []byte) { m.fileProp(f, id, typ, v) }) || m.broken
	}
}

func (m *tnefMessage) messageProp(id, typ uint16, v []byte) {
	switch id {
	case 0x1000:
		if m.body == nil {
			m.body = []byte(m.prop(typ, v))
			if typ == 0x1f {
				m.codepage = "utf-8"
			}
		}
	case 0x1013:
		m.html = v
		if typ == 0x1f {
			m.html = []byte(m.prop(typ, v))
		}
	case 0x1009:
		m.rtf = v
	}
}

func (m *tnefMessage) fileProp(f *tnefFile, id, typ uint16, v []byte) {
	switch id {
	case 0x3707:
		f.longName = m.prop(typ, v)
	case 0x3704, 0x3001:
		if f.title == "" {
			f.title = m.prop(typ, v)
		}
	case 0x370e:
		f.mime = strings.ToLower(m.prop(typ, v))
	case 0x3712:
		f.id = strings.Trim(m.prop(typ, v), "<>")
	case 0x3713:
		f.location = m.prop(typ, v)
	case 0x3701:
		if typ == 0x0d && len(v) > 16 { // an object: an interface id, then its stream
			v = v[16:]
			f.nested = len(v) > 4 && binary.LittleEndian.Uint32(v) == tnefSignature
		}
		f.data = v
	}
}

// prop is the text of a string property: UTF-16 or in the code page.
func (m *tnefMessage) prop(typ uint16, v []byte) string {
	if typ != 0x1f {
		return m.str(v)
	}
	units := make([]uint16, len(v)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(v[2*i:])
	}
	return strings.TrimRight(string(utf16.Decode(units)), "\x00")
}

func (m *tnefMessage) str(v []byte) string {
	s, _ := decodeText(trimNUL(v), m.codepage)
	return s
}

// codepageName maps a Windows code page number to a charset.
func codepageName(cp uint32) string {
	switch {
	case cp == 65001:
		return "utf-8"
	case cp == 20127:
		return "us-ascii"
	case cp == 932:
		return "shift_jis"
	case cp == 936, cp == 54936:
		return "gb18030"
	case cp == 949:
		return "euc-kr"
	case cp == 950:
		return "big5"
	case cp == 874:
		return "windows-874"
	case cp == 20866:
		return "koi8-r"
	case cp >= 1250 && cp <= 1258:
		return "windows-125" + string(rune('0'+cp-1250))
	case cp >= 28591 && cp <= 28599:
		return "iso-8859-" + string(rune('0'+cp-28590))
	}
	return "windows-1252"
}

// mapiProps walks a list of MAPI properties and hands over those with one value. It reports whether the list is whole.
func mapiProps(b []byte, visit func(id, typ uint16, value []byte)) bool {
	r := tnefReader{b: b}
	n := r.u32()
	for i := uint32(0); i < n && i < maxTNEFProps && !r.short; i++ {
		typ, id := r.u16(), r.u16()
		if id >= 0x8000 { // a named property
			r.take(16)
			if r.u32() == 0 {
				r.u32()
			} else {
				r.padded()
			}
		}
		multi := typ&0x1000 != 0
		typ &^= 0x1000
		size, variable := mapiSize(typ)
		values := uint32(1)
		if multi || variable {
			values = r.u32()
		}
		for v := uint32(0); v < values && !r.short; v++ {
			var data []byte
			switch {
			case variable:
				data = r.padded()
			case size > 0:
				data = r.take(size)
			default:
				return false
			}
			if v == 0 && !r.short && !multi {
				visit(id, typ, data)
			}
		}
	}
	return !r.short
}

// mapiSize is the size of a property of fixed size, as it lies in the stream.
func mapiSize(typ uint16) (size int, variable bool) {
	switch typ {
	case 0x02, 0x03, 0x04, 0x0a, 0x0b:
		return 4, false
	case 0x05, 0x06, 0x07, 0x14, 0x40:
		return 8, false
	case 0x48:
		return 16, false
	case 0x0d, 0x1e, 0x1f, 0x102:
		return 0, true
	}
	return 0, false
}

// A tnefReader reads little-endian values; short is set when it would read beyond the end.
type tnefReader struct {
	b     []byte
	short bool
}

func (r *tnefReader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.short, r.b = true, nil
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

func (r *tnefReader) u16() uint16 {
	if v := r.take(2); v != nil {
		return binary.LittleEndian.Uint16(v)
	}
	return 0
}

func (r *tnefReader) u32() uint32 {
	if v := r.take(4); v != nil {
		return binary.LittleEndian.Uint32(v)
	}
	return 0
}

// padded takes a length, that many bytes, and what fills them up to a multiple of four.
func (r *tnefReader) padded() []byte {
	n := r.u32()
	if uint64(n) > uint64(len(r.b)) {
		r.short, r.b = true, nil
		return nil
	}
	v := r.take(int(n))
	if pad := int(-n & 3); pad <= len(r.b) {
		r.take(pad)
	}
	return v
}

func isTNEFType(t string) bool { return t == "application/ms-tnef" || t == "application/vnd.ms-tnef" }

func (b *builder) isTNEF(nd *node) bool {
	return isTNEFType(nd.typ.value) || strings.EqualFold(b.fileName(nd), "winmail.dat")
}

// unpackTNEF makes attachments of the files in a winmail.dat, and remembers its text for a mail that has no other. ok is
// false when it holds nothing that can be read; then it stays as it is.
func (b *builder) unpackTNEF(nd *node) (pieces []piece, ok bool) {
	c := content{src: b.raw[nd.start:nd.end], enc: nd.enc}
	m, ok := parseTNEF(c.bytes())
	if !ok {
		return nil, false
	}
	for i, f := range m.files {
		if len(f.data) == 0 && f.title == "" && f.longName == "" {
			continue
		}
		b.addTNEFFile(nd, i, f)
	}
	if p := m.piece(); b.tnef == nil && p.rank > rankEmpty {
		b.tnef = &p
	}
	if m.broken {
		b.n.add(sources.Warning, "tnef-damaged", "a winmail.dat is damaged; what could be unpacked is attached beside it")
		return nil, false
	}
	b.n.add(sources.Info, "tnef-unpacked", "a winmail.dat was unpacked: %d files", len(m.files))
	return nil, true
}

func (b *builder) addTNEFFile(nd *node, i int, f tnefFile) {
	name, typ := f.longName, f.mime
	if name == "" {
		name = f.title
	}
	if !validType(typ) {
		typ = ""
	}
	if f.nested {
		typ = "application/ms-tnef"
		if !strings.HasSuffix(strings.ToLower(name), ".dat") {
			name += ".dat"
		}
	}
	a := b.addDerived(nd, name, typ, f.data, func(content []byte) []byte {
		if m, ok := parseTNEF(content); ok && i < len(m.files) {
			return m.files[i].data
		}
		return nil
	})
	a.ContentID, a.Location = oneLine(f.id), oneLine(f.location)
}

// piece is the text of the message, the richest form that it has.
func (m *tnefMessage) piece() piece {
	if len(m.html) > 0 {
		s, _ := decodeText(m.html, metaCharset(m.html))
		if s = cleanText(s); visible(s) {
			return piece{text: s, html: true, rank: rankHTML}
		}
	}
	if rtf, ok := decompressRTF(m.rtf); ok {
		if s, isHTML := rtfHTML(rtf); isHTML && visible(s) {
			return piece{text: s, html: true, rank: rankHTML}
		}
		if len(m.body) == 0 {
			return poorPiece(rtfToText(rtf))
		}
	}
	s, _ := decodeText(m.body, m.codepage)
	return plainPiece(cleanText(s))
}
