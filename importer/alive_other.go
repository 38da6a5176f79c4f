//go:build !unix

package importer

// alive cannot be known here: a process counts as being there.
func alive(int) bool { return true }
