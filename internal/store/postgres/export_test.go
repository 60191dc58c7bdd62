package postgres

import (
	"github.com/jackc/pgx/v5"

	"licensor/internal/store"
)

// AppendAll is the statement of an append, for benchmarks.
const AppendAll = appendAll

// Parse parses the URL of a database.
var Parse = parse

// CheckVersion returns the error of Open for a server with a version number.
func CheckVersion(number int) error {
	return (&Store{name: "host/db"}).checkServer(found{number: number, encoding: "UTF8"})
}

// AppendArgs returns the arguments of AppendAll.
func AppendArgs(tenant [16]byte, at store.Place, commits []store.Commit, objects []store.Object) ([]any, error) {
	rows, err := columnsOf(objects)
	if err != nil {
		return nil, err
	}
	return append(placeArgs(tenant, at, at.After(commits)), append(commitColumns(commits), rows.args()...)...), nil
}

// CopyRows returns rows as COPY takes them.
func CopyRows(tenant [16]byte, objects []store.Object) (pgx.CopyFromSource, []string, error) {
	c, err := columnsOf(objects)
	if err != nil {
		return nil, nil, err
	}
	source := pgx.CopyFromSlice(len(c.kinds), func(i int) ([]any, error) {
		return []any{
			tenant, c.kinds[i], c.ordinals[i], c.ids[i], c.deleted[i], c.seqs[i], c.sums[i], c.purged[i],
			c.upns[i], c.names[i], c.mails[i], c.dates[i], c.documents[i],
		}, nil
	})
	return source, []string{
		"tenant", "kind", "ordinal", "id", "deleted", "seq", "sum", "purged",
		"user_principal_name", "display_name", "mail", "created", "document",
	}, nil
}

// Renew says once more that a process serves, as it does every few seconds.
func Renew(s *Store) { s.serving.again(s.life) }

// Migration returns the step that leads to a schema.
func Migration(version int) string {
	script, err := migrations.ReadFile(steps()[version-1])
	if err != nil {
		panic(err)
	}
	return string(script)
}
