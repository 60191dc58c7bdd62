package postgres

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"licensor/internal/store"
)

// AppendStatement is the statement of Append with rows. Benchmarks execute it in a loop, to compare
// with what the store adds to it.
const AppendStatement = appendAll

// AppendArgs returns the arguments of AppendStatement.
func AppendArgs(tenant uuid.UUID, at store.Place, commits []store.Commit, objects []store.Object) ([]any, error) {
	rows, err := columnsOf(objects)
	if err != nil {
		return nil, err
	}
	return append(placeArgs(tenant, at, at.After(commits)), append(commitColumns(commits), rows.args()...)...), nil
}

// CopyRows returns the rows of objects as COPY takes them, and the columns of the table.
func CopyRows(tenant uuid.UUID, objects []store.Object) (pgx.CopyFromSource, []string, error) {
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
