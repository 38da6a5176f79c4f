package report

import (
	"bytes"
	"testing"
	"time"

	"hsimport/importer"
)

// No figure stands alone in its row, however wide the window is, on the page of a dry run and on that of a verification.
func TestNoFigureStandsAlone(t *testing.T) {
	b := startBrowser(t)
	c, rep, _ := dryRun(t, job(), options(), account())
	var verified bytes.Buffer
	if err := (&Verification{Title: "x"}).HTML(&verified, &importer.VerifySummary{Verified: importer.Verified{Sent: 12345, AsSent: 12345}}, time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	for name, page := range map[string]string{"dry run": pageOf(t, c, rep), "verification": verified.String()} {
		path := writePage(t, page)
		for _, wide := range []int{390, 700, 720, 800, 900, 1000, 1080, 1100, 1280, 1920} {
			b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": wide, "height": 1000, "deviceScaleFactor": 1, "mobile": wide < 500}, nil)
			b.open(path)
			got := b.eval(`(() => {
				const tiles = Array.from(document.querySelectorAll(".figures > div")), high = tiles.at(-1).offsetTop;
				const last = tiles.filter(d => d.offsetTop === high), full = document.querySelector(".figures").clientWidth;
				return (last.length > 1 || last[0].offsetWidth > full * .9) && tiles.every(d => d.scrollWidth <= d.clientWidth)
			})()`)
			if got != "true" {
				t.Errorf("%s, %d pixels wide: %s", name, wide, b.eval(`Array.from(document.querySelectorAll(".figures > div")).map(d => [d.offsetLeft, d.offsetTop, d.offsetWidth].join(" ")).join(", ")`))
			}
		}
	}
}
