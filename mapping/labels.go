package mapping

import (
	"slices"
	"strings"

	"hsimport/sources"
)

// labelNames are the names that mail programs give in other languages to what they set by themselves, as Gmail's
// archives have them.
var labelNames = func() map[string]string {
	out := map[string]string{}
	for name, list := range map[string]string{
		"inbox":     "posteingang|boîte de réception|recibidos|bandeja de entrada|posta in arrivo|caixa de entrada|postvak in|inkorgen|indbakke|innboks|saapuneet|odebrane|doručená pošta|входящие|gelen kutusu|受信トレイ|收件箱|收件匣|받은편지함",
		"sent":      "gesendet|gesendete objekte|gesendete elemente|messages envoyés|envoyés|enviados|posta inviata|inviati|e-mails enviados|verzonden|skickat|sendt|lähetetyt|wysłane|odeslaná pošta|отправленные|gönderilmiş postalar|送信済みメール|送信済み|已发邮件|寄件備份|보낸편지함",
		"unread":    "ungelesen|non lus|non lu|sin leer|no leídos|da leggere|non letti|não lidas|não lidos|ongelezen|oläst|olästa|ulæst|ulest|lukematon|nieprzeczytane|nepřečtené|непрочитанные|okunmamış|未読|未读|未讀|읽지않음",
		"opened":    "geöffnet|ouvert|ouverts|abiertos|abierto|aperti|aberto|abertos|geopend|öppnad|åbnet|åpnet|avattu|otwarte|otevřené|открытые|açıldı|開封済み|已打开|已開啟",
		"starred":   "markiert|mit stern|suivis|favoris|destacados|speciali|com estrela|met ster|stjärnmärkt|stjernemarkeret|stjernemerket|tähdelliset|oznaczone gwiazdką|s hvězdičkou|помеченные|yıldızlı|スター付き|已加星标|已加星號|별표편지함",
		"important": "wichtig|importants|importantes|importanti|importante|belangrijk|viktigt|vigtig|viktig|tärkeät|ważne|důležité|важное|önemli|重要|중요편지함",
		"archived":  "archiviert|archivé|archivés|archivados|archiviati|arquivado|arquivados|gearchiveerd|arkiverad|arkiveret|arkivert|zarchiwizowane|アーカイブ済み",
	} {
		for _, s := range strings.Split(list, "|") {
			out[s] = name
		}
	}
	return out
}()

// labelName is what labels are compared by: folded, without Gmail's prefixes, and in English where it is a mail
// program's own.
func labelName(label string) string {
	l := fold(label)
	for _, p := range [...]string{"[gmail]/", "[google mail]/"} {
		l = strings.TrimPrefix(l, p)
	}
	return firstOf(labelNames[l], l)
}

// bears reports whether the ticket has a label of the configuration. "Inbox & Unread" asks for one mail that has both.
func (w *work) bears(label string) bool {
	if bearsLabel(w.t.Labels, label) {
		return true
	}
	all := strings.Split(label, " & ")
	return len(all) > 1 && slices.ContainsFunc(w.t.Messages, func(m *sources.Message) bool {
		return !slices.ContainsFunc(all, func(l string) bool { return !bearsLabel(m.Labels, l) })
	})
}

func bearsLabel(labels []string, label string) bool {
	return slices.ContainsFunc(labels, func(l string) bool { return fold(l) == fold(label) || labelName(l) == labelName(label) })
}
