package mboxfile

import (
	"slices"
	"strconv"
	"strings"
)

// The labels that flags of mail programs stand for, in the words of Gmail.
const (
	labelUnread  = "Unread"
	labelStarred = "Starred"
	labelDrafts  = "Drafts"
	labelTrash   = "Trash"
)

// folderNames are the names that mail programs give to the folders that people leave out, by language.
var folderNames = map[string]string{
	"spam": "spam", "junk": "spam", "junk e-mail": "spam", "junk email": "spam", "junk mail": "spam", "bulk mail": "spam",
	"spamverdacht": "spam", "spam-verdacht": "spam", "unerwünscht": "spam", "junk-e-mail": "spam",
	"courrier indésirable": "spam", "indésirables": "spam", "pourriel": "spam",
	"correo no deseado": "spam", "correo basura": "spam", "posta indesiderata": "spam",
	"lixo eletrônico": "spam", "lixo eletrónico": "spam", "lixo electrónico": "spam",
	"ongewenste e-mail": "spam", "ongewenst": "spam", "skräppost": "spam", "søppelpost": "spam", "uønsket e-mail": "spam",
	"uønsket mail": "spam", "roskaposti": "spam", "wiadomości-śmieci": "spam", "niechciane": "spam", "nevyžádaná pošta": "spam",
	"levélszemét": "spam", "спам": "spam", "нежелательная почта": "spam", "istenmeyen": "spam", "gereksiz e-posta": "spam",
	"迷惑メール": "spam", "垃圾邮件": "spam", "垃圾郵件": "spam", "스팸함": "spam", "스팸": "spam", "דואר זבל": "spam",

	"trash": "trash", "bin": "trash", "deleted": "trash", "deleted items": "trash", "deleted messages": "trash",
	"papierkorb": "trash", "gelöscht": "trash", "gelöschte elemente": "trash", "gelöschte objekte": "trash",
	"corbeille": "trash", "éléments supprimés": "trash", "messages supprimés": "trash",
	"papelera": "trash", "papelera de reciclaje": "trash", "elementos eliminados": "trash", "mensajes eliminados": "trash",
	"cestino": "trash", "posta eliminata": "trash", "eliminati": "trash", "lixeira": "trash", "lixo": "trash",
	"itens excluídos": "trash", "itens eliminados": "trash", "prullenbak": "trash", "verwijderde items": "trash",
	"papperskorgen": "trash", "papperskorg": "trash", "borttagna objekt": "trash", "papirkurv": "trash",
	"papirkurven": "trash", "slettede elementer": "trash", "slettet post": "trash", "roskakori": "trash", "poistetut": "trash",
	"kosz": "trash", "elementy usunięte": "trash", "koš": "trash", "odstraněná pošta": "trash", "kuka": "trash",
	"корзина": "trash", "удаленные": "trash", "удалённые": "trash", "çöp kutusu": "trash", "silinmiş öğeler": "trash",
	"ゴミ箱": "trash", "已删除邮件": "trash", "已刪除的郵件": "trash", "垃圾桶": "trash", "휴지통": "trash", "אשפה": "trash",

	"drafts": "drafts", "draft": "drafts", "entwürfe": "drafts", "entwurf": "drafts", "brouillons": "drafts",
	"brouillon": "drafts", "borradores": "drafts", "borrador": "drafts", "bozze": "drafts", "bozza": "drafts",
	"rascunhos": "drafts", "rascunho": "drafts", "concepten": "drafts", "utkast": "drafts", "kladder": "drafts",
	"luonnokset": "drafts", "wersje robocze": "drafts", "szkice": "drafts", "koncepty": "drafts", "rozepsané": "drafts",
	"piszkozatok": "drafts", "черновики": "drafts", "taslaklar": "drafts", "下書き": "drafts", "草稿": "drafts",
	"임시보관함": "drafts", "טיוטות": "drafts",

	"chat": "chat", "chats": "chat", "hangouts": "chat", "unterhaltungen": "chat", "discussions": "chat",
}

// canonical is the name that labels are compared by: in lower case, without "[Gmail]/" or "INBOX." before it, and
// localised names of the folders that people leave out as their English ones.
func canonical(label string) string {
	s := strings.ToLower(strings.TrimSpace(label))
	for _, prefix := range []string{"[gmail]/", "[google mail]/", "inbox/", "inbox."} {
		s = strings.TrimPrefix(s, prefix)
	}
	if c, ok := folderNames[s]; ok {
		return c
	}
	return s
}

// wellKnown reports that a folder's name says what kind of mail lies in it, whatever else is imported.
func wellKnown(folder string) bool {
	name := canonical(folder)
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = canonical(name[i+1:])
	}
	if _, ok := folderNames[name]; ok {
		return true
	}
	return name == "inbox" || name == "sent" || name == "sent mail" || name == "sent items" || name == "sent messages"
}

// An exclusion decides which labels keep a mail out.
type exclusion map[string]string // canonical name: as the person wrote it

func newExclusion(labels []string) exclusion {
	x := exclusion{}
	for _, l := range labels {
		x[canonical(l)] = l
	}
	return x
}

// match is the first of labels that is excluded, as the person wrote it.
func (x exclusion) match(labels []string) (string, bool) {
	for _, l := range labels {
		if name, ok := x[canonical(l)]; ok {
			return name, true
		}
		if i := strings.LastIndexByte(l, '/'); i >= 0 { // a folder inside a folder: Archive/Trash
			if name, ok := x[canonical(l[i+1:])]; ok {
				return name, true
			}
		}
	}
	return "", false
}

// Flags of X-Mozilla-Status (nsMsgMessageFlags of Thunderbird).
const (
	mozillaRead     = 0x0001
	mozillaMarked   = 0x0004
	mozillaExpunged = 0x0008
)

// marks are what mail programs wrote into a header about the state of a mail.
type marks struct {
	mozilla    string // X-Mozilla-Status, four hex digits
	status     string // Status: R read, O old
	xstatus    string // X-Status: A answered, F flagged, D deleted, T draft
	hasStatus  bool
	hasMozilla bool
}

// readMarks collects them from a header block.
func readMarks(head []byte) (m marks) {
	eachField(head, func(name, value []byte) {
		switch {
		case len(name) == 16 && equalFold(name, "x-mozilla-status"):
			m.mozilla, m.hasMozilla = strings.TrimSpace(string(value)), true
		case len(name) == 6 && equalFold(name, "status"):
			m.status, m.hasStatus = strings.TrimSpace(string(value)), true
		case len(name) == 8 && equalFold(name, "x-status"):
			m.xstatus = strings.TrimSpace(string(value))
		}
	})
	return m
}

// labels are the words for the marks; expunged says that the person deleted the mail and the program only had not yet
// rewritten the file.
func (m marks) labels() (labels []string, expunged bool) {
	if m.hasMozilla {
		bits, err := strconv.ParseUint(m.mozilla, 16, 32)
		if err == nil {
			if bits&mozillaRead == 0 {
				labels = append(labels, labelUnread)
			}
			if bits&mozillaMarked != 0 {
				labels = append(labels, labelStarred)
			}
			return labels, bits&mozillaExpunged != 0
		}
	}
	if m.hasStatus && len(m.status) <= 4 && strings.Trim(m.status, "ROUND") == "" {
		if !strings.Contains(m.status, "R") {
			labels = append(labels, labelUnread)
		}
	}
	if len(m.xstatus) <= 8 {
		for _, f := range []struct{ flag, label string }{{"F", labelStarred}, {"T", labelDrafts}, {"D", labelTrash}} {
			if strings.Contains(m.xstatus, f.flag) {
				labels = append(labels, f.label)
			}
		}
	}
	return labels, false
}

// unite is the union of label sets, sorted.
func unite(sets ...[]string) []string {
	var all []string
	for _, s := range sets {
		all = append(all, s...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
