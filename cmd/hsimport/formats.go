package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"hsimport/configs"
	"hsimport/importer"
	"hsimport/sources"
	archives "hsimport/sources/archive"
	"hsimport/sources/csvfile"
	"hsimport/sources/jsonfile"
	"hsimport/sources/mboxfile"
)

// survey looks at files before there is a configuration. All of them have to be of one kind. preset is the name of the
// preset to read them by; empty: the one that fits.
func survey(ctx context.Context, paths []string, preset string) (*sources.Survey, error) {
	if preset != "" && preset != configs.NoPreset {
		if _, err := configs.PresetNamed(preset); err != nil {
			return nil, &importer.Stop{Code: importer.ExitUsage, Err: err}
		}
	}
	if len(paths) == 0 {
		return nil, &importer.Stop{Code: importer.ExitUsage, Err: errors.New("no file is named"), Hint: hintNameFile}
	}
	kind := ""
	for _, p := range paths {
		k, err := kindOf(ctx, p)
		if err != nil {
			return nil, surveyError(err)
		}
		if kind != "" && k != kind {
			return nil, &importer.Stop{Code: importer.ExitUsage, Err: fmt.Errorf("%s is %s, but %s is %s", paths[0], kindWords[kind], p, kindWords[k]), Hint: hintOneKind}
		}
		kind = k
	}
	base, err := surveyBase(paths[0])
	if err != nil {
		return nil, err
	}
	var s *sources.Survey
	switch kind {
	case configs.Mbox:
		return mboxfile.Survey(ctx, paths, base)
	case configs.JSON:
		s, err = jsonfile.Survey(ctx, paths, base, configs.ChooseJSON(preset))
	default:
		s, err = csvfile.Survey(ctx, paths, base, configs.ChooseCSV(preset))
	}
	if err == nil && s.Metrics != "" && s.Preset != "" {
		if p, err := configs.PresetNamed(s.Preset); err == nil {
			s.Metrics = cmp.Or(p.NoTexts, s.Metrics)
		}
	}
	return s, err
}

// surveyBase is the folder that positions are relative to: the working one, or that of a file that lies elsewhere.
func surveyBase(path string) (string, error) {
	cwd, err := os.Getwd()
	if err != nil {
		return "", err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if rel, err := filepath.Rel(cwd, abs); err == nil && filepath.IsLocal(rel) {
		return cwd, nil
	}
	return surveyFolder(abs), nil
}

var kindWords = map[string]string{configs.CSV: "a table", configs.JSON: "JSON", configs.Mbox: "mail"}

// kindOf tells mail from tables: by the name where it says so, else by the first bytes.
func kindOf(ctx context.Context, path string) (string, error) {
	if strings.ContainsAny(path, "*?[") {
		if found, err := filepath.Glob(path); err == nil && len(found) > 0 {
			path = found[0]
		}
	}
	if kind, ok, err := kindOfArchive(ctx, path); ok {
		return kind, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.IsDir() {
		return kindOfFolder(path)
	}
	if kind := kindOfMember(filepath.Base(path)); kind != "" {
		return kind, nil
	}
	return kindOfContent(path)
}

// kindOfFolder takes a folder that holds tables, and no mail, for tables; any other holds mail.
func kindOfFolder(path string) (string, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return "", err
	}
	holds, mail := map[string]bool{}, false
	for _, e := range entries {
		holds[kindOfMember(e.Name())] = true
		mail = mail || strings.Contains(strings.ToLower(e.Name()), ".mbox")
	}
	switch {
	case holds[configs.CSV] && !mail:
		return configs.CSV, nil
	case holds[configs.JSON] && !mail && !holds[configs.Mbox]: // beside mail, settings of its program
		return configs.JSON, nil
	}
	return configs.Mbox, nil
}

func kindOfContent(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	head := make([]byte, 4096)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return "", err
	}
	if what, hint := archives.Foreign(path, head[:n]); what != "" {
		return "", &sources.InputError{Position: sources.Position{File: path, Offset: -1}, Err: errors.New("this is " + what), Hint: hint}
	}
	head = bytes.TrimLeft(head[:n], "\ufeff\r\n\t ")
	if bytes.HasPrefix(head, []byte("{")) || bytes.HasPrefix(head, []byte("[")) && bytes.ContainsAny(head[1:min(len(head), 64)], "{[") {
		return configs.JSON, nil
	}
	if bytes.HasPrefix(head, []byte("From ")) {
		return configs.Mbox, nil
	}
	line, _, _ := bytes.Cut(head, []byte("\n"))
	name, value, ok := bytes.Cut(line, []byte(": "))
	if ok && len(value) > 0 && len(name) > 1 && !bytes.ContainsAny(name, " ,;\t|\"") {
		return configs.Mbox, nil // a header field of a single mail
	}
	return configs.CSV, nil
}
