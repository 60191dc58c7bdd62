package catalog

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/excerpt"
	"licensor/internal/licensing"
)

// Read reads the published table of products and service plans. Products and plans come in the
// order in which the file names them first; the first name of a product or plan is kept. The
// catalog has no rules between plans: see WithKnownRules. Read fails if the file is not such a
// table. The report lists mistakes in single rows; it is never nil.
func Read(r io.Reader) (*licensing.Catalog, *Report, error) {
	t := &table{
		report:   &Report{},
		products: map[uuid.UUID]int{}, plans: map[uuid.UUID]int{},
		partNumbers: map[string]uuid.UUID{}, planNames: map[string]uuid.UUID{},
		included: map[[2]uuid.UUID]int{},
	}
	if err := t.read(r); err != nil {
		return nil, t.report, fmt.Errorf("read product table: %w", err)
	}
	return t.catalog(), t.report, nil
}

// table is a catalog while it is read.
type table struct {
	columns *columns
	width   int // columns of the header
	report  *Report
	result  licensing.Catalog

	products, plans        map[uuid.UUID]int    // id -> place in result
	partNumbers, planNames map[string]uuid.UUID // id that has the name, in lower case
	included               map[[2]uuid.UUID]int // product, plan -> line
}

func (t *table) read(r io.Reader) error {
	in, err := withoutMark(r)
	if err != nil {
		return err
	}
	rows := newRows(in, t.report)
	for {
		row, err := rows.next()
		switch {
		case errors.Is(err, io.EOF):
			return t.checkEnd()
		case err != nil:
			return err
		case blank(row.cells):
		case t.columns != nil:
			t.report.Rows++
			t.take(row)
		case strings.HasPrefix(row.cells[0], "sep="): // tells spreadsheets the separator; the header shows it too
		default:
			t.width, rows.width = len(row.cells), len(row.cells)
			if t.columns, err = readHeader(row, t.report); err != nil {
				return err
			}
		}
	}
}

// withoutMark removes the byte order mark, and decodes the encoding that it indicates.
func withoutMark(r io.Reader) (io.Reader, error) {
	in := bufio.NewReader(r)
	start, _ := in.Peek(3) // a read error is returned again with the first line
	switch {
	case strings.HasPrefix(string(start), "\xef\xbb\xbf"):
		_, _ = in.Discard(3)
	case strings.HasPrefix(string(start), "\xff\xfe"), strings.HasPrefix(string(start), "\xfe\xff"):
		return nil, errors.New(`the file is UTF-16; save it as "CSV UTF-8"`)
	case strings.HasPrefix(string(start), "PK"):
		return nil, errors.New(`the file is a workbook or an archive; save the sheet as "CSV UTF-8"`)
	}
	return in, nil
}

func (t *table) checkEnd() error {
	switch {
	case t.columns == nil:
		return errors.New("the file is empty; it must begin with a header such as " +
			"Product_Display_Name,String_Id,GUID,…")
	case len(t.result.Products) == 0 && len(t.report.Problems) > 0:
		return fmt.Errorf("no row of the file could be used; the first problem: %s", t.report.Problems[0])
	case len(t.result.Products) == 0:
		return errors.New("the file has a header and no rows")
	}
	return nil
}

func blank(cells []string) bool {
	for _, cell := range cells {
		if tidied(cell) != "" {
			return false
		}
	}
	return true
}

// take adds all of a row, or nothing of it.
func (t *table) take(row row) {
	if extra := beyond(row.cells, t.width); extra > 0 {
		t.report.skip(row.line,
			"it has %d cells more than the header; a name with a comma needs quotation marks", extra)
		return
	}
	sku, ok := t.guid(row, skuID)
	if !ok {
		return
	}
	part := t.text(row, partNumber)
	if _, known := t.products[sku]; part == "" && !known {
		t.report.skip(row.line, "String_Id is empty, and no row above names product %s", sku)
		return
	}
	plans, ok := t.plansOf(row)
	if !ok {
		return
	}
	product := t.product(row.line, sku, part, t.text(row, productName))
	for _, p := range plans {
		t.include(row.line, product, p)
	}
	if len(plans) == 0 {
		t.report.note(row.line, "product %s has a row without a service plan", sku)
	}
}

// beyond counts the cells from the end of the header to the last non-empty one.
func beyond(cells []string, width int) int {
	for n := len(cells); n > width; n-- {
		if tidied(cells[n-1]) != "" {
			return n - width
		}
	}
	return 0
}

// text returns a cell as text, and notes repairs.
func (t *table) text(row row, what column) string {
	text, repair := readable(t.columns.cell(row.cells, what))
	if repair != "" {
		t.report.note(row.line, "%s %q: %s", what, shortened(text), repair)
	}
	return text
}

func (t *table) guid(row row, what column) (uuid.UUID, bool) {
	return t.parse(row.line, what, t.text(row, what))
}

func (t *table) parse(line int, what column, text string) (uuid.UUID, bool) {
	id, repaired, ok := parseGUID(text)
	switch {
	case text == "":
		t.report.skip(line, "%s is empty", what)
	case !ok:
		t.report.skip(line, "%s %q is not a GUID", what, shortened(text))
	case repaired:
		t.report.note(line, "%s %q: read as %s", what, shortened(text), id)
	}
	return id, ok
}

func (t *table) catalog() *licensing.Catalog {
	for i := range t.result.Products {
		if p := &t.result.Products[i]; p.DisplayName == "" {
			p.DisplayName = p.SKUPartNumber
		}
	}
	for i := range t.result.ServicePlans {
		p := &t.result.ServicePlans[i]
		if p.DisplayName == "" {
			p.DisplayName = p.Name
		}
		p.Service, p.AppliesTo = serviceOf(p.Name), appliesTo(p.Name)
	}
	return &t.result
}

// shortened limits a text for a report.
func shortened(text string) string { return excerpt.Of(text, 80) }
