package configs

import (
	"path/filepath"
	"strings"
	"testing"
)

const fetching = `version: 1
source:
  kind: csv
  paths: [a.csv]
  fetch:
    hosts: [.cdn.example, 10.0.0.5]
    headers:
      Desk.example: {Authorization: "Basic ${LOGIN}", Accept: image/*}
    max_size: 5 MB
    rate: 2
  csv: {legacy_hosts: [desk.example, .files.example]}
helpscout: {mailbox: Support}
`

// Secrets of headers are asked for where they are used: a configuration that names one loads without it, holds it
// nowhere, and its digest does not depend on it.
func TestFetchHeaders(t *testing.T) {
	c, err := Parse("dir/i.yaml", []byte(fetching), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.FetchHeaders(noEnv); err == nil || !strings.HasSuffix(err.Error(), "source.fetch.headers: Authorization of Desk.example: the environment variable LOGIN is not set") {
		t.Errorf("error %v", err)
	}
	env := func(name string) (string, bool) { return "sesame", name == "LOGIN" }
	headers, err := c.FetchHeaders(env)
	if err != nil || headers["desk.example"].Get("authorization") != "Basic sesame" || headers["desk.example"].Get("Accept") != "image/*" {
		t.Errorf("headers %v, %v", headers, err)
	}
	broken := func(string) (string, bool) { return "a\r\nEvil: b", true }
	if _, err := c.FetchHeaders(broken); err == nil || strings.Contains(err.Error(), "Evil") {
		t.Errorf("a line break in a value: %v", err)
	}
	if got := strings.Join(c.FetchHosts(), " "); got != ".cdn.example .files.example 10.0.0.5 desk.example" {
		t.Errorf("hosts %s", got)
	}
	if c.Source.Fetch.Folder != filepath.Join(c.Dir, "fetched") || c.Source.CSV.Cache != c.Source.Fetch.Folder {
		t.Errorf("folder %s", c.Source.Fetch.Folder)
	}
	other, err := Parse("dir/i.yaml", []byte(strings.Replace(fetching, "rate: 2", "folder: elsewhere", 1)), env)
	if err != nil || other.Digest() != c.Digest() {
		t.Errorf("how files are fetched is part of the digest, %v", err)
	}
}

func TestFetchIsChecked(t *testing.T) {
	for from, to := range map[string]struct{ text, want string }{
		`"Basic ${LOGIN}"`: {`"Basic c2VzYW1l"`, "8:37: source.fetch.headers.Desk.example.Authorization: secrets do not belong into the configuration (write ${NAME}, and set NAME in the environment)"},
		`Authorization: `:  {`"Two words": `, `"Two words" is not a header's name`},
		`Accept: image/*`:  {`Host: other.example`, "this header is written by hsimport itself"},
		`Desk.example: {`:  {`"https://desk.example": {`, `"https://desk.example" is not a host (write the headers below the host they are for, without https:// and path)`},
		`.cdn.example`:     {`cdn/x`, `source.fetch.hosts[0]: "cdn/x" is not a host (write it without https:// and path)`},
		`rate: 2`:          {`rate: 5000`, "5000 is out of range: allowed are 1 to 1000"},
		`hosts:`:           {`host:`, "did you mean hosts?"},
	} {
		_, err := Parse("i.yaml", []byte(strings.Replace(fetching, from, to.text, 1)), noEnv)
		if err == nil || !strings.Contains(err.Error(), to.want) {
			t.Errorf("%s: %v, want %s", to.text, err, to.want)
		}
	}
}
