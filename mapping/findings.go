package mapping

import (
	"cmp"
	"fmt"
	"slices"

	"hsimport/sources"
)

// The codes of findings. They are stable: people accept job-blocking ones by code, and reports group by them.
const (
	codeOption         = "option-invalid"
	codeUnbound        = "account-unchecked"
	codeMailbox        = "mailbox-unknown"
	codeUser           = "user-unknown"
	codeTeam           = "team-unknown"
	codeNoFallback     = "fallback-user-missing"
	codeStatus         = "status-unmapped"
	codeStatusDefault  = "status-defaulted"
	codeInactive       = "closed-inactive"
	codeUnanswered     = "closed-but-unanswered"
	codeClosedEarly    = "closed-before-created"
	codeNoDate         = "ticket-date-missing"
	codeMessageDate    = "message-date-missing"
	codeNoMessages     = "ticket-empty"
	codeRequester      = "requester-missing"
	codeAssumed        = "requester-assumed"
	codeAddress        = "address-malformed"
	codeMended         = "address-mended"
	codePlaceholder    = "placeholder-customer"
	codeNoAddress      = "requester-without-address"
	codeNotesOnly      = "notes-only"
	codeName           = "name-shortened"
	codePhone          = "phone-shortened"
	codeKind           = "kind-unmapped"
	codeAuthor         = "author-unknown"
	codeAgent          = "agent-unmapped"
	codeAgentUnbound   = "agent-unchecked"
	codeAssignee       = "assignee-unmapped"
	codeAssigneeLeft   = "assignee-departed"
	codeGroup          = "group-unmapped"
	codeGroupBehind    = "group-behind-assignee"
	codeInternal       = "internal-thread"
	codeForm           = "form-without-reply-to"
	codeChannel        = "channel-assumed"
	codePriority       = "priority-not-carried"
	codeField          = "field-unknown"
	codeFieldElsewhere = "field-of-another-mailbox"
	codeInbox          = "inbox-unrouted"
	codeFieldValue     = "field-value-not-carried"
	codeFieldCut       = "field-shortened"
	codeSubjectEmpty   = "subject-empty"
	codeSubjectCut     = "subject-shortened"
	codeBodyEmpty      = "body-empty"
	codeBodyCut        = "text-shortened"
	codeRedacted       = "redacted"
	codeBodyText       = "html-as-text"
	codeCharacters     = "characters-removed"
	codeTracker        = "trackers-removed"
	codeImage          = "image-unresolved"
	codeBcc            = "bcc-in-note"
	codeCc             = "cc-in-note"
	codeCcDropped      = "cc-left-out"
	codeTo             = "recipients-not-carried"
	codeFileMissing    = "attachment-missing"
	codeFileLarge      = "attachment-too-large"
	codeFileEmpty      = "attachment-empty"
	codeTagCut         = "tag-shortened"
	codeSplit          = "split"
	codeQuoteFolded    = "quotes-folded"
	codeQuoteKept      = "quotes-kept"
	codeForward        = "forward-credited"
	codeForwardOpen    = "forward-without-address"
)

// meanings explain each code in one sentence, for reports.
var meanings = map[string]string{
	codeOption:         "a value of the configuration cannot be",
	codeUnbound:        "the account was not asked, so that names in the configuration could not be checked against it",
	codeMailbox:        "the account has no such mailbox",
	codeUser:           "the account has no active user with this address",
	codeTeam:           "the account has no team of this name",
	codeNoFallback:     "texts of people without a Help Scout user will appear as written by the owner of the credentials",
	codeStatus:         "nobody has said what this status becomes",
	codeStatusDefault:  "the status is not in the table and becomes default_status",
	codeInactive:       "a live ticket without recent messages arrives closed, as close_inactive says",
	codeUnanswered:     "the conversation arrives closed although the customer had the last word not long ago",
	codeClosedEarly:    "the closing time was before the first message and is moved to it",
	codeNoDate:         "neither the ticket nor any message has a date",
	codeMessageDate:    "a message without a usable date is placed at the time of the one before it",
	codeNoMessages:     "the ticket has no message; a placeholder text stands for it",
	codeRequester:      "nobody is named as the requester",
	codeAssumed:        "the ticket names no requester; the first outside author is taken",
	codeAddress:        "an address is not one that mail could go to",
	codeMended:         "an address was written in an unusual way and was put right",
	codeNoAddress:      "the requester has no address that mail could go to",
	codeNotesOnly:      "all messages are private, so that the conversation consists of notes",
	codePlaceholder:    "a person without a usable address gets one in the placeholder domain",
	codeName:           "a name is longer than the 40 characters that Help Scout takes",
	codePhone:          "a phone number is longer than any is, and is shortened",
	codeKind:           "the source's word for whose message it is is not in message_kinds",
	codeAuthor:         "nothing tells who wrote the message",
	codeAgent:          "an agent has no Help Scout user: the fallback user writes, with the name at the top of the text",
	codeAgentUnbound:   "an agent of the team's domains is taken to be a Help Scout user; the account was not asked",
	codeAssignee:       "the assignee has no Help Scout user: the conversation goes to the team of its group, else arrives unassigned",
	codeAssigneeLeft:   "the assignee has left, as the agents table says: the conversation goes to the team of its group, else arrives unassigned",
	codeGroupBehind:    "a conversation has one assignee: the person goes before the group, which is not carried over",
	codeGroup:          "the group is not in the teams table and is not carried over",
	codeInternal:       "nobody outside the team takes part: the messages become notes",
	codeForm:           "a contact form without Reply-To: who wrote it is not known",
	codeChannel:        "the channel is not one of email, chat and phone; the conversation becomes an email one",
	codePriority:       "the priority has no custom field to go to",
	codeField:          "the mailbox has no custom field of this name",
	codeFieldElsewhere: "the mailbox that a route chose has no custom field of this name, another one has: the value is left out",
	codeInbox:          "no route decides by this inbox of the old desk: the conversation goes where its other values send it, else to helpscout.mailbox",
	codeFieldValue:     "the value does not fit the type of the custom field and is left out",
	codeFieldCut:       "the value is longer than the custom field takes and is shortened",
	codeSubjectEmpty:   "the subject is empty; a placeholder stands in its place",
	codeSubjectCut:     "the subject is longer than max_subject; the full one is in a note",
	codeBodyEmpty:      "the message has no text; a placeholder stands in its place",
	codeBodyCut:        "the text is longer than max_text; the full text is attached as a file",
	codeRedacted:       "text that a rule of mapping.redact fits was replaced, in subjects, texts, custom fields and names of files",
	codeBodyText:       "nothing of the HTML would be visible; its plain text is taken",
	codeCharacters:     "control characters and code points that are none were removed",
	codeTracker:        "invisible remote images were removed",
	codeImage:          "an image in the text could not be found among the attachments",
	codeBcc:            "blind copies are named in a note and never sent",
	codeCc:             "copies are named in a note, as live_cc or the type of the thread asks",
	codeCcDropped:      "addresses of the team, the old desk or placeholders are left out of cc",
	codeTo:             "further recipients in To are not carried over",
	NotFetched:         "a file lies with the old desk and ends with its account; hsimport fetch brings it, or else a note names it",
	codeFileGone:       "a file could not be had from the old desk; a note names it, with its address",
	codeFileMissing:    "an attachment has no content; a note names it",
	codeFileLarge:      "an attachment is larger than Help Scout takes; a note names it",
	codeFileEmpty:      "an attachment is empty; a note names it",
	codeTagCut:         "a tag is very long and is shortened",
	codeQuoteFolded:    "quoted history that stands word for word in an earlier message is replaced by a remark, as quotes: fold asks",
	codeQuoteKept:      "quoted history that stands in no earlier message of the ticket stays, although quotes: fold is set",
	codeForward:        "a mail that somebody of the team forwarded is credited to the customer it quotes, as forwards: credit asks",
	codeForwardOpen:    "a forwarded mail names no outside address; it stays with who forwarded it",
	codeSplit:          "the ticket has more threads than one conversation takes and becomes several",
}

// Meaning explains a code in one sentence; it is empty for codes that come from elsewhere.
func Meaning(code string) string { return meanings[code] }

// find notes something about the whole ticket.
func (w *work) find(sev sources.Severity, code, value, format string, args ...any) {
	w.findAt(w.t.Position, sev, code, value, format, args...)
}

// findAt notes something that stands at a place of its own, a message's for the most part.
func (w *work) findAt(at sources.Position, sev sources.Severity, code, value, format string, args ...any) {
	text := format
	if len(args) > 0 {
		text = fmt.Sprintf(format, args...)
	}
	w.findings = append(w.findings, Finding{
		Severity: sev, Code: code, Text: text, Key: w.t.Key, Position: at, Value: shorten(oneLine(value), 200),
	})
}

// problem turns what the reader noticed into a finding.
func (w *work) problem(p sources.Problem) {
	w.findings = append(w.findings, Finding{
		Severity: p.Severity, Code: p.Code, Text: p.Text, Key: w.t.Key, Position: p.Position,
	})
}

// sortFindings puts the gravest first, then orders by code, place and value.
func sortFindings(fs []Finding) {
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return cmp.Or(
			-cmp.Compare(a.Severity, b.Severity),
			cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.Position.File, b.Position.File),
			cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Offset, b.Position.Offset),
			cmp.Compare(a.Value, b.Value),
		)
	})
}
