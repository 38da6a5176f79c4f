package csvfile

// guessColumns ties our names to headers that are known from exports.
func guessColumns(shape, []string, [][]string) map[string]string { return nil }
