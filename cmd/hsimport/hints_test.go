package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"hsimport/configs"
)

// A hint names keys of the configuration; each of them is one.
func TestHintsNameKeysThatAre(t *testing.T) {
	text, err := os.ReadFile("../../importer/report/hints.go")
	if err != nil {
		t.Fatal(err)
	}
	schema := string(configs.Schema())
	keys := regexp.MustCompile(`\b(?:source|mapping|helpscout|run)(?:\.[a-z_]+)+`).FindAllString(string(text), -1)
	if len(keys) < 20 {
		t.Fatalf("only %d keys were found", len(keys))
	}
	for _, k := range keys {
		name := k[strings.LastIndexByte(k, '.')+1:]
		if !strings.Contains(schema, `"`+name+`":`) {
			t.Errorf("%s is no key of the configuration", k)
		}
	}
}
