package csvfile

import (
	"slices"
	"strings"
	"unicode"
)

// knownHeaders are the headers that exports of help desks use for each role, letters and digits only, the likeliest
// first: English, then German, French, Spanish, Italian, Portuguese, Dutch and Russian.
var knownHeaders = map[role]string{
	ticketID: "ticketid ticketnumber ticketno ticketnr ticket caseid casenumber issuekey incidentnumber requestid " +
		"conversationid conversationnumber parentticketid issueid bugid number key ticketnummer vorgangsnummer " +
		"numérodeticket numéro número numero nummer номер id",
	ticketNumber: "ticketnumber ticketno ticketnr casenumber issuekey incidentnumber conversationnumber number key",
	subject: "subject summary title tickettitle ticketsubject casesubject shortdescription shortdesc topic betreff titel " +
		"sujet titre objet asunto título titulo assunto oggetto onderwerp тема",
	status: "status ticketstatus state casestatus incidentstate bugstatus currentstatus statut estado stato состояние статус",
	requesterEmail: "requesteremail customeremail contactemail useremail reporteremail clientemail submitteremail " +
		"fromemail senderemail emailaddress email from sender absender correo корреспондент",
	requesterName: "requestername requester customername customer contactname contact reporter creator enduser clientname " +
		"client submitter username callerid caller fullname demandeurdemandeur demandeur anfragender kunde solicitante " +
		"cliente richiedente aanvrager инициатор name",
	requesterID:    "requesterid customerid contactid reporterid clientid callerid userid",
	requesterPhone: "requesterphone customerphone contactphone phone telephone telefon",
	assigneeID:     "assigneeid agentid assignedtoid ownerid technicianid",
	assigneeName: "assigneename assignee assignedto agentname agent ownername owner techname tech technician handler " +
		"attribuéàtechnicien bearbeiter asignadoa assegnatoa ответственный",
	assigneeEmail: "assigneeemail agentemail owneremail assignedtoemail technicianemail",
	groupName:     "group groupname team teamname queue assignmentgroup department groupe gruppe grupo",
	inbox:         "inbox inboxname mailbox mailboxname brand brandname ticketbrand marke marque",
	priority:      "priority ticketpriority priorité priorität prioridad prioridade priorità приоритет",
	channel:       "channel viachannel via source contacttype origin kanal canal",
	ticketURL:     "url ticketurl link permalink",
	createdAt: "createdat ticketcreatedat ticketcreateddate created createddate createdon createdtime creationdate datecreated " +
		"dateopened openedat opened opendate datedouverture datedecréation erstelltam erstellt fechadecreación creado " +
		"criadoem datadicreazione создан date datum fecha",
	updatedAt: "updatedat updated lastupdated lastmodified modifiedat modified changeddate sysupdatedat updatedon " +
		"dernièremodification geändert aktualisiert изменена",
	closedAt: "closedat closed closeddate dateclosed resolvedat resolved solvedat resolutiondate closedtime datedeclôture " +
		"geschlossen gelöst закрыт",
	tags: "tags tag labels label schlagworte étiquettes etiquetas",
	description: "description ticketdescription body text message content details initialmessage firstmessage question " +
		"htmldescription beschreibung nachricht anfrage descripción descrição descrizione omschrijving описание",
	comments:    "comment comments note notes replies conversation worknotes kommentar commentaire comentario",
	answer:      "answer agentreply agentresponse solution antwort réponse respuesta",
	attachments: "attachments attachment files file anhang anhänge piècesjointes adjuntos",

	messageID:          "messageid commentid threadid eventid noteid tweetid id",
	messageAuthorID:    "authorid messageauthorid commentauthorid senderid userid actorid",
	messageAuthorName:  "authorname messageauthorname author commentowner sendername sender createdby username",
	messageAuthorEmail: "authoremail messageauthoremail commentauthoremail senderemail fromemail fromaddress from",
	messageKind: "messagekind kind messagetype authortype sendertype authorrole role direction inbound incoming " +
		"conversationstep type",
	messagePrivate: "private isprivate internal isinternal messageprivate",
	messagePublic:  "public ispublic messagepublic",
	messageBody: "messagebody body htmlbody bodyhtml commentbody comment message text content emailbody plainbody bodytext " +
		"ticketresponse usermessage nachricht texto",
	messageFormat: "messageformat bodyformat format contenttype",
	messageCreatedAt: "messagecreatedat commentcreatedat messagedate commentdate datetime sentat senton timestamp createdat created " +
		"date time",
	messageAttachments: "messageattachments attachments attachment files anhang",
	messageCc:          "messagecc cc ccs ccemails ccaddresses",

	userID:       "id userid useridentifier",
	userName:     "name fullname username displayname firstname",
	userLastName: "lastname surname familyname",
	userEmail:    "email emailaddress useremail mail",
	userPhone:    "phone telephone mobile",
	userRole:     "role usertype type",
}

// foldHeader leaves the letters and digits of a header, in lower case.
func foldHeader(h string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, h)
}

// guessColumns ties our names to the headers of a file of this shape, by what exports call them and by what the sample
// rows hold. Repeated headers of a list are taken together.
func guessColumns(sh shape, header []string, sample [][]string) map[string]string {
	g := guesser{header: header, names: nameColumns(header), taken: map[int]bool{}, sample: sample}
	out := map[string]string{}
	for _, r := range guessOrder(sh) {
		at := g.best(r, sh)
		if at < 0 {
			continue
		}
		g.taken[at] = true
		out[r.String()] = g.names[at]
		if stem, _, many := strings.Cut(g.names[at], "#"); many && r.list() {
			out[r.String()] = stem + "#*"
			for i, h := range header {
				g.taken[i] = g.taken[i] || h == stem
			}
		}
	}
	if body, ok := out[messageBody.String()]; ok {
		out[messageBody.String()] = g.otherBody(body)
	}
	if sh == ticketRows {
		g.numberedComments(out)
	}
	if _, ok := out["tags"]; !ok && sh != userRows {
		g.numbered(out, tags, "tag")
	}
	return out
}

// guessOrder is the order in which roles choose their columns: those of messages first, where a row is a message.
func guessOrder(sh shape) []role {
	var first, rest []role
	for r := range roleCount {
		switch {
		case !sh.allows(r):
		case r == ticketID, r >= messageID && r < userID && sh != ticketRows:
			first = append(first, r)
		default:
			rest = append(rest, r)
		}
	}
	// Texts before dates and names: `message` is a body rather than anything else.
	return append(first, rest...)
}

type guesser struct {
	header, names []string
	taken         map[int]bool
	sample        [][]string
}

// best is the column that most likely has the role, or -1.
func (g *guesser) best(r role, sh shape) int {
	for known := range strings.FieldsSeq(knownHeaders[r]) {
		if r == ticketID && known == "id" && sh != ticketRows {
			continue // there it is the message's
		}
		if r == description && sh == messageRows && !strings.HasSuffix(known, "description") {
			continue // whatever else is called so is the message
		}
		for i, h := range g.header {
			if !g.taken[i] && foldHeader(h) == known && g.fits(r, i) {
				return i
			}
		}
	}
	return -1
}

// fits sees whether the sample speaks against a column having the role.
func (g *guesser) fits(r role, col int) bool {
	filled, at, digits, dates := 0, 0, 0, 0
	for _, row := range g.sample {
		if col >= len(row) || row[col] == "" {
			continue
		}
		filled++
		if strings.Contains(row[col], "@") {
			at++
		}
		if allDigits(row[col]) {
			digits++
		}
		if _, ok := readStamp(row[col]); ok {
			dates++
		}
	}
	if filled == 0 {
		return true
	}
	switch r {
	case requesterEmail, messageAuthorEmail, assigneeEmail, userEmail:
		return 2*at > filled
	case requesterName, messageAuthorName, assigneeName:
		return digits < filled
	case createdAt, updatedAt, closedAt, messageCreatedAt:
		return 2*dates > filled
	case subject, description, messageBody:
		return digits < filled || dates == filled
	}
	return true
}

// otherBody adds to the column of bodies the one that is filled where it is not: some exports keep what customers wrote
// in one column and what agents wrote in another.
func (g *guesser) otherBody(body string) string {
	at := slices.Index(g.names, body)
	if at < 0 || strings.ContainsAny(body, "|,") {
		return body
	}
	for i, name := range g.names {
		h := strings.ToLower(name)
		if g.taken[i] || strings.ContainsAny(name, "|,") || !strings.Contains(h, "message") && !strings.Contains(h, "body") &&
			!strings.Contains(h, "text") && !strings.Contains(h, "reply") && !strings.Contains(h, "response") {
			continue
		}
		both, alone := 0, 0
		for _, row := range g.sample {
			switch one, other := at < len(row) && row[at] != "", i < len(row) && row[i] != ""; {
			case one && other:
				both++
			case other:
				alone++
			}
		}
		if both == 0 && alone > 0 {
			g.taken[i] = true
			return body + " | " + name
		}
	}
	return body
}

// numbered finds columns such as tag_1, tag_2 and maps them as one list.
func (g *guesser) numbered(out map[string]string, r role, stem string) {
	n, prefix := 0, ""
	for i, h := range g.header {
		base := strings.TrimRight(h, "0123456789")
		if base != h && strings.TrimRight(strings.ToLower(base), "_- ") == stem && (prefix == "" || prefix == base) {
			prefix = base
			g.taken[i] = true
			n++
		}
	}
	if n > 1 {
		out[r.String()] = prefix + "*"
	}
}

// guessShape decides what the rows of a table are, by its header and the sample.
func guessShape(header []string, sample [][]string) shape {
	var folded []string
	for _, h := range header {
		folded = append(folded, foldHeader(h))
	}
	has := func(r role, not ...string) bool {
		for known := range strings.FieldsSeq(knownHeaders[r]) {
			if slices.Contains(folded, known) && !slices.Contains(not, known) {
				return true
			}
		}
		return false
	}
	// `id` is a ticket's in a table of tickets alone.
	ticket := has(ticketID, "id", "key", "number", "numéro", "número", "numero", "nummer", "номер")
	body := has(messageBody)
	switch {
	case ticket && body && !has(subject):
		return joinedRows
	case has(userEmail) && has(userName) && !has(subject) && !body && !ticket &&
		(slices.Contains(folded, "role") || !has(description) && !has(status)):
		return userRows
	case ticket && body && has(subject) && (repeatedIDs(header, sample) || namesMessages(folded)):
		return messageRows
	}
	return ticketRows
}

// namesMessages reports whether a header names what only a message has.
func namesMessages(folded []string) bool {
	return slices.ContainsFunc(folded, func(h string) bool {
		switch h {
		case "messageid", "commentid", "messagebody", "commentbody", "messagecreatedat", "commentcreatedat", "messageauthor",
			"commentauthor", "messageauthoremail", "authoremail", "commentowner":
			return true
		}
		return false
	})
}

// repeatedIDs reports whether several rows of the sample share a ticket id.
func repeatedIDs(header []string, sample [][]string) bool {
	g := guesser{header: header, names: nameColumns(header), taken: map[int]bool{}, sample: sample}
	col := g.best(ticketID, messageRows)
	if col < 0 {
		return false
	}
	seen := map[string]bool{}
	for _, row := range sample {
		if col < len(row) && row[col] != "" {
			if seen[row[col]] {
				return true
			}
			seen[row[col]] = true
		}
	}
	return false
}
