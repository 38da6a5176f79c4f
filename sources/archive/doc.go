// Package archive makes the files inside .zip, .tar, .tar.gz, .tar.zst and .tar.bz2 readable as if somebody had unpacked
// them: once, into a temporary folder that is removed at Close.
//
//	path.go      export.zip/data/tickets.csv: which part of a path is the archive, which leads on inside of it
//	set.go       the archives of one source, and how what is in them is called
//	unpack.go    members to files: bounds on number, size, ratio and disk; names that lead nowhere else
//	zip.go       ZIP with zip64 and data descriptors; what is encrypted or packed in a rare way is named
//	tar.go       tar, and what it is compressed with
//	foreign.go   formats that people take for an export and that are none, and what to do with them
//
// An archive inside an archive is a file like any other: it is not followed.
//
// # Bounds
//
// One million members; a name of 4,096 bytes; as much as leaves 256 MiB free on the disk of the temporary folder; and 200
// times the archive's own size once that is more than 1 GiB, for no export is packed tighter and every bomb is.
package archive
