package main

import (
	"fmt"
	"strings"

	"hsimport/configs"
	"hsimport/importer"
	"hsimport/mapping"
	"hsimport/sources/fetch"
)

// What fetch says.

const fetchText = `Brings every file that the export names by address, and the images and files in texts that lie on legacy_hosts, into a
folder beside the configuration (source.fetch.folder). Run it while the old account is still open: dry-run and run read
only from the folder, and a file that is not there is named in a note.

It can be stopped at any instant; the same line goes on and asks only for what is missing. An answer such as 404 is
believed until --retry-failed asks again; what an outage kept back is asked for by every run. A page to sign in is never
taken for a file.

Only source.fetch.hosts and legacy_hosts are asked, and never an address in a private network unless
source.fetch.allow_private says so. What a host wants to see before it gives files stands in source.fetch.headers, with
its secret in the environment:

  source:
    fetch:
      hosts: [acme.zendesk.com]
      headers:
        acme.zendesk.com: {Authorization: "Basic ${DESK_LOGIN}"}

Exit codes: 0 every file is in the folder; 3 some could not be had; 5 a host gave no answer, and files are left;
2 nothing may be asked; 130 interrupted.`

const (
	hintFetchHeader = "set it in the environment of hsimport fetch; nothing else needs it"
	hintRetryFailed = "when the hosts or headers are mended, hsimport fetch --retry-failed asks again"
	hintFetchAgain  = "the same line goes on from here"
)

// oldDesk says how many files of a dry run end with the old account.
func (u *ui) oldDesk(rep *importer.Report) {
	hosts := map[string]int{}
	n := 0
	for _, g := range rep.Findings.Groups() {
		if g.Code == mapping.NotFetched {
			hosts[g.Value] += g.N
			n += g.N
		}
	}
	if n == 0 {
		return
	}
	var parts []string
	for i, h := range sortedCounts(hosts) {
		if i == shownValues {
			parts = append(parts, fmt.Sprintf("and %s", plural(len(hosts)-i, "further host", "further hosts")))
			break
		}
		parts = append(parts, h.name+" "+count(h.n))
	}
	them := "them"
	if n == 1 {
		them = "it"
	}
	u.entry("old desk", plural(n, "attachment still lies", "attachments still lie"), "there only:", strings.Join(parts, ", ")+";", "hsimport fetch brings "+them)
}

// notHad shows the first of what could not be had; with --json all of it.
func (u *ui) notHad(f fetch.Failure, nth int) {
	if u.json {
		u.object(map[string]any{"message_type": "failure", "url": f.URL, "reason": f.Reason, "position": f.Position})
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case nth <= shownOutcomes:
		u.clear()
		u.say("not had: %s: %s: %s", f.Position, f.URL, f.Reason)
	case nth == shownOutcomes+1:
		u.clear()
		u.say("not had: and more; --json lists them all")
	}
}

// fetchable is the screen of fetch --dry-run.
func (u *ui) fetchable(r *fetch.Report, c *configs.Config) {
	if u.json {
		u.fetchSummary(r, "fetch --dry-run", importer.ExitOK, "")
		return
	}
	p := func(format string, args ...any) { u.line(u.env.out, format, args...) }
	if r.Files == 0 {
		p("the source names no file by address")
		return
	}
	p("files          %s: %s here, %s to be fetched, %s could not be had before", count(r.Files), count(r.Here), count(r.Left), count(r.Failed))
	for _, h := range r.Hosts {
		p("  %s: %s%s", h.Host, plural(h.Files, "file", "files"), notAllowed(h))
	}
	p("folder         %s", c.Source.Fetch.Folder)
}

func notAllowed(h fetch.HostCount) string {
	if h.Allowed {
		return ""
	}
	return "; not among source.fetch.hosts, so it is not asked"
}

// fetched is the end of a fetch: the sums, what could not be had and why, the verdict.
func (u *ui) fetched(r *fetch.Report, c *configs.Config, code int, err error) {
	u.clearBar()
	verdict := fetchVerdict(r)
	if u.json {
		u.fetchSummary(r, "fetch", code, verdict)
	} else {
		u.fetchSums(r)
	}
	switch {
	case code == importer.ExitInterrupted:
		u.problem(fmt.Errorf("interrupted"), hintFetchAgain)
	case err != nil:
		u.problem(err, hintFetchAgain)
	case r.Left > 0:
		for _, host := range r.Silent() {
			u.problem(fmt.Errorf("%s gave no answer several times in a row and is left alone", host), hintFetchAgain)
		}
	case r.Failed > 0 && !u.json:
		u.say("hint: %s", hintRetryFailed)
	}
	if !u.json {
		u.line(u.env.out, "%s", verdict)
	}
}

func (u *ui) fetchSums(r *fetch.Report) {
	if u.quiet || r.Files == 0 {
		return
	}
	p := func(format string, args ...any) { u.line(u.env.out, format, args...) }
	p("files          %s = %s here before + %s fetched (%s) + %s not had + %s left", count(r.Files), count(r.Here), count(r.Fetched), humanBytes(r.Bytes), count(r.Failed), count(r.Left))
	for _, h := range r.Hosts {
		p("  %s: %s, %s in the folder%s", h.Host, plural(h.Files, "file", "files"), count(h.Here+h.Fetched), notAllowed(h))
	}
	for i, reason := range r.Reasons {
		if i == shownOutcomes {
			p("  not had: and %s", plural(len(r.Reasons)-i, "further reason", "further reasons"))
			break
		}
		p("  not had: %s: %s", count(reason.N), reason.Reason)
	}
	if r.Skipped > 0 {
		p("  %s could not be read; their files are not counted", plural(r.Skipped, "ticket", "tickets"))
	}
}

func fetchVerdict(r *fetch.Report) string {
	if r.Files == 0 {
		return "the source names no file by address; nothing was fetched"
	}
	in := r.Here + r.Fetched
	of := count(in) + " of " + plural(r.Files, "file is", "files are") + " in the folder; "
	switch r.Files - in {
	case 0:
		return of + "nothing depends on the old account"
	case 1:
		return of + "1 is missing and would be named in a note"
	}
	return of + count(r.Files-in) + " are missing and would be named in notes"
}

func (u *ui) fetchSummary(r *fetch.Report, command string, code int, verdict string) {
	u.object(struct {
		MessageType string `json:"message_type"`
		Command     string `json:"command"`
		ExitCode    int    `json:"exit_code"`
		Balanced    bool   `json:"balanced"`
		Verdict     string `json:"verdict,omitempty"`
		*fetch.Report
	}{"summary", command, code, r.Check() == nil, verdict, r})
}
