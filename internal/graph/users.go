package graph

import (
	"net/http"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/query"
	"licensor/internal/identity"
	columns "licensor/internal/query"
	"licensor/internal/tenant"
)

// listUsers answers GET /users.
func listUsers(r *request) error { return userList.send(r, columns.Live) }

// countUsers answers GET /users/$count.
func countUsers(r *request) error { return userList.sendCount(r, columns.Live) }

// getUser answers GET /users/{user}.
func getUser(r *request) error {
	if err := r.allow("$select", "$expand", "$count"); err != nil {
		return err
	}
	fields, err := userFields.visible(r, r.access)
	if err != nil {
		return err
	}
	if fields, err = expanded(r, userFields, userExpansions, fields); err != nil {
		return err
	}
	ordinal, err := r.user()
	if err != nil {
		return err
	}
	return sendUser(r, http.StatusOK, r.image, ordinal, fields)
}

// sendUser answers with one user as of an image, or of a later one when the user has been written
// since.
func sendUser(r *request, status int, image *tenant.Image, ordinal uint32, fields []*field[user]) error {
	u := userAt(r, nil, ordinal, image)
	if documented(fields) || r.Header.Get("If-None-Match") != "" {
		var err error
		if u.User, u.image, err = r.tenant.UserNow(r.Context(), image, ordinal); err != nil {
			return err
		}
	}
	return sendEntity(r, userFields, status, "users", fields, &u)
}

// createUser answers POST /users (P50).
func createUser(r *request) error {
	members, err := r.members()
	if err != nil {
		return err
	}
	members, leaders, err := takeLeaders(r, members)
	if err != nil {
		return err
	}
	if members, err = r.withoutBeta("user", "User", members); err != nil {
		return err
	}
	patch, err := directory.ParseUserPatch(members)
	if err != nil {
		return err
	}
	hash, err := patchHash(r, patch, directory.NameIn(patch))
	if err != nil {
		return err
	}
	done, err := r.do(tenant.CreateUser{Patch: patch, PasswordHash: hash, Manager: leaders.manager, Sponsors: leaders.sponsors})
	if err != nil {
		return r.badReferences(err, leaders.references())
	}
	r.w.Header().Set("Location", r.root+"/users/"+done.ID.String())
	fields, err := userFields.selected(r)
	if err != nil {
		return err
	}
	return sendUser(r, http.StatusCreated, done.Image, done.Ordinal, fields)
}

// leaders are the manager and the sponsors that a body names for a user.
type leaders struct {
	manager  uuid.UUID // nil: none
	sponsors []uuid.UUID
}

// takeLeaders takes them out of a body.
func takeLeaders(r *request, body []directory.Member) (rest []directory.Member, l leaders, err error) {
	rest, managers, err := r.takeBinding(body, "manager")
	if err != nil {
		return nil, l, err
	}
	if len(managers) > 0 {
		l.manager = managers[0]
	}
	rest, l.sponsors, err = r.takeBinding(rest, "sponsors")
	return rest, l, err
}

func (l leaders) references() []reference {
	list := referencesTo("sponsors", l.sponsors)
	if l.manager != uuid.Nil {
		list = append(list, reference{"manager", l.manager})
	}
	return list
}

// updateUser answers PATCH /users/{user}.
func updateUser(r *request) error {
	ordinal, err := r.user()
	if err != nil {
		return err
	}
	members, err := r.members()
	if err != nil {
		return err
	}
	members, leaders, err := takeLeaders(r, members)
	if err != nil {
		return err
	}
	if members, err = r.withoutBeta("user", "User", members); err != nil {
		return err
	}
	patch, err := directory.ParseUserPatch(members)
	if err != nil {
		return err
	}
	if err := mayPatch(r, ordinal, patch); err != nil {
		return err
	}
	references := leaders.references()
	if len(references) > 0 {
		if _, err := identity.CreateUsers.Check(r.caller, identity.RelationOther); err != nil { // as for manager/$ref
			return err
		}
	}
	command := tenant.UpdateUser{User: ordinal, Patch: patch, Manager: leaders.manager, Sponsors: leaders.sponsors}
	if patch.Has("passwordProfile") || patch.Has("accountEnabled") {
		return updateAccount(r, command, references)
	}
	return r.change(command, references...)
}

// deleteUser answers DELETE /users/{user} (P52).
func deleteUser(r *request) error {
	ordinal, err := r.user()
	if err != nil {
		return err
	}
	if err := mayTakeOver(r, ordinal); err != nil {
		return err
	}
	if err := doKeepingAdministrator(r, lostUser(ordinal), tenant.DeleteUser{User: ordinal}); err != nil {
		return err
	}
	return r.sendNothing()
}

var userList = listing[directory.User, user]{
	Kind: query.Users, set: "users", fields: userFields, expansions: userExpansions,
	bound: boundManagers, documents: handle.Users, document: handle.UserNow, object: userAt,
}

func userAt(r *request, document *directory.User, ordinal uint32, image *tenant.Image) user {
	return user{document, ordinal, image, r.now, image.Directory.UserColumns().Row(ordinal)}
}
