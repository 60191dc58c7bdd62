package export

import (
	"slices"

	"licensor/internal/directory"
	"licensor/internal/signins"
	"licensor/internal/store"
)

// table is a table of an export.
type table struct {
	name    string
	line    string // the kind of its lines in an import
	columns []column
	size    func(t *Tenant) int // the number of rows, approximately
	rows    func(t *Tenant, to *rowWriter) error
	// imported says of a row whether an import reads it; nil: of each.
	imported func(row [][]byte) bool
	local    bool // an import does not read any
}

// column is a column of a table. Its values are JSON.
type column struct {
	name   string
	kind   directory.Kind
	inJSON string // its name in JSON lines; "-": not there
	keep   bool   // JSON lines also have it if it is null, since an import would give it a value
}

func text(name string) column { return column{name: name, kind: directory.KindString} }

// as gives the column another name in JSON lines.
func (c column) as(name string) column {
	c.inJSON = name
	return c
}

func of(name string, kind directory.Kind) column { return column{name: name, kind: kind} }

// tables are all tables, in an order in which they can be imported.
var tables = []*table{
	settings, users, groups, managers, memberships, owners, subscriptions, prices, licenses, states, commits,
}

// Tables returns the names of all tables, in the order in which they can be imported.
func Tables() []string {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.name
	}
	return names
}

// Importable returns the names of the tables that an import reads.
func Importable() (names []string) {
	for _, t := range tables {
		if !t.local {
			names = append(names, t.name)
		}
	}
	return names
}

func tableNamed(name string) (*table, bool) {
	at := slices.IndexFunc(tables, func(t *table) bool { return t.name == name })
	if at < 0 {
		return nil, false
	}
	return tables[at], true
}

// rowWriter collects the values of a row, and writes it.
type rowWriter struct {
	tenant *Tenant
	table  *table
	out    writer
	row    [][]byte
	data   []byte
	ends   []int
}

// add adds the next value of the row, which write appends as JSON.
func (w *rowWriter) add(write func(b []byte) []byte) {
	w.data = write(w.data)
	w.ends = append(w.ends, len(w.data))
}

// end writes the row.
func (w *rowWriter) end() error {
	w.row = w.row[:0]
	begin := 0
	for _, end := range w.ends {
		w.row = append(w.row, w.data[begin:end])
		begin = end
	}
	w.data, w.ends = w.data[:0], w.ends[:0]
	return w.out.write(w.table, w.row)
}

// advance counts a processed object.
func (w *rowWriter) advance() error { return w.tenant.advance() }

var users = &table{
	name: "users", line: "user",
	columns: append(properties(directory.UserProperties()), of("signInActivity", directory.KindComplex)),
	size:    func(t *Tenant) int { return int(t.image.Directory.Users()) },
	rows: func(t *Tenant, to *rowWriter) error {
		t.seenUpTo = 0
		return documents(t, to, store.KindUser, directory.UserProperties(), directory.ParseUser, to.activity)
	},
}

var groups = &table{
	name: "groups", line: "group", columns: properties(directory.GroupProperties()),
	size: func(t *Tenant) int { return int(t.image.Directory.Groups()) },
	rows: func(t *Tenant, to *rowWriter) error {
		none := func(uint32) error { return nil }
		return documents(t, to, store.KindGroup, directory.GroupProperties(), directory.ParseGroup, none)
	},
}

// activity adds when a user was last seen to sign in.
func (w *rowWriter) activity(user uint32) error {
	seen, err := w.tenant.activity(user)
	w.add(func(b []byte) []byte { return signins.AppendActivity(b, seen) })
	return err
}

// documents writes the properties of all objects of a kind, and what more adds.
func documents[T any](
	t *Tenant, to *rowWriter, kind store.Kind, all []*directory.Property[T], parse func([]byte) (*T, error),
	more func(ordinal uint32) error,
) error {
	return t.rows(kind, func(row *store.Object) error {
		object, err := parse(row.Document)
		if err != nil {
			return err
		}
		for _, p := range all {
			if p.Stored() {
				to.add(func(b []byte) []byte { return p.Append(b, object) })
			}
		}
		if err := more(row.Ordinal); err != nil {
			return err
		}
		if err := to.end(); err != nil {
			return err
		}
		return to.advance()
	})
}

// properties returns the columns of stored properties.
func properties[T any](all []*directory.Property[T]) (list []column) {
	for _, p := range all {
		if !p.Stored() {
			continue
		}
		c := of(p.Name, p.Kind)
		switch p.Name {
		case "signInSessionsValidFromDateTime": // sessions of an imported user begin with the import
			c.inJSON = "-"
		case "userType", "lastPasswordChangeDateTime", "renewedDateTime", "visibility":
			c.keep = true
		}
		list = append(list, c)
	}
	return list
}
