package sheet

import "strings"

// Harmless prefixes a cell with an apostrophe if a spreadsheet would take it for a formula.
func Harmless(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
