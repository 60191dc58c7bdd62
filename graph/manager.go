package graph

import (
	"slices"

	"licensor/graph/odata"
	"licensor/store"
	"licensor/tenant"
)

// manager answers the ordinal of the manager of the user whom the path names. A deleted one is none.
func (r *request) manager() (uint32, error) {
	user, err := r.user()
	if err != nil {
		return 0, err
	}
	manager, ok := r.image.Directory.Manager(user)
	if !ok || r.image.Directory.UserHidden(manager) {
		return 0, notFound("manager")
	}
	return manager, nil
}

// getManager answers GET /users/{user}/manager.
func (api *API) getManager(r *request) error {
	if err := r.allow("$select"); err != nil {
		return err
	}
	manager, err := r.manager()
	if err != nil {
		return err
	}
	return r.sendObject(r.image, store.KindUser, manager)
}

// getManagerReference answers GET /users/{user}/manager/$ref.
func (api *API) getManagerReference(r *request) error {
	if err := r.allow("$select"); err != nil {
		return err
	}
	manager, err := r.manager()
	if err != nil {
		return err
	}
	return r.sendReference(r.image.Directory.UserID(manager))
}

// setManager answers PUT /users/{user}/manager/$ref.
func (api *API) setManager(r *request) error {
	user, err := r.user()
	if err != nil {
		return err
	}
	id, err := r.reference()
	if err != nil {
		return err
	}
	return r.change(tenant.SetManager{User: user, Manager: id}, reference{"manager", id})
}

// removeManager answers DELETE /users/{user}/manager/$ref.
func (api *API) removeManager(r *request) error {
	user, err := r.user()
	if err != nil {
		return err
	}
	if _, ok := r.image.Directory.Manager(user); !ok { // a deleted one can be removed
		return notFound("manager")
	}
	return r.change(tenant.RemoveManager{User: user})
}

// reportsOfUser are the users whose manager the user is.
var reportsOfUser relation = func(r *request) (sets, error) {
	user, err := r.user()
	if err != nil {
		return sets{}, err
	}
	return usersOf(r.image.Directory.Reports(user)), nil
}

// expandManager shows users with their managers, and these with theirs as far as $levels asks.
func expandManager(r *request, e odata.Expansion) (func([]byte, *user) ([]byte, error), error) {
	inner := r.within(e)
	w, err := inner.objectWriter()
	if err != nil {
		return nil, err
	}
	return func(b []byte, u *user) ([]byte, error) { return inner.appendManagers(b, w, u, e.Levels, nil) }, nil
}

// appendManagers writes a user's manager, with that one's manager within it and so on. below are the users under that manager
// who have been written: where management goes round in a circle, it ends with the first who would be there twice.
func (r *request) appendManagers(b []byte, w *objectWriter, u *user, levels int, below []uint32) ([]byte, error) {
	below = append(below, u.ordinal)
	manager, ok := u.image.Directory.Manager(u.ordinal)
	if !ok || u.image.Directory.UserHidden(manager) || slices.Contains(below, manager) {
		return append(b, "null"...), nil
	}
	document, image, err := r.tenant.UserNow(r.ctx, u.image, manager)
	if err != nil {
		return append(b, "null"...), err
	}
	above := r.userAt(document, manager, image)
	b = w.write(b, object{user: &above})
	if levels == 1 {
		return b, nil
	}
	b, err = r.appendManagers(appendName(b[:len(b)-1], "manager"), w, &above, levels-1, below)
	return append(b, '}'), err
}
