package archive

import (
	"archive/zip"
	"bytes"
	"path"
	"path/filepath"
	"strings"
)

// Foreign recognises a file that people take for an export and that is none: by its first bytes, and by its name where
// these are shared. what is empty for anything else; hint says what to do with it.
func Foreign(file string, head []byte) (what, hint string) {
	ext := strings.ToLower(filepath.Ext(file))
	switch {
	case isZip(head):
		if what := document(file); what != "" {
			return what, hintDocument(what)
		}
	case bytes.HasPrefix(head, []byte("!BDN")):
		return "an Outlook data file (.pst or .ost)", "convert it first, for example with `readpst -r -o FOLDER FILE`, and name the folder"
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
		switch ext {
		case ".msg", ".oft":
			return "an Outlook message (.msg)", "save the mails as .eml, or import them into Thunderbird and name its folder"
		case ".xls", ".xlt":
			return "an old Excel workbook (.xls)", "save the sheet as CSV UTF-8 and name that"
		}
		return "an Outlook message or an old Office document", "save mails as .eml, sheets as CSV UTF-8, and name those"
	case bytes.HasPrefix(head, []byte("7z\xbc\xaf\x27\x1c")):
		return "a 7-Zip archive", "unpack it and name the folder"
	case bytes.HasPrefix(head, []byte("Rar!")):
		return "a RAR archive", "unpack it and name the folder"
	case bytes.HasPrefix(head, []byte("\xfd7zXZ\x00")):
		return "compressed with xz", "unpack it first with `unxz -k FILE` and name the result"
	case bytes.HasPrefix(head, []byte("%PDF-")):
		return "a PDF document", "ask the old desk for an export as CSV, JSON or mbox"
	case bytes.HasPrefix(head, []byte("SQLite format 3\x00")):
		return "a database (SQLite)", "export its tables as CSV and name those"
	case bytes.HasPrefix(head, []byte("bplist00")), bytes.HasPrefix(head, []byte("MZ")), bytes.HasPrefix(head, []byte("\x7fELF")):
		return "a program or its settings", ""
	}
	return "", ""
}

// document names the office document that a ZIP is, by what all of its kind hold.
func document(file string) string {
	z, err := zip.OpenReader(file)
	if err != nil {
		if z == nil {
			return documentByName(file)
		}
	}
	defer z.Close()
	for i, m := range z.File {
		if i > 200 {
			break
		}
		switch {
		case strings.HasPrefix(m.Name, "xl/"):
			return "an Excel workbook (.xlsx)"
		case strings.HasPrefix(m.Name, "word/"):
			return "a Word document (.docx)"
		case m.Name == "Index/Document.iwa" || m.Name == "Index/CalculationEngine.iwa" || path.Ext(m.Name) == ".iwa":
			return "a Numbers or Pages document"
		case i == 0 && m.Name == "mimetype" && m.UncompressedSize64 < 100:
			return "an OpenDocument file (.ods or .odt)"
		}
	}
	return ""
}

// documentByName is for documents that are damaged.
func documentByName(file string) string {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".xlsx", ".xlsm":
		return "an Excel workbook (.xlsx)"
	case ".docx":
		return "a Word document (.docx)"
	case ".numbers", ".pages":
		return "a Numbers or Pages document"
	case ".ods", ".odt":
		return "an OpenDocument file (.ods or .odt)"
	}
	return ""
}

func hintDocument(what string) string {
	if strings.Contains(what, "Word") {
		return "ask the old desk for an export as CSV, JSON or mbox"
	}
	return "save the sheet as CSV UTF-8 and name that; check that dates and long numbers look right in it"
}
