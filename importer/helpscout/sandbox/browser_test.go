package sandbox

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A browser is a headless Chromium that is spoken to through pipes, one JSON object after the other, each ended by NUL.
// https://chromedevtools.github.io/devtools-protocol/
type browser struct {
	t       testing.TB
	in      *os.File
	said    chan message
	session string
	last    int
	events  []message
}

type message struct {
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
	profile, err := os.MkdirTemp("", "sandbox-browser-")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe", "--user-data-dir="+profile, "about:blank")
	cmd.ExtraFiles = []*os.File{toIn, fromOut} // 3 and 4
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = toIn.Close(), fromOut.Close()
	b := &browser{t: t, in: in, said: make(chan message, 1000)}
	heard := make(chan struct{})
	go func() { defer close(heard); b.listen(out) }()
	t.Cleanup(func() {
		_ = in.Close() // ends the browser
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-done
		}
		for range b.said { // until the listener has ended
		}
		<-heard
		_, _ = out.Close(), os.RemoveAll(profile)
	})
	b.attach()
	return b
}

func (b *browser) listen(out *os.File) {
	defer close(b.said)
	r := bufio.NewReaderSize(out, 1<<20)
	for {
		line, err := r.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if json.Unmarshal(line[:len(line)-1], &m) == nil {
			b.said <- m
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
	b.call("Page.setDownloadBehavior", map[string]any{"behavior": "deny"}, nil)
}

func (b *browser) call(method string, params, result any) {
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
	if err == nil {
		_, err = b.in.Write(append(line, 0))
	}
	if err != nil {
		b.t.Fatal(err)
	}
	for {
		m := b.next()
		if m.ID != b.last {
			b.events = append(b.events, m)
			continue
		}
		if m.Error != nil {
			b.t.Fatalf("%s: %s", method, m.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(m.Result, result); err != nil {
				b.t.Fatal(err)
			}
		}
		return
	}
}

func (b *browser) next() message {
	b.t.Helper()
	select {
	case m, ok := <-b.said:
		if !ok {
			b.t.Fatal("the browser has gone")
		}
		return m
	case <-time.After(patience):
		b.t.Fatal("the browser does not answer")
	}
	return message{}
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
	b.call("Runtime.evaluate", map[string]any{"expression": expr, "returnByValue": true}, &r)
	if r.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s %s", expr, r.ExceptionDetails.Text, r.ExceptionDetails.Exception.Description)
	}
	return string(r.Result.Value)
}

// text is a value that is a text.
func (b *browser) text(expr string) string {
	b.t.Helper()
	var s string
	if raw := b.eval(expr); json.Unmarshal([]byte(raw), &s) != nil {
		b.t.Fatalf("%s is %s", expr, raw)
	}
	return s
}

// until waits for something to become true on the page.
func (b *browser) until(expr string) {
	b.t.Helper()
	for began := time.Now(); time.Since(began) < patience; time.Sleep(10 * time.Millisecond) {
		if b.eval(expr) == "true" {
			return
		}
	}
	b.t.Fatalf("never became true: %s\non %s", expr, b.eval("location.href"))
}

// open goes to an address and waits until everything of it is there.
func (b *browser) open(address string) {
	b.t.Helper()
	b.leave(func() { b.call("Page.navigate", map[string]any{"url": address}, nil) })
}

// click follows the first link that the selector finds, as a mouse does, and waits for the page behind it.
func (b *browser) click(selector string) {
	b.t.Helper()
	b.leave(func() { b.press(selector) })
}

// press clicks on the middle of an element.
func (b *browser) press(selector string) {
	b.t.Helper()
	var at struct{ X, Y float64 }
	raw := b.eval(`(e => { if (!e) return null; e.scrollIntoView({block: "center"}); const r = e.getClientRects()[0]; return {x: r.x + r.width/2, y: r.y + r.height/2} })(document.querySelector(` + strconv.Quote(selector) + `))`)
	if raw == "null" || json.Unmarshal([]byte(raw), &at) != nil {
		b.t.Fatalf("there is no %s on %s", selector, b.eval("location.href"))
	}
	for _, typ := range []string{"mousePressed", "mouseReleased"} {
		b.call("Input.dispatchMouseEvent", map[string]any{"type": typ, "x": at.X, "y": at.Y, "button": "left", "clickCount": 1}, nil)
	}
}

// leave does what brings another page, and waits for it.
func (b *browser) leave(by func()) {
	b.t.Helper()
	b.eval(`window.left = true`)
	by()
	b.until(`window.left === undefined && document.readyState === "complete"`)
}

// search types into the search field and presses Enter.
func (b *browser) search(text string) {
	b.t.Helper()
	b.eval(`(e => { e.focus(); e.select() })(document.querySelector("input[name=q]"))`)
	b.call("Input.insertText", map[string]any{"text": text}, nil)
	b.leave(func() {
		for _, typ := range []string{"rawKeyDown", "char", "keyUp"} {
			b.call("Input.dispatchKeyEvent", map[string]any{"type": typ, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}, nil)
		}
	})
}

// look sets the width of the window in pixels and the theme, light or dark.
func (b *browser) look(width int, theme string) {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}, nil)
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": theme}}}, nil)
}

// complaints are what pages said on the console or in dialogs, and what they wanted from anywhere but home.
func (b *browser) complaints(home string) (out []string) {
	b.eval("1") // whatever was said before is there by now
	for _, e := range b.events {
		switch e.Method {
		case "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening":
			out = append(out, e.Method+" "+string(e.Params))
		case "Network.requestWillBeSent":
			var p struct{ Request struct{ URL string } }
			err := json.Unmarshal(e.Params, &p)
			if u, bad := url.Parse(p.Request.URL); err != nil || bad != nil || u.Scheme+"://"+u.Host != home {
				out = append(out, "request for "+p.Request.URL)
			}
		}
	}
	b.events = nil
	return out
}

// shot writes a picture of the whole page.
func (b *browser) shot(dir, name string) {
	b.t.Helper()
	var size struct{ W, H int }
	if err := json.Unmarshal([]byte(b.eval(`({w: innerWidth, h: Math.min(document.documentElement.scrollHeight, 2400)})`)), &size); err != nil {
		b.t.Fatal(err)
	}
	var pic struct{ Data string }
	b.call("Page.captureScreenshot", map[string]any{"captureBeyondViewport": true, "clip": map[string]any{
		"x": 0, "y": 0, "scale": 1, "width": size.W, "height": max(size.H, 600),
	}}, &pic)
	data, err := base64.StdEncoding.DecodeString(pic.Data)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, strings.ReplaceAll(name, "/", "_")+".png"), data, 0o644)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}
