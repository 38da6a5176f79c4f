package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"hsimport/configs"
	"hsimport/importer"
	"hsimport/sources"
	archives "hsimport/sources/archive"
)

// kindOfArchive tells what is in an archive, or in the part of it that a path leads to, by the names of its members. ok
// is false for a path that leads into none. An archive of several kinds is for the person to take apart.
func kindOfArchive(ctx context.Context, file string) (kind string, ok bool, err error) {
	in, inside, ok := archives.Split(file)
	if !ok {
		return "", false, nil
	}
	below := inside
	if strings.ContainsAny(inside, "*?[") {
		below = ""
	}
	names, err := archives.Names(ctx, in, below)
	if err != nil {
		return "", true, err
	}
	examples := map[string]string{}
	for _, name := range names {
		if below != inside {
			if fits, err := path.Match(inside, name); err != nil || !fits {
				continue
			}
		}
		if k := kindOfMember(name); k != "" && examples[k] == "" {
			examples[k] = name
		}
	}
	if examples[configs.Mbox] != "" {
		delete(examples, configs.JSON) // settings of the mail program
	}
	switch {
	case len(names) == 0 && inside != "":
		return "", true, fmt.Errorf("there is no %q in %s", inside, filepath.Base(in))
	case len(names) == 0:
		return "", true, fmt.Errorf("%s is empty", filepath.Base(in))
	case len(examples) > 1:
		return "", true, fmt.Errorf("%s holds %s; name what is meant, such as %s", filepath.Base(in), severalKinds(examples), path.Join(filepath.ToSlash(in), firstOf(examples)))
	}
	for k := range examples {
		return k, true, nil
	}
	return configs.Mbox, true, nil // mail folders have any name
}

// archiveKinds are the kinds that an archive may hold, in the order in which they are told.
var archiveKinds = []string{configs.CSV, configs.JSON, configs.Mbox}

func severalKinds(examples map[string]string) string {
	var all []string
	for _, k := range archiveKinds {
		if name := examples[k]; name != "" {
			all = append(all, fmt.Sprintf("%s (%s)", kindWords[k], name))
		}
	}
	return strings.Join(all, " and ")
}

func firstOf(examples map[string]string) string {
	for _, k := range archiveKinds {
		if examples[k] != "" {
			return examples[k]
		}
	}
	return ""
}

// kindOfMember is what a member's name says; empty when it says nothing.
func kindOfMember(name string) string {
	lower := strings.ToLower(name)
	for _, packed := range []string{".gz", ".zst", ".bz2"} {
		lower = strings.TrimSuffix(lower, packed)
	}
	switch path.Ext(lower) {
	case ".csv", ".tsv", ".tab", ".psv":
		return configs.CSV
	case ".json", ".jsonl", ".ndjson":
		return configs.JSON
	case ".mbox", ".mbx", ".eml", ".emlx", ".mboxrd", ".mboxo":
		return configs.Mbox
	}
	if dir := path.Base(path.Dir(lower)); dir == "cur" || dir == "new" {
		return configs.Mbox // a Maildir
	}
	return ""
}

// surveyError is about a file that cannot be looked at; what the file's own room advises goes before the general hint.
func surveyError(err error) error {
	hint := hintNameFile
	var input *sources.InputError
	if errors.As(err, &input) && input.Hint != "" {
		hint = input.Hint
	}
	return &importer.Stop{Code: importer.ExitUsage, Err: err, Hint: hint}
}

// surveyFolder is the folder that a file lies in; of a file inside an archive, the archive's.
func surveyFolder(abs string) string {
	if in, _, ok := archives.Split(abs); ok {
		return filepath.Dir(in)
	}
	return filepath.Dir(abs)
}
