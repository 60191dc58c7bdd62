package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"licensor/internal/tables"
)

// finding holds the arguments of commands that list objects of the directory as Graph has them.
type finding struct {
	reading
	filter, search, order string
	selected              []string
}

func (f *finding) register(cmd *cobra.Command, named string) {
	flags := cmd.Flags()
	flags.StringVar(&f.filter, "filter", "", "condition, as $filter of Graph has it")
	flags.StringVar(&f.search, "search", "", "text in the names, or an expression such as '\"displayName:ann\"'")
	flags.StringVar(&f.order, "order", "", "property to order by, with \" desc\" for the reverse")
	flags.StringSliceVar(&f.selected, "select", nil,
		"properties to print instead of the usual ones, such as id,city,department")
	f.reading.register(cmd, named, 100)
}

// query returns the query of the list, with the properties that are printed unless --select names
// others, and those that a plain text is searched in.
func (f *finding) query(usual string, searched ...string) url.Values {
	query := url.Values{"$select": {usual}}
	if len(f.selected) > 0 {
		query.Set("$select", strings.Join(f.selected, ","))
	}
	set := func(name, value string) {
		if value != "" {
			query.Set(name, value)
			query.Set("$count", "true") // which advanced conditions need
		}
	}
	set("$filter", f.filter)
	set("$orderby", f.order)
	if f.search != "" && !strings.Contains(f.search, `"`) {
		var parts []string
		for _, property := range searched {
			parts = append(parts, `"`+property+":"+strings.ReplaceAll(f.search, `\`, `\\`)+`"`)
		}
		f.search = strings.Join(parts, " OR ")
	}
	set("$search", f.search)
	return query
}

// selection returns the list with the properties of --select as columns.
func (f *finding) selection(l list) list {
	l.columns = nil
	for _, name := range f.selected {
		l.columns = append(l.columns, tables.Column{Title: name, Name: name, Whole: name == "id"})
	}
	l.row = rows(func(t *tables.Writer, raw json.RawMessage, row *map[string]json.RawMessage) error {
		var cells []any
		for _, name := range f.selected {
			cells = append(cells, cellOf((*row)[name]))
		}
		return t.Row(raw, cells...)
	})
	return l
}

// cellOf returns a value in JSON as people read it.
func cellOf(raw json.RawMessage) string {
	var text string
	var texts []string
	switch {
	case len(raw) == 0 || string(raw) == "null" || string(raw) == "[]":
		return ""
	case json.Unmarshal(raw, &text) == nil:
		return text
	case json.Unmarshal(raw, &texts) == nil:
		return strings.Join(texts, ";")
	}
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}

// skuNames are the part numbers of products by SKU id.
type skuNames map[string]string

// readNames reads the part numbers of the tenant's products. Callers that may not read them get
// none, so that ids are printed.
func readNames(ctx context.Context, c *connection) (skuNames, error) {
	names := skuNames{}
	_, err := c.pages(ctx, "/licensor/v1/products", nil, 0, func(raw json.RawMessage) error {
		var p product
		err := json.Unmarshal(raw, &p)
		names[p.SKUID] = p.SKUPartNumber
		return err
	})
	if no, ok := errors.AsType[*refusalError](err); ok && no.status == http.StatusForbidden {
		return names, nil
	}
	return names, err
}

// assigned is an element of assignedLicenses.
type assigned struct{ SKUID string }

// join returns the names of licenses.
func (n skuNames) join(licenses []assigned) string {
	var list []string
	for _, l := range licenses {
		list = append(list, firstOf(n[l.SKUID], l.SKUID))
	}
	return strings.Join(list, ", ")
}
