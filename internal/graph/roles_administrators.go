package graph

import (
	"reflect"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/tenant"
)

// lost reports whether a change removes a role from a user that it has through a holder: the user
// itself, or a group that the user is in.
type lost func(holder uuid.UUID, user uint32) bool

func lostUser(ordinal uint32) lost {
	return func(_ uuid.UUID, user uint32) bool { return user == ordinal }
}

func lostRole(of uuid.UUID) lost {
	return func(holder uuid.UUID, _ uint32) bool { return holder == of }
}

func lostMembership(group uuid.UUID, member uint32) lost {
	return func(holder uuid.UUID, user uint32) bool { return holder == group && user == member }
}

// doKeepingAdministrator executes a command after which some users are no longer Global
// Administrators who can sign in, unless no other would be left: then the role could never be
// assigned again.
func doKeepingAdministrator(r *wire.Request, is lost, c tenant.Command) error {
	for {
		holds, err := administratorLeft(r, is)
		if err != nil {
			return err
		}
		if again, err := r.DoWhile(holds, c); !again {
			return err
		}
	}
}

// administratorLeft refuses a change after which no Global Administrator can sign in. Otherwise it
// returns the condition that must still hold when the change is made: the administrator that it has
// found is unchanged and keeps the role, or still no user who can sign in loses the role.
func administratorLeft(r *wire.Request, is lost) (func(*tenant.Image) bool, error) {
	seen, going := r.Image, leaving(r.Image, is)
	user, found, err := whoCanSignIn(r, going)
	if err != nil {
		return nil, err
	}
	if !found {
		return func(img *tenant.Image) bool {
			return leaving(img, is).Equals(going) && signInsAre(seen, img, going)
		}, nil
	}
	other, found, err := whoCanSignIn(r, administrators(seen, is))
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, problem.Refuse("The user '%s' is the last Global Administrator who can sign in. Give the role "+
			"to another user who can before taking it from this one.", seen.Directory.UserID(user))
	}
	return func(img *tenant.Image) bool {
		return administrators(img, is).Contains(other) && signInsAre(seen, img, roaring.BitmapOf(other))
	}, nil
}

// leaving returns the users who are no longer Global Administrators after the change.
func leaving(img *tenant.Image, is lost) *roaring.Bitmap {
	return roaring.AndNot(administrators(img, func(uuid.UUID, uint32) bool { return false }), administrators(img, is))
}

// signInsAre reports whether the ways in which some users can sign in are unchanged.
func signInsAre(seen, img *tenant.Image, users *roaring.Bitmap) bool {
	for user := range roaring.Values(users) {
		if img.Directory.UserRevision(user) != seen.Directory.UserRevision(user) {
			return false
		}
	}
	return reflect.DeepEqual(img.SignIn, seen.SignIn)
}

// administrators returns the users who are Global Administrators, directly or through a group,
// after the change, possibly including deleted ones.
func administrators(img *tenant.Image, is lost) *roaring.Bitmap {
	all := roaring.New()
	for holder, roles := range img.Roles {
		if !slices.Contains(roles, identity.GlobalAdministrator.ID) {
			continue
		}
		if user, ok := img.Directory.UserByID(holder); ok && !is(holder, user) {
			all.Add(user)
		}
		if group, ok := img.Directory.LiveGroupByID(holder); ok {
			for _, user := range membersOf(img, group) {
				if !is(holder, user) {
					all.Add(user)
				}
			}
		}
	}
	return all
}

func membersOf(img *tenant.Image, group uint32) []uint32 {
	if members := img.Licensing.GroupMembers(group); members != nil {
		return members.ToArray()
	}
	return nil
}

// whoCanSignIn returns the first of some users who can sign in.
func whoCanSignIn(r *wire.Request, users *roaring.Bitmap) (uint32, bool, error) {
	for user := range roaring.Values(users) {
		if can, err := canSignIn(r, user); err != nil || can {
			return user, can, err
		}
	}
	return 0, false, nil
}

// canSignIn reports whether a user is enabled, not deleted, and has a password or can sign in
// through another issuer.
func canSignIn(r *wire.Request, user uint32) (bool, error) {
	if r.Image.Directory.UserDeleted(user) {
		return false, nil
	}
	u, err := r.Tenant.User(r.Context(), r.Image, user)
	if err != nil || !u.AccountEnabled {
		return false, err
	}
	forUsers := func(i directory.TrustedIssuer) bool { return i.UserClaim != "" }
	if slices.ContainsFunc(r.Image.SignIn.TrustedIssuers, forUsers) {
		return true, nil
	}
	hash, err := r.Tenant.Password(r.Context(), user)
	return hash != "", err
}
