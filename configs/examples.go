package configs

import "embed"

// The example configurations, each with comments on every line that needs one.
//
//go:embed examples/*.yaml
var examples embed.FS

// Example is the embedded example configuration of that name, as YAML: csv, joined, json, mbox.
func Example(name string) ([]byte, bool) {
	data, err := examples.ReadFile("examples/" + name + ".yaml")
	return data, err == nil
}
