package catalog

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// column is the meaning of a column of the table.
type column int

const (
	productName column = iota
	partNumber
	skuID
	planName
	planID
	friendlyName
	planList // the older layout: all plans of a product in one cell, "NAME (GUID)<br/>NAME (GUID)"
	columnCount
)

// String returns the heading in the published table.
func (c column) String() string {
	return [columnCount]string{
		"Product_Display_Name", "String_Id", "GUID", "Service_Plan_Name", "Service_Plan_Id",
		"Service_Plans_Included_Friendly_Names", "Service plans included",
	}[c]
}

// headings are the accepted names of the columns, without case, blanks and punctuation.
var headings = map[string]column{
	"productdisplayname": productName, "productname": productName,
	"stringid": partNumber, "skupartnumber": partNumber,
	"guid": skuID, "skuid": skuID,
	"serviceplanname":                   planName,
	"serviceplanid":                     planID,
	"serviceplansincludedfriendlynames": friendlyName, "serviceplanfriendlyname": friendlyName, "friendlyname": friendlyName,
	"serviceplansincluded": planList,
}

// columns is the position of each column, -1 if it is missing.
type columns [columnCount]int

func (c *columns) has(what column) bool { return c[what] >= 0 }

// cell returns a row's cell of a column, empty if the row is too short or the column is missing.
func (c *columns) cell(cells []string, what column) string {
	if i := c[what]; i >= 0 && i < len(cells) {
		return cells[i]
	}
	return ""
}

// readHeader finds the columns, in any order.
func readHeader(header row, report *Report) (*columns, error) {
	var found columns
	for i := range found {
		found[i] = -1
	}
	for i, cell := range header.cells {
		name, _ := readable(cell)
		what, known := headings[plain(name)]
		switch {
		case name == "":
		case !known:
			report.note(header.line, "column %q is not known and was not read", name)
		case found.has(what):
			report.note(header.line, "duplicate column %q; the first one was read", name)
		default:
			found[what] = i
		}
	}
	if !found.has(skuID) || !found.has(partNumber) ||
		(!found.has(planList) && (!found.has(planID) || !found.has(planName))) {
		return nil, fmt.Errorf("line %d is not the header of the product table: it must name the columns "+
			"String_Id, GUID, "+
			"Service_Plan_Name and Service_Plan_Id (and Product_Display_Name, "+
			"Service_Plans_Included_Friendly_Names)", header.line)
	}
	return &found, nil
}

func plain(heading string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}

// listed matches one "NAME (GUID)" of the older layout. Names may contain parentheses.
var (
	listed    = regexp.MustCompile(`(.*?)\(\s*([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\s*\)`)
	lineBreak = regexp.MustCompile(`(?i)<br\s*/?>`)
)

type namedID struct{ name, id string }

// splitList reads a cell of the older layout; rest is the text that is not a "NAME (GUID)".
func splitList(cell string) (list []namedID, rest string) {
	cell = lineBreak.ReplaceAllString(cell, " ")
	end := 0
	for _, at := range listed.FindAllStringSubmatchIndex(cell, -1) {
		list = append(list, namedID{trimList(cell[at[2]:at[3]]), cell[at[4]:at[5]]})
		end = at[1]
	}
	return list, trimList(cell[end:])
}

func trimList(text string) string { return strings.Trim(text, " ,;") }
