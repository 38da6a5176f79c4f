package mboxfile

import (
	"os"
	"path/filepath"
	"strings"
)

// isService reports whether a file of a mail folder belongs to the mail program, not to the mails.
func isService(name string) bool {
	lower := strings.ToLower(name)
	if strings.HasPrefix(lower, ".") || strings.HasPrefix(lower, "dovecot") || strings.HasPrefix(lower, "courier") {
		return true
	}
	switch filepath.Ext(lower) {
	case ".msf", ".dat", ".plist", ".sqlite", ".sqlite-wal", ".sqlite-shm", ".cmeta", ".index", ".lock", ".log":
		return true
	}
	return lower == "table_of_contents" || lower == "maildirfolder" || lower == "subscriptions"
}

// isMaildir reports whether a folder is a Maildir: mails are in its cur and new.
func isMaildir(dir string) bool {
	return isDir(filepath.Join(dir, "cur")) || isDir(filepath.Join(dir, "new"))
}

// isMaildirLeaf reports whether dir is the cur or new of a Maildir.
func isMaildirLeaf(dir string) bool {
	switch filepath.Base(dir) {
	case "cur":
		return true
	case "new":
		return isDir(filepath.Join(filepath.Dir(dir), "cur"))
	}
	return false
}

// isMaildirTmp reports whether dir is the tmp of a Maildir, which holds mails that were never delivered.
func isMaildirTmp(dir string) bool {
	return filepath.Base(dir) == "tmp" && isMaildir(filepath.Dir(dir))
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// maildirFolder is the mail folder of a Maildir's leaf. Below a Maildir, ".Sent.2020" is the folder Sent/2020
// (Maildir++); a plain folder goes by its name; the Maildir that was named itself is the Inbox.
func maildirFolder(root, leaf string) string {
	dir := filepath.Dir(leaf)
	if filepath.Clean(dir) == filepath.Clean(root) {
		return "Inbox"
	}
	rel, err := filepath.Rel(root, dir)
	if err != nil {
		return ""
	}
	parts := strings.Split(filepath.ToSlash(rel), "/")
	for i, p := range parts {
		if strings.HasPrefix(p, ".") {
			parts[i] = strings.ReplaceAll(strings.Trim(p, "."), ".", "/")
		}
	}
	if last := parts[len(parts)-1]; strings.EqualFold(last, "maildir") {
		parts[len(parts)-1] = "Inbox"
	}
	return strings.Join(parts, "/")
}

// maildirFlags are the labels that the flags behind "2," in a Maildir name stand for. The separator before the 2 is a
// colon, or where file systems forbid it an exclamation mark or a semicolon.
func maildirFlags(name string) []string {
	i := strings.LastIndex(name, "2,")
	if i < 1 || !strings.ContainsRune(":!;", rune(name[i-1])) {
		return []string{labelUnread} // in new: never looked at
	}
	var labels []string
	flags := name[i+2:]
	if !strings.Contains(flags, "S") {
		labels = append(labels, labelUnread)
	}
	for _, f := range []struct{ flag, label string }{{"F", labelStarred}, {"D", labelDrafts}, {"T", labelTrash}} {
		if strings.Contains(flags, f.flag) {
			labels = append(labels, f.label)
		}
	}
	return labels
}

// folderOfFile is the mail folder that a file named by the person stands for: the name of an mbox. A single mail's
// name says nothing.
func folderOfFile(path string, kind format) string {
	if kind == oneMail || kind == emlx {
		return ""
	}
	if filepath.Base(path) == "mbox" && strings.HasSuffix(strings.ToLower(filepath.Dir(path)), ".mbox") {
		path = filepath.Dir(path) // Apple Mail: Sent.mbox/mbox
	}
	return stem(filepath.Base(path))
}

// folderInTree is the mail folder of a file below a named folder: its place in the tree, with the decoration of mail
// programs taken off ("Inbox.sbd/Old" of Thunderbird is Inbox/Old, "Sent.mbox/mbox" of Apple Mail is Sent). Single
// mails have the folder they lie in.
func folderInTree(root, path string, kind format) string {
	rel, err := filepath.Rel(root, path)
	if err != nil {
		return ""
	}
	parts := strings.Split(filepath.ToSlash(rel), "/")
	if kind == oneMail || kind == emlx || parts[len(parts)-1] == "mbox" {
		parts = parts[:len(parts)-1]
	}
	if len(parts) == 0 {
		return stem(filepath.Base(root))
	}
	for i, p := range parts {
		parts[i] = stem(p)
	}
	return strings.Join(parts, "/")
}

// stem is a file name without the endings of mail archives.
func stem(name string) string {
	for {
		ext := filepath.Ext(name)
		switch strings.ToLower(ext) {
		case ".mbox", ".mbx", ".mboxrd", ".mboxo", ".mboxcl", ".mboxcl2", ".gz", ".zst", ".txt", ".sbd", ".eml", ".maildir", ".zip", ".tar", ".tgz", ".bz2", ".tbz2":
			if len(ext) < len(name) {
				name = name[:len(name)-len(ext)]
				continue
			}
		}
		return name
	}
}
