package own

import (
	"errors"
	"net/http"
	"time"

	"licensor/internal/engine"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/tenant"
)

// asOf makes the image and the time of a request those of its query option at, if it has one
// (docs/spec/changes.md C18). It returns the values of the option, for links.
func asOf(r *wire.Request) ([]string, error) {
	given := r.Values("at")
	if given == nil {
		return nil, nil
	}
	at, err := TimeOf(r, "at", given)
	if err != nil {
		return nil, err
	}
	if r.Image, err = ImageAt(r, at); err != nil {
		return nil, err
	}
	r.Now = at
	return given, nil
}

// userAsOf is asOf for a path that names a user: the one whom it names now, or if there is none,
// the one whom it named then.
func userAsOf(r *wire.Request) (uint32, error) {
	now := r.Image
	user, err := r.User()
	at, wrong := asOf(r)
	switch {
	case wrong != nil:
		return 0, wrong
	case at == nil:
		return user, err
	case err == nil:
		return r.Image.LiveUser(now.Directory.UserID(user).String())
	}
	return r.User()
}

// TimeOf reads a time of the past in a query option.
func TimeOf(r *wire.Request, option string, given []string) (time.Time, error) {
	if len(given) != 1 {
		return time.Time{}, problem.Broken("The query option '%s' must have one value.", option)
	}
	at, err := time.Parse(time.RFC3339, given[0])
	switch {
	case err != nil:
		return at, problem.Broken("The value '%s' of '%s' is not a time such as 2026-01-31T12:00:00Z. "+
			"In a URL, a plus sign must be written as %%2B.", problem.Clip(given[0]), option)
	case at.After(r.Now):
		return at, problem.Refuse("The time '%s' of '%s' is in the future: it is now %s.",
			problem.Clip(given[0]), option, r.Now.UTC().Format(time.RFC3339))
	}
	return at.UTC(), nil
}

// Span reads two times of the past in the query options from and to. To is now if it is not given,
// and from is zero.
func Span(r *wire.Request) (from, to time.Time, err error) {
	if given := r.Values("from"); given != nil {
		if from, err = TimeOf(r, "from", given); err != nil {
			return from, to, err
		}
	}
	to = r.Now.UTC()
	if given := r.Values("to"); given != nil {
		if to, err = TimeOf(r, "to", given); err != nil {
			return from, to, err
		}
	}
	if from.After(to) {
		return from, to, problem.Refuse("'from' is %s, which is after 'to', %s.",
			from.Format(time.RFC3339), to.Format(time.RFC3339))
	}
	return from, to, nil
}

// ImageAt returns the image of the tenant at a time, until the request ends. A time in
// whole seconds is the end of that second, because times of commits are shown in seconds.
func ImageAt(r *wire.Request, at time.Time) (*tenant.Image, error) {
	r.Work.Doing("reading what the tenant was")
	if end := at.Add(time.Second - time.Millisecond); at.Nanosecond() == 0 && end.Before(r.Now) {
		at = end
	}
	img, release, err := r.Tenant.ImageAt(r.Context(), at)
	if err != nil {
		return nil, notKept(at, err)
	}
	tenantToo := r.Release
	r.Release = func() {
		release()
		tenantToo()
	}
	return img, nil
}

// notKept converts the error for a time of which nothing is known.
func notKept(at time.Time, err error) error {
	kept, ok := errors.AsType[*engine.NotKeptError](err)
	if !ok {
		return err
	}
	p := &problem.ResponseError{Status: http.StatusGone, Code: "StateNotKept"}
	p.Message = "What the tenant was at " + at.Format(time.RFC3339) + " is not known: "
	if kept.Since.IsZero() {
		p.Message += "no earlier state is kept."
	} else {
		p.Message += "its states are kept since " + kept.Since.Format(time.RFC3339Nano) + "."
	}
	return p
}
