package csvfile

// ColumnNames are our names of columns that a table of the configuration may use, in the order of documentation. table
// is columns, message_columns or user_columns; layout is Options.Layout, and empty where it is still to be found.
func ColumnNames(table, layout string) []string {
	var shapes []shape
	switch {
	case table == "user_columns":
		shapes = []shape{userRows}
	case table == "message_columns":
		shapes = []shape{joinedRows}
	case layout == MessagePerRow:
		shapes = []shape{messageRows}
	case layout == "":
		shapes = []shape{ticketRows, messageRows}
	default:
		shapes = []shape{ticketRows}
	}
	var names []string
	for r := range roleCount {
		for _, s := range shapes {
			if s.allows(r) {
				names = append(names, r.String())
				break
			}
		}
	}
	return names
}
