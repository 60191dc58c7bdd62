package postgres

import "licensor/internal/store"

// What the statement of an append is measured by itself with.
const AppendAll = appendAll

// AppendArgs are the values of AppendAll.
func AppendArgs(tenant [16]byte, at store.Place, commits []store.Commit, objects []store.Object) ([]any, error) {
	rows, err := columnsOf(objects)
	if err != nil {
		return nil, err
	}
	return append(placeArgs(tenant, at, at.After(commits)), append(commitColumns(commits), rows.args()...)...), nil
}
