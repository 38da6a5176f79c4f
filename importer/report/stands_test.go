package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"hsimport/importer"
)

// ranJob is the fixture's dry run told as a run: every third conversation was recovered, and some did not arrive.
func ranJob(t testing.TB, many int) (*Collector, *importer.Report) {
	c, rep, _ := dryRun(t, job(), options(), account())
	s := &rep.Summary
	s.Command, s.ExitCode, s.Verdict = "run", importer.ExitDoubt, "rehearsal at host:1: 1,046 of 1,052 tickets are in the account, 3 conversations rejected, 2 still to be sent, 0 unexplained"
	rep.Rehearsal, rep.Site = "host:1", "https://secure.helpscout.net/conversation/"
	s.ElapsedS, s.Quota = 95, importer.QuotaCounts{Units: 130, Limit: 400, Utilization: 0.97, Throttled: 1, Settling: 6}
	rep.Rejected = append(rep.Rejected, importer.Outcome{Key: "id:101", ID: "101", Part: 1, Place: "tickets.csv:102", Reason: "tags: too many", Status: 422})
	rep.Doubtful = []importer.Outcome{{Key: "id:102", ID: "102", Part: 1, Place: "tickets.csv:103", Reason: "the answer was lost", Candidate: 4711}}
	stand := func(i int, state, how string, now bool) {
		p := importer.Place{Key: fmt.Sprint("id:", i), ID: fmt.Sprint(i), Source: fmt.Sprint("tickets.csv:", i+1), Part: 1, Parts: 1, State: state, How: how}
		if state == "created" {
			p.Conversation = int64(9000 + i)
			p.URL = fmt.Sprint(rep.Site, p.Conversation)
		}
		c.Stand(p, now)
	}
	for i := range many {
		stand(100+i, "created", []string{"created", "created", "recovered"}[i%3], true)
	}
	stand(300, "created", "created", false)
	stand(312, "created", "created", true)
	stand(99, "rejected", "", true)
	stand(98, "in_doubt", "", true)
	stand(97, "pending", "", false)
	stand(96, "deleted", "created", false)
	return c, rep
}

func TestPageOfARun(t *testing.T) {
	c, rep := ranJob(t, 9)
	page := pageOf(t, c, rep)
	doc := parse(t, page)
	happened := byID(t, doc, "happened")
	for name, want := range map[string]string{
		"created": "7 1 8", "recovered": "3 0 3", "rejected": "1 0 1", "in doubt": "1 0 1", "still to be sent": "  1", "taken back": "0 1 1",
	} {
		if got := strings.Join(row(t, happened, name)[1:4], " "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, want := range []string{"130 units", "in 2 min", "97 % of what 80% of the plan's 400 a minute permitted", "6 of them to find out about lost answers", "1 call was told to wait"} {
		if !strings.Contains(text(happened), want) {
			t.Errorf("%q is not said in %s", want, text(happened))
		}
	}
	verdict := text(byID(t, doc, "verdict"))
	for _, want := range []string{"1,046 of 1,052 tickets are in the account", "3 conversations rejected"} {
		if !strings.Contains(verdict, want) {
			t.Errorf("the verdict is %s", verdict)
		}
	}
	refused := byID(t, doc, "refused")
	if got := row(t, refused, "rejected")[1]; got != "101" {
		t.Errorf("rejected is %s", got)
	}
	wantLink(t, refused, "https://secure.helpscout.net/conversation/4711")
	wantLink(t, happened, "https://secure.helpscout.net/conversation/9100")
	wantLink(t, byID(t, doc, "biggest"), "https://secure.helpscout.net/conversation/9300") // of an earlier run
	wantLink(t, byID(t, doc, "monday"), "https://secure.helpscout.net/conversation/9312")
	wantLink(t, byID(t, doc, "previews"), "https://secure.helpscout.net/conversation/9300")
	told := page[strings.Index(page, "<body>"):strings.Index(page, `id="findings"`)]
	for _, never := range []string{"would", "Nothing was written", "Dry run"} {
		if i := strings.Index(told, never); i >= 0 {
			t.Errorf("the page of a run says %q: %s", never, told[i-80:i+80])
		}
	}
}

func wantLink(t *testing.T, in *html.Node, url string) {
	t.Helper()
	if n := len(find(in, func(n *html.Node) bool { return n.Data == "a" && attr(n, "href") == url })); n == 0 {
		t.Errorf("nothing leads to %s", url)
	}
}

// The list of a large run is bounded, and says where the whole list is.
func TestPageOfALongRun(t *testing.T) {
	c, rep := ranJob(t, 5000)
	rep.Summary.ElapsedS = (3 * time.Hour).Seconds()
	doc := parse(t, pageOf(t, c, rep))
	happened := byID(t, doc, "happened")
	lists := find(happened, tagged("tbody"))
	if n := len(find(lists[len(lists)-1], tagged("tr"))); n != shownStands {
		t.Errorf("%d conversations are listed", n)
	}
	if !strings.Contains(text(happened), "lookup --export") {
		t.Error("nothing says where the whole list is")
	}
}

// A run that ended before it planned has a page that says so, and no counts to trust.
func TestPageOfARunThatDidNotBegin(t *testing.T) {
	c, rep := ranJob(t, 0)
	c.stands, c.n.seen, rep.Totals = nil, 0, importer.Totals{}
	rep.Summary.ExitCode = importer.ExitAuth
	rep.Cause = &importer.Stop{Code: importer.ExitAuth, Err: fmt.Errorf("the credentials are refused"), Hint: "look at them"}
	rep.Summary.Verdict = "rehearsal at h: nothing was sent; from earlier runs 7 conversations are in the account, 2 still to be sent"
	doc := parse(t, pageOf(t, c, rep))
	verdict := text(byID(t, doc, "verdict"))
	for _, want := range []string{"did not begin", "the credentials are refused", "nothing was sent; from earlier runs 7 conversations are in the account, 2 still to be sent"} {
		if !strings.Contains(verdict, want) {
			t.Errorf("the verdict %s lacks %q", verdict, want)
		}
	}
	for _, wrong := range []string{"No ticket arrives open", "Nothing is left to be sent", "Nothing was found that does not come along", "No conversation would be created", `id="previews"`, `href="#flow"`} {
		if page := pageOf(t, c, rep); strings.Contains(page, wrong) {
			t.Errorf("the page says %q, though no ticket was looked at", wrong)
		}
	}
}
