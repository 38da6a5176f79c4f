// Package configs is the one YAML file that a person writes: its types, its strict reading, its checks, a JSON Schema
// for editors, examples, and the drafting of a first one from what `hsimport inspect` saw.
//
//	Load, Parse   read a configuration; every problem of the file is reported at once, each an *Error with file,
//	              line, column, key, the nearest known key and a hint (errors.go, decode.go, check.go)
//	keys.go       the table of every key: what it means, what it may be; checks, schema and drafts read it
//	AgentsFile    the table of agents as a CSV file that a person fills in; Load reads mapping.agents_file back (agentsfile.go)
//	Schema        JSON Schema 2020-12 of the same table, for editors
//	Draft         a commented configuration from a sources.Survey, and the questions that only a person can answer
//	Example       the example files, embedded; csv and mbox are the two canonical ones
//
// # How the file is read
//
// The YAML library parses, the walk over its nodes is ours (decode.go), because a configuration is full of words that
// YAML would rather have as something else: a status called no, a ticket field called 0123, a tag called 1.10. In tables
// and text every scalar is the text as written. Unknown keys, wrong types, duplicate keys, merge keys (<<), tags of
// other types and a second document are refused. Aliases are followed, within a bound.
//
// In values, never in keys, ${NAME} is the environment's NAME and $$ is $; a name that is not set is an error. A key
// that would hold a secret is refused: secrets come from the environment or a file, never from the configuration.
//
// The value "?" says that a person still has to decide; it is listed in Config.Unanswered with its line and otherwise
// read as if the key were absent, so that a draft loads and the dry run says what is missing.
//
// Paths are relative to the file. Load makes them absolute and hands each room its options complete: paths, the folder
// that positions are relative to, the cut-over, the mailbox.
package configs
