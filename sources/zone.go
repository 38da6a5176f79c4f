package sources

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"sync"
	"time"
)

// Zones names the zone database that this program carries. time.LoadLocation would take the machine's own first, and
// two machines could then read one file differently.
const Zones = "tzdata 2025c"

// zoneInfo is the IANA database (public domain, https://www.iana.org/time-zones) as the Go distribution packs it in
// lib/time/zoneinfo.zip.
//
//go:embed zoneinfo.zip
var zoneInfo []byte

var openZones = sync.OnceValues(func() (*zip.Reader, error) {
	return zip.NewReader(bytes.NewReader(zoneInfo), int64(len(zoneInfo)))
})

// LoadZone returns the zone of an IANA name, such as Europe/Paris or UTC, as it is on every machine.
func LoadZone(name string) (*time.Location, error) {
	if name == "UTC" {
		return time.UTC, nil
	}
	z, err := openZones()
	if err != nil {
		return nil, err
	}
	f, err := z.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%q is no IANA zone", name)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("%q is no IANA zone", name)
	}
	return time.LoadLocationFromTZData(name, data)
}
