package report

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A browser is a headless Chromium that is spoken to through pipes, one JSON object after the other, each ended by NUL.
// https://chromedevtools.github.io/devtools-protocol/
type browser struct {
	t       testing.TB
	in      *os.File
	answers chan answer
	session string
	last    int
	events  []answer
}

type answer struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// patience is how long an answer of the browser may take on a busy machine.
const patience = 2 * time.Minute

// startBrowser starts Chromium, or skips the test where there is none. CHROMIUM names another than the one in PATH.
func startBrowser(t testing.TB) *browser {
	t.Helper()
	if _, bench := t.(*testing.B); testing.Short() && !bench {
		t.Skip("-short: the page is not opened in a browser")
	}
	path := os.Getenv("CHROMIUM")
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil && path == "" {
			path = p
		}
	}
	if path == "" {
		t.Skip("there is no chromium: the page is not opened in a browser (on Debian: apt-get install chromium)")
	}
	toIn, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, fromOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	profile, err := os.MkdirTemp("", "report-browser-")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe", "--user-data-dir="+profile, "about:blank")
	cmd.ExtraFiles = []*os.File{toIn, fromOut} // 3 and 4
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	toIn.Close()
	fromOut.Close()
	b := &browser{t: t, in: in, answers: make(chan answer, 1000)}
	go b.listen(out)
	t.Cleanup(func() {
		in.Close()
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-done
		}
		out.Close()
		os.RemoveAll(profile)
	})
	b.attach()
	return b
}

func (b *browser) listen(out *os.File) {
	r := bufio.NewReaderSize(out, 1<<20)
	for {
		line, err := r.ReadBytes(0)
		if err != nil {
			close(b.answers)
			return
		}
		var a answer
		if json.Unmarshal(line[:len(line)-1], &a) == nil {
			b.answers <- a
		}
	}
}

// attach opens a tab and asks to be told of everything the page says and wants.
func (b *browser) attach() {
	var tab struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &tab)
	var s struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": tab.TargetID, "flatten": true}, &s)
	b.session = s.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		b.call(domain+".enable", nil, nil)
	}
}

func (b *browser) next() answer {
	b.t.Helper()
	select {
	case a, ok := <-b.answers:
		if !ok {
			b.t.Fatal("the browser has gone")
		}
		return a
	case <-time.After(patience):
		b.t.Fatal("the browser does not answer")
	}
	return answer{}
}

func (b *browser) call(method string, params any, result any) {
	b.t.Helper()
	b.last++
	msg := map[string]any{"id": b.last, "method": method}
	if params != nil {
		msg["params"] = params
	}
	if b.session != "" {
		msg["sessionId"] = b.session
	}
	line, err := json.Marshal(msg)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.in.Write(append(line, 0)); err != nil {
		b.t.Fatal(err)
	}
	for {
		a := b.next()
		if a.ID != b.last {
			b.events = append(b.events, a)
			continue
		}
		if a.Error != nil {
			b.t.Fatalf("%s: %s", method, a.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(a.Result, result); err != nil {
				b.t.Fatal(err)
			}
		}
		return
	}
}

// open loads a file and waits until everything of it is there.
func (b *browser) open(path string) {
	b.t.Helper()
	b.events = nil
	b.call("Page.navigate", map[string]any{"url": "file://" + path}, nil)
	b.until(`document.readyState === "complete" && location.protocol === "file:"`)
}

// eval is the value of an expression on the page, as JSON.
func (b *browser) eval(expr string) string {
	b.t.Helper()
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expr, "returnByValue": true, "awaitPromise": true}, &r)
	if r.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s %s", expr, r.ExceptionDetails.Text, r.ExceptionDetails.Exception.Description)
	}
	return string(r.Result.Value)
}

// until waits for something to become true on the page.
func (b *browser) until(expr string) {
	b.t.Helper()
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(20 * time.Millisecond) {
		if b.eval(expr) == "true" {
			return
		}
	}
	b.t.Fatalf("never became true: %s", expr)
}

// complaints are what the page said on its console, and what it wanted from anywhere but itself.
func (b *browser) complaints() (out []string) {
	b.eval("1") // whatever was said before is there by now
	for _, e := range b.events {
		switch e.Method {
		case "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded":
			out = append(out, e.Method+" "+string(e.Params))
		case "Network.requestWillBeSent":
			var p struct{ Request struct{ URL string } }
			if err := json.Unmarshal(e.Params, &p); err != nil || !strings.HasPrefix(p.Request.URL, "file:///") && !strings.HasPrefix(p.Request.URL, "data:") {
				out = append(out, "request for "+p.Request.URL)
			}
		}
	}
	return out
}

func writePage(t testing.TB, page string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(path, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestInABrowser(t *testing.T) {
	b := startBrowser(t)
	c, rep, _ := dryRun(t, job(), options(), account())
	b.open(writePage(t, pageOf(t, c, rep)))

	rows := `Array.from(document.querySelectorAll("#monday tbody")[0].rows).map(r => Number(r.cells[1].textContent))`
	b.eval(`document.querySelectorAll("#monday thead")[0].querySelectorAll("button")[1].click()`)
	if got := b.eval(`(v => v.length > 1 && v.every((n, i) => i == 0 || v[i-1] >= n))(` + rows + `)`); got != "true" {
		t.Errorf("a click on Active does not sort downwards: %s", b.eval(rows))
	}
	b.eval(`document.querySelectorAll("#monday thead")[0].querySelectorAll("button")[1].click()`)
	if got := b.eval(`(v => v.every((n, i) => i == 0 || v[i-1] <= n))(` + rows + `)`); got != "true" {
		t.Errorf("a second click does not turn the order: %s", b.eval(rows))
	}
	if got := b.eval(`document.querySelectorAll("#monday thead")[0].querySelectorAll("th")[1].getAttribute("aria-sort")`); got != `"ascending"` {
		t.Errorf("aria-sort is %s", got)
	}

	visible := `Array.from(document.querySelectorAll("table.rows tbody tr, details.finding, details.preview")).filter(e => e.offsetParent !== null).length`
	before := b.eval(visible)
	enter := func(s string) {
		b.eval(fmt.Sprintf(`(s => { s.value = %q; s.dispatchEvent(new Event("input")) })(document.getElementById("search"))`, s))
	}
	enter("room 311")
	b.until(`document.getElementById("hits").textContent !== ""`)
	if got := b.eval(`Array.from(document.querySelectorAll("table.rows tbody tr")).filter(e => e.offsetParent !== null).every(e => e.textContent.includes("room") && e.textContent.includes("311"))`); got != "true" {
		t.Error("the search leaves rows that do not match")
	}
	if after := b.eval(visible); after == before || after == "0" {
		t.Errorf("the search shows %s of %s lines", after, before)
	}
	enter("")
	b.until(`document.getElementById("hits").textContent === ""`)
	if after := b.eval(visible); after != before {
		t.Errorf("%s lines after the search, %s before", after, before)
	}

	b.eval(`document.querySelector("#findings a[href^='#t']").click()`)
	b.until(`Array.from(document.querySelectorAll("details.preview")).some(d => d.open)`)
	b.until(`(f => f?.contentDocument?.body?.textContent.length > 0)(document.querySelector("details.preview[open] iframe"))`)
	b.until(`(f => f?.style.height !== "" && f.offsetHeight > 20)(document.querySelector("details.preview[open] iframe"))`)
	if bad := b.complaints(); len(bad) > 0 {
		t.Errorf("the browser complains:\n%s", strings.Join(bad, "\n"))
	}
}

// Whatever is in the data, nothing of it runs, loads or leads away.
func TestHostileDataInABrowser(t *testing.T) {
	b := startBrowser(t)
	path := writePage(t, hostilePage(t))
	b.open(path)
	b.eval(`document.querySelectorAll("details").forEach(d => { d.open = true })`)
	b.until(`document.querySelectorAll("template").length === 0 && document.querySelectorAll("iframe").length > 20`)
	b.until(`Array.from(document.querySelectorAll("iframe")).every(f => f.contentDocument && f.contentDocument.body && f.contentDocument.body.childNodes.length > 0)`)
	if got := b.eval(`window.hacked === undefined && Array.from(document.querySelectorAll("iframe")).every(f => f.contentWindow.hacked === undefined)`); got != "true" {
		t.Error("a script of the data ran")
	}
	if got := b.eval(`location.href`); got != fmt.Sprintf("%q", "file://"+path) {
		t.Errorf("the page has gone to %s", got)
	}
	if bad := b.complaints(); len(bad) > 0 {
		t.Errorf("the browser complains:\n%s", strings.Join(bad, "\n"))
	}
}

// The sandbox and the policy hold on their own: a script that got into a body all the same does not run.
func TestFramesRunNoScript(t *testing.T) {
	b := startBrowser(t)
	c, rep, _ := dryRun(t, job(), options(), account())
	page := pageOf(t, c, rep)
	broken := strings.ReplaceAll(page, "&lt;/body&gt;\"", "&lt;script&gt;parent.hacked=1&lt;/script&gt;&lt;img src=x onerror=parent.hacked=1&gt;&lt;/body&gt;\"")
	broken = strings.Replace(broken, "<main>", `<main><script>window.hacked=1</script><img src="https://evil.example/x.png" onerror="window.hacked=1">`, 1)
	if broken == page || !strings.Contains(broken, "parent.hacked") {
		t.Fatal("the page has not been broken")
	}
	b.open(writePage(t, broken))
	b.eval(`document.querySelectorAll("details").forEach(d => { d.open = true })`)
	b.until(`document.querySelectorAll("template").length === 0 && document.querySelectorAll("iframe").length > 20`)
	b.until(`Array.from(document.querySelectorAll("iframe")).every(f => f.contentDocument && f.contentDocument.body && f.contentDocument.body.childNodes.length > 0)`)
	if got := b.eval(`window.hacked === undefined`); got != "true" {
		t.Error("a script of the data ran")
	}
	if len(b.complaints()) == 0 {
		t.Error("the browser refused nothing: the test does not test")
	}
}

// BenchmarkOpen is how long a browser takes to open the page of a job of 100,000 tickets (20,000 with -short) until
// everything can be used.
func BenchmarkOpen(b *testing.B) {
	n := 100_000
	if testing.Short() {
		n = 20_000
	}
	c, rep := see(b, n)
	page := pageOf(b, c, rep)
	path := writePage(b, page)
	chromium := startBrowser(b)
	for b.Loop() {
		chromium.open(path)
	}
	b.ReportMetric(float64(len(page)), "bytes/page")
}

// TestScreenshots writes pictures for a person to look at: REPORT_SHOTS=folder go test -run Screenshots.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("REPORT_SHOTS")
	if dir == "" {
		t.Skip("REPORT_SHOTS names no folder for the pictures")
	}
	b := startBrowser(t)
	path := os.Getenv("REPORT_PAGE")
	if path == "" {
		c, rep, _ := dryRun(t, job(), options(), account())
		path = writePage(t, pageOf(t, c, rep))
	}
	for _, shot := range []struct {
		name, theme string
		wide        int
	}{{"light", "light", 1280}, {"dark", "dark", 1280}, {"narrow", "light", 390}} {
		b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": shot.wide, "height": 1000, "deviceScaleFactor": 1, "mobile": shot.wide < 500}, nil)
		b.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": shot.theme}}}, nil)
		b.open(path)
		b.eval(`Array.from(document.querySelectorAll("details.preview")).slice(0, 2).forEach(d => { d.open = true })`)
		b.until(`document.querySelectorAll("details[open] iframe").length > 1 && Array.from(document.querySelectorAll("details[open] iframe")).every(f => f?.style.height !== "")`)
		b.shots(filepath.Join(dir, shot.name), shot.wide)
	}
}

// shots takes pictures of the whole page, one below the other.
func (b *browser) shots(name string, wide int) {
	b.t.Helper()
	const high = 1600
	var total int
	if err := json.Unmarshal([]byte(b.eval(`document.documentElement.scrollHeight`)), &total); err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i*high < min(total, 20*high); i++ {
		var pic struct{ Data string }
		b.call("Page.captureScreenshot", map[string]any{"captureBeyondViewport": true, "clip": map[string]any{
			"x": 0, "y": i * high, "scale": 1, "width": wide, "height": min(high, total-i*high),
		}}, &pic)
		data, err := base64.StdEncoding.DecodeString(pic.Data)
		if err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(fmt.Sprintf("%s-%d.png", name, i+1), data, 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
}
