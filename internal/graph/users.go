package graph

import (
	"net/http"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/query"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/tenant"
)

// getUser answers GET /users/{user}.
func getUser(r *wire.Request) error {
	return userList.Get(r, "users", func(r *wire.Request) (uint32, error) {
		user, err := r.User()
		if err != nil {
			return 0, err
		}
		return user, seeActivities(r, []uint32{user})
	})
}

// listUsers answers GET /users.
func listUsers(r *wire.Request) error {
	filterByActivity(r)
	return userList.Send(r)
}

// countUsers answers GET /users/$count.
func countUsers(r *wire.Request) error {
	filterByActivity(r)
	return userList.SendCount(r)
}

func filterByActivity(r *wire.Request) {
	r.Active = func(from, until time.Time) (*roaring.Bitmap, error) { return activeUsers(r, from, until) }
}

// createUser answers POST /users (P50).
func createUser(r *wire.Request) error {
	patch, leaders, err := userBody(r)
	if err != nil {
		return err
	}
	hash, err := patchHash(r, patch, directory.NameIn(patch))
	if err != nil {
		return err
	}
	done, err := r.Do(tenant.CreateUser{
		Patch: patch, PasswordHash: hash, Manager: leaders.manager, Sponsors: leaders.sponsors,
	})
	if err != nil {
		return r.BadReferences(err, leaders.references())
	}
	r.W.Header().Set("Location", r.Root+"/users/"+done.ID.String())
	fields, err := userFields.Selected(r)
	if err != nil {
		return err
	}
	return userList.SendOne(r, http.StatusCreated, "users", done.Image, done.Ordinal, fields)
}

// userBody returns what the body of a request sets: properties of a user, and links to others.
func userBody(r *wire.Request) (patch directory.UserPatch, l leaders, err error) {
	members, err := r.Members()
	if err != nil {
		return patch, l, err
	}
	if members, l, err = takeLeaders(r, members); err != nil {
		return patch, l, err
	}
	if members, err = r.WithoutBeta("user", "User", members); err != nil {
		return patch, l, err
	}
	patch, err = directory.ParseUserPatch(members)
	return patch, l, err
}

// leaders are the manager and the sponsors of a user in a body.
type leaders struct {
	manager  uuid.UUID // nil: none
	sponsors []uuid.UUID
}

// takeLeaders removes them from a body.
func takeLeaders(r *wire.Request, body []directory.Member) (rest []directory.Member, l leaders, err error) {
	rest, managers, err := r.TakeBinding(body, "manager")
	if err != nil {
		return nil, l, err
	}
	if len(managers) > 0 {
		l.manager = managers[0]
	}
	rest, l.sponsors, err = r.TakeBinding(rest, "sponsors")
	return rest, l, err
}

func (l leaders) references() []wire.Reference {
	list := wire.ReferencesTo("sponsors", l.sponsors)
	if l.manager != uuid.Nil {
		list = append(list, wire.Reference{Property: "manager", ID: l.manager})
	}
	return list
}

// updateUser answers PATCH /users/{user}.
func updateUser(r *wire.Request) error {
	ordinal, err := r.User()
	if err != nil {
		return err
	}
	patch, leaders, err := userBody(r)
	if err != nil {
		return err
	}
	if err := mayPatch(r, ordinal, patch); err != nil {
		return err
	}
	references := leaders.references()
	if len(references) > 0 {
		if _, err := r.Check(identity.CreateUsers, identity.RelationOther); err != nil { // as for manager/$ref
			return err
		}
	}
	command := tenant.UpdateUser{User: ordinal, Patch: patch, Manager: leaders.manager, Sponsors: leaders.sponsors}
	if patch.Has("passwordProfile") || patch.Has("accountEnabled") {
		return updateAccount(r, command, references)
	}
	return r.Change(command, references...)
}

// deleteUser answers DELETE /users/{user} (P52).
func deleteUser(r *wire.Request) error {
	ordinal, err := r.User()
	if err != nil {
		return err
	}
	if err := mayTakeOver(r, ordinal); err != nil {
		return err
	}
	if err := doKeepingAdministrator(r, lostUser(ordinal), tenant.DeleteUser{User: ordinal}); err != nil {
		return err
	}
	return r.SendNothing()
}

var userList = wire.Listing[directory.User, user]{
	Kind: query.Users, Set: "users", Fields: userFields, Expansions: userExpansions,
	Bound: func(r *wire.Request, users []uint32) error {
		if err := boundManagers(r, users); err != nil {
			return err
		}
		return seeActivities(r, users)
	},
	Documents: wire.Tenant.Users, Document: wire.Tenant.UserNow, Object: userAt,
}

func userAt(r *wire.Request, document *directory.User, ordinal uint32, image *tenant.Image) user {
	u := user{document, ordinal, image, r.Now, image.Directory.UserColumns().Row(ordinal), nil}
	if a, ok := r.Activities[ordinal]; ok {
		u.activity = &a
	}
	return u
}
