package wire

import (
	"context"
	"crypto/sha256"
	"net/http"
	"strings"

	"licensor/internal/graph/problem"
	"licensor/internal/identity"
)

// Within is the change set of which a request is a part: the requests are processed one after
// another, in a tenant in which nothing is durable yet.
type Within struct {
	Tenant Tenant
	Caller *identity.Caller
	// Checks means that the caller needs the permissions of the requests. Otherwise they are only
	// tried.
	Checks bool
	// Hashes are those of passwords that runs of the change set have made, by number of the request
	// and password. Nil means that passwords are not hashed, because nothing is kept.
	Hashes map[[sha256.Size]byte]string
	Number int // of the request
	// Foreign is set if the operation of a request cannot be in a change set.
	Foreign error
}

type withinKey struct{}

// WithChangeSet returns a context for the requests of a change set.
func WithChangeSet(ctx context.Context, w *Within) context.Context {
	return context.WithValue(ctx, withinKey{}, w)
}

// ChangeSetOf returns the change set of the context, or nil.
func ChangeSetOf(ctx context.Context) *Within {
	w, _ := ctx.Value(withinKey{}).(*Within)
	return w
}

// Refuses reports whether the operation cannot be in a change set, and notes that.
func (w *Within) Refuses(r *Request) bool {
	if r.Op.Changes && r.Property == nil {
		return false
	}
	w.Foreign = NoChange(r)
	return true
}

// NoChange refuses a request that cannot be in a change set.
func NoChange(r *Request) error {
	return problem.Refuse("%s %s cannot be in a change set.", r.Method, problem.Clip(r.URL.Path))
}

// HashPassword returns the hash of a password that the request sets.
func (r *Request) HashPassword(password string) (string, error) {
	w := ChangeSetOf(r.ctx)
	if w == nil {
		return identity.HashPassword(r.ctx, r.Random, r.PasswordCost, password)
	}
	if w.Hashes == nil {
		return "-", nil
	}
	key := sha256.Sum256(append([]byte{byte(w.Number), byte(w.Number >> 8)}, password...))
	if hash, ok := w.Hashes[key]; ok {
		return hash, nil
	}
	hash, err := identity.HashPassword(r.ctx, r.Random, r.PasswordCost, password)
	if err == nil {
		w.Hashes[key] = hash
	}
	return hash, err
}

// Previews reports whether the request is only tried, because the caller prefers that. Other
// preferences of ours are an error: a change must not be made because of a misspelling.
func (r *Request) Previews() (bool, error) {
	preview := false
	for _, line := range r.Header.Values("Prefer") {
		for p := range strings.SplitSeq(line, ",") {
			p = strings.TrimSpace(p)
			switch {
			case strings.EqualFold(p, PreferPreview):
				preview = true
			case strings.HasPrefix(strings.ToLower(strings.Trim(p, `"`)), "licensor."):
				return false, problem.Refuse("The preference '%s' is not known: it must be %s, without a value.",
					problem.Clip(p), PreferPreview)
			}
		}
	}
	return preview && r.Method != http.MethodGet, nil
}

// PreferPreview is the preference of callers that want to know what a change would do.
const PreferPreview = "licensor.preview"
