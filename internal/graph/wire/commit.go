package wire

import (
	"strconv"

	"licensor/internal/graph/problem"
	"licensor/internal/store"
)

// Commit returns the commit whose number is the first key of the path (docs/spec/changes.md C12).
// Commits that are no longer kept are not found.
func (r *Request) Commit() (store.Commit, error) {
	seq, err := strconv.ParseUint(r.Keys[0], 10, 64)
	if err != nil || seq == 0 || seq > r.Image.Seq {
		return store.Commit{}, problem.NotFound(r.Keys[0])
	}
	commits, err := r.Tenant.CommitsAt(r.Context(), []uint64{seq})
	if err != nil {
		return store.Commit{}, err
	}
	if len(commits) == 0 { // it was trimmed
		return store.Commit{}, problem.NotFound(r.Keys[0])
	}
	return commits[0], nil
}
