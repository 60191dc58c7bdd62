package oauth

import (
	"errors"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"

	"licensor/internal/memory"
)

const (
	maxForm  = 64 << 10
	formType = "application/x-www-form-urlencoded"
)

// errSlow is for a form that came slowly while other requests needed its memory.
var errSlow = &refusalError{
	http.StatusServiceUnavailable, 90033, "temporarily_unavailable", "The form came too slowly while the server was busy. Send it again.",
}

// readForm reads only the body: a secret in a URL would be logged. A duplicate parameter is refused
// (RFC 6749 section 3.2), because a proxy could interpret it differently.
func readForm(r *http.Request) (url.Values, error) {
	if r.Method != http.MethodPost {
		return nil, onlyPOST(r.Method)
	}
	if !isForm(r) {
		return nil, malformedRequest(http.StatusUnsupportedMediaType, "The body must be of type "+formType+".")
	}
	var err error
	if r.ContentLength <= maxForm {
		err = r.ParseForm()
	}
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge || r.ContentLength > maxForm {
		return nil, malformedRequest(http.StatusRequestEntityTooLarge, "The body is larger than 64 KB.")
	}
	if _, full := errors.AsType[*memory.FullError](err); full {
		return nil, errSlow
	}
	if err != nil {
		return nil, malformedRequest(http.StatusBadRequest, "The body is not well formed.")
	}
	return r.PostForm, once(r.PostForm)
}

func isForm(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == formType
}

// once refuses duplicate values.
func once(values url.Values) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if len(values[name]) > 1 {
			return malformedRequest(http.StatusBadRequest, "The parameter '"+short(name)+"' is there more than once.")
		}
	}
	return nil
}
