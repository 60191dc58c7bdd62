package graph

import (
	"bytes"
	"slices"

	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/tenant"
)

// manager returns the ordinal of the manager of the user whom the path names. A deleted
// manager does not count.
func manager(r *wire.Request) (uint32, error) {
	user, err := r.User()
	if err != nil {
		return 0, err
	}
	manager, ok := r.Image.Directory.Manager(user)
	if !ok || r.Image.Directory.UserDeleted(manager) {
		return 0, problem.NotFound("manager")
	}
	return manager, nil
}

// getManager answers GET /users/{user}/manager.
func getManager(r *wire.Request) error {
	if err := r.Allow("$select"); err != nil {
		return err
	}
	manager, err := manager(r)
	if err != nil {
		return err
	}
	return sendObject(r, r.Image, userKind, manager)
}

// getManagerReference answers GET /users/{user}/manager/$ref.
func getManagerReference(r *wire.Request) error {
	if err := r.Allow("$select"); err != nil {
		return err
	}
	manager, err := manager(r)
	if err != nil {
		return err
	}
	return sendReference(r, r.Image.Directory.UserID(manager))
}

// setManager answers PUT /users/{user}/manager/$ref.
func setManager(r *wire.Request) error {
	user, err := r.User()
	if err != nil {
		return err
	}
	id, err := r.Reference()
	if err != nil {
		return err
	}
	return r.Change(tenant.SetManager{User: user, Manager: id}, wire.Reference{Property: "manager", ID: id})
}

// removeManager answers DELETE /users/{user}/manager/$ref.
func removeManager(r *wire.Request) error {
	user, err := r.User()
	if err != nil {
		return err
	}
	if _, ok := r.Image.Directory.Manager(user); !ok { // a deleted one can be removed
		return problem.NotFound("manager")
	}
	return r.Change(tenant.RemoveManager{User: user})
}

// reportsOfUser is the relation to the users whose manager the user is.
var reportsOfUser relation = func(r *wire.Request) (sets, error) {
	user, err := r.User()
	if err != nil {
		return sets{}, err
	}
	return usersOf(r.Image.Directory.Reports(user)), nil
}

// The limits of $expand=manager. One page can have as many chains as users, so their sum is
// limited, too.
const (
	maxLevels   = 1000   // as in Graph
	maxManagers = 20_000 // in one response
)

// expandManager shows users with their managers, and these with theirs, up to $levels.
func expandManager(r *wire.Request, e odata.Expansion) (func([]byte, *user) ([]byte, error), error) {
	if e.Levels > maxLevels && e.Levels != odata.AllLevels {
		return nil, problem.Unsupported("The $expand of 'manager' at position %d asks for %d levels; possible are "+
			"1 to %d, or max.", e.Column, e.Levels, maxLevels)
	}
	inner := r.Within(e)
	w, err := newObjectWriter(inner)
	if err != nil {
		return nil, err
	}
	left := maxManagers
	return func(b []byte, u *user) ([]byte, error) {
		return appendManagers(inner, b, w, u, min(e.Levels, maxLevels), &left)
	}, nil
}

// appendManagers writes a user's manager, which contains its own manager and so on. In a cycle it
// ends before the first repetition. left is the number of managers that the response may still
// show.
func appendManagers(r *wire.Request, b []byte, w *objectWriter, u *user, levels int, left *int) ([]byte, error) {
	shown := map[uint32]bool{}
	for open := 0; ; open++ {
		shown[u.ordinal] = true
		manager, ok := u.image.Directory.Manager(u.ordinal)
		if !ok || u.image.Directory.UserDeleted(manager) || shown[manager] {
			return closed(append(b, "null"...), open), nil
		}
		if *left--; *left < 0 {
			return closed(append(b, "null"...), open), tooManyManagers()
		}
		document, image, err := r.Tenant.UserNow(r.Context(), u.image, manager)
		if err != nil {
			return closed(append(b, "null"...), open), err
		}
		u = new(userAt(r, document, manager, image))
		if b = w.write(b, u); open+1 == levels {
			return closed(b, open), nil
		}
		if b, err = r.More(jsontext.AppendName(b[:len(b)-1], "manager")); err != nil {
			return b, err
		}
	}
}

// boundManagers refuses an expansion that would show too many managers, before any of the response
// is sent.
func boundManagers(r *wire.Request, users []uint32) error {
	at := slices.IndexFunc(r.Options.Expand, func(e odata.Expansion) bool { return e.Name == "manager" })
	if at < 0 {
		return nil
	}
	n, x, shown := 0, r.Image.Directory, map[uint32]bool{}
	for _, user := range users {
		clear(shown)
		for range min(r.Options.Expand[at].Levels, maxLevels) {
			shown[user] = true
			manager, ok := x.Manager(user)
			if !ok || x.UserDeleted(manager) || shown[manager] {
				break
			}
			if n++; n > maxManagers {
				return tooManyManagers()
			}
			user = manager
		}
	}
	return nil
}

func tooManyManagers() error {
	return problem.Refuse("The $expand of 'manager' shows more than %d managers. Ask for fewer users with $top, or "+
		"for fewer levels with $levels.", maxManagers)
}

// closed returns the closing braces of nested objects.
func closed(b []byte, objects int) []byte { return append(b, bytes.Repeat([]byte{'}'}, objects)...) }
