package configs

import (
	"embed"
	"slices"
	"strings"
)

// The example configurations, each with comments on every line that needs one.
//
//go:embed examples/*.yaml
var examples embed.FS

// Examples are the names of the embedded example configurations, sorted: csv, joined, json, mbox.
func Examples() []string {
	entries, err := examples.ReadDir("examples")
	if err != nil {
		return nil // the folder is embedded: it is there
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	slices.Sort(names)
	return names
}

// Example is the embedded example configuration of that name, as YAML.
func Example(name string) ([]byte, bool) {
	data, err := examples.ReadFile("examples/" + name + ".yaml")
	return data, err == nil
}
