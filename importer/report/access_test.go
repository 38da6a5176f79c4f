package report

import (
	"encoding/json"
	"fmt"
	"testing"
)

// accessJS lists what a keyboard, a screen reader or weak eyes would stumble over; after the rules of WCAG 2.2 AA that can
// be computed. https://www.w3.org/TR/WCAG22/
const accessJS = `(() => {
  const bad = [];
  const all = s => Array.from(document.querySelectorAll(s));
  const seen = e => e.offsetParent !== null || e === document.body;
  const name = e => (e.getAttribute("aria-label") || (e.getAttribute("aria-labelledby") || "").split(/\s+/).map(i => document.getElementById(i)?.textContent || "").join(" ") || e.textContent || e.title || "").trim();
  const tell = (what, e) => bad.push(what + ": " + e.outerHTML.slice(0, 120));
  const ids = {};
  for (const e of all("[id]")) { if (ids[e.id]) tell("the id is there twice", e); ids[e.id] = true; }
  for (const [sel, n] of [["h1", 1], ["main", 1], ["body > header", 1], ["nav", 1]]) if (all(sel).length !== n) bad.push(all(sel).length + " of " + sel);
  let level = 0;
  for (const h of all("h1,h2,h3,h4,h5,h6").filter(seen)) {
    const n = Number(h.tagName[1]);
    if (n > level + 1) tell("a heading of level " + n + " after " + level, h);
    level = n;
  }
  for (const e of all("section, nav")) if (!name(e) || !(e.hasAttribute("aria-label") || e.hasAttribute("aria-labelledby"))) tell("no name", e);
  for (const e of all("[aria-labelledby]")) for (const i of e.getAttribute("aria-labelledby").split(/\s+/)) if (!ids[i]) tell("labelled by nothing", e);
  for (const e of all("a, button, summary, input, iframe")) if (!name(e)) tell("no name", e);
  for (const e of all("a[href^='#']")) if (!ids[e.getAttribute("href").slice(1)]) tell("leads nowhere", e);
  for (const e of all("table")) if (!e.caption || !e.caption.textContent.trim()) tell("no caption", e);
  for (const e of all("thead th")) if (e.scope !== "col") tell("no scope", e);
  for (const e of all("tbody tr, tfoot tr")) if (seen(e) && !e.querySelector("th[scope=row]")) tell("a row without a head", e);
  for (const e of all("svg")) if (e.getAttribute("aria-hidden") !== "true" && !(e.getAttribute("role") === "img" && e.getAttribute("aria-label"))) tell("no text for a drawing", e);
  for (const e of all("*")) {
    if (!seen(e) || e.tagName === "IFRAME") continue;
    const x = getComputedStyle(e).overflowX;
    if ((x === "auto" || x === "scroll") && e.scrollWidth > e.clientWidth + 1 && e.tabIndex < 0 && !e.querySelector("a[href], button")) tell("scrolls, but not by keyboard", e);
    if (e.tabIndex > 0) tell("a tab order of its own", e);
  }
  const rgb = s => { const m = s.match(/[\d.]+/g).map(Number); return m.length > 3 ? m : [...m, 1]; };
  const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
  const back = e => { const stack = []; for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] > 0) stack.push(c); if (c[3] === 1) break; }
    return stack.reverse().reduce((b, c) => over(c, b), rgb(getComputedStyle(document.documentElement).backgroundColor)); };
  const lum = c => { const f = c.slice(0, 3).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * f[0] + 0.7152 * f[1] + 0.0722 * f[2]; };
  const told = {};
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = walk.nextNode(); n; n = walk.nextNode()) {
    const e = n.parentElement;
    if (!n.nodeValue.trim() || !seen(e) || e.closest("template, script, title, .sr, .skip")) continue;
    const s = getComputedStyle(e), svg = e.closest("svg");
    const c = over(rgb(svg ? s.fill : s.color), back(e)), b = back(e);
    const [x, y] = [lum(c), lum(b)].sort((p, q) => q - p), ratio = (x + 0.05) / (y + 0.05);
    const px = parseFloat(s.fontSize), large = px >= 24 || px >= 18.66 && Number(s.fontWeight) >= 700;
    const key = s.color + b;
    if (ratio < (large ? 3 : 4.5) && !told[key]) { told[key] = true; tell("contrast " + ratio.toFixed(2), e); }
  }
  if (document.documentElement.scrollWidth > innerWidth + 1) bad.push("the page is " + document.documentElement.scrollWidth + " wide on a screen of " + innerWidth);
  return bad;
})()`

func TestAccessible(t *testing.T) {
	b := startBrowser(t)
	c, rep, _ := dryRun(t, job(), options(), account())
	dry := writePage(t, pageOf(t, c, rep))
	c, rep = ranJob(t, 40)
	ran := writePage(t, pageOf(t, c, rep))
	for _, path := range []string{dry, ran, writePage(t, hostilePage(t))} {
		for _, theme := range []string{"light", "dark"} {
			for _, wide := range []int{1280, 390} {
				b.look(theme, wide)
				b.open(path)
				b.eval(`document.querySelectorAll("details").forEach((d, i) => { if (i < 12) d.open = true })`)
				b.eval(`document.querySelectorAll("#happened details, details.preview").forEach((d, i) => { if (i < 3) d.open = true })`)
				b.drawn()
				var bad []string
				if err := json.Unmarshal([]byte(b.eval(accessJS)), &bad); err != nil {
					t.Fatal(err)
				}
				for _, x := range bad {
					t.Errorf("%s, %d: %s", theme, wide, x)
				}
			}
		}
	}
}

// drawn waits until the page has been drawn anew: what watches sizes has seen them by then.
func (b *browser) drawn() {
	b.t.Helper()
	b.eval(`new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(() => drawn(true))))`)
}

// look sets the theme that the reader prefers and the width of the window.
func (b *browser) look(theme string, wide int) {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": wide, "height": 1000, "deviceScaleFactor": 1, "mobile": wide < 500}, nil)
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": theme}}}, nil)
}

// Tab goes through the page from top to bottom, and everything that can be reached shows that it has the focus.
func TestByKeyboard(t *testing.T) {
	b := startBrowser(t)
	c, rep, _ := dryRun(t, job(), options(), account())
	b.look("light", 1280)
	b.open(writePage(t, pageOf(t, c, rep)))
	b.eval(`document.body.focus()`)
	b.eval(`window.at = -1e9; window.bad = []`)
	for i := range 40 {
		for _, kind := range []string{"keyDown", "keyUp"} {
			b.call("Input.dispatchKeyEvent", map[string]any{"type": kind, "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}, nil)
		}
		got := b.eval(`(() => { const e = document.activeElement, s = getComputedStyle(e);
			if (e === document.body) return "nothing has the focus";
			return s.outlineStyle === "none" || parseFloat(s.outlineWidth) < 1 ? "no focus to be seen on " + e.outerHTML.slice(0, 100) : "" })()`)
		if got != `""` {
			t.Errorf("after %d tabs: %s", i+1, got)
		}
		if i == 0 {
			if got := b.eval(`document.activeElement.className`); got != `"skip"` {
				t.Errorf("the first tab reaches %s", got)
			}
		}
	}
	b.eval(`document.getElementById("search").focus()`)
	b.call("Input.insertText", map[string]any{"text": "id:311"}, nil)
	b.until(`document.getElementById("hits").textContent !== ""`)
	if got := b.eval(`document.getElementById("hits").getAttribute("role")`); got != `"status"` {
		t.Error(fmt.Sprint("the number of hits is announced as ", got))
	}
}
