package graph

import (
	"slices"

	"github.com/google/uuid"

	"licensor/directory"
	"licensor/identity"
	"licensor/tenant"
)

// doKeepingAdministrator carries out a command after which a user, or those in a group, are no Global Administrators who can sign in, unless no other would be left:
// nobody could give the role to anybody again.
func (r *request) doKeepingAdministrator(user uuid.UUID, c tenant.Command) error {
	for {
		holds, err := r.administratorBeside(user)
		if err != nil {
			return err
		}
		if again, err := r.doWhile(holds, c); !again {
			return err
		}
	}
}

// administratorBeside refuses when no Global Administrator who can sign in is left beside a user, or those in a group. Otherwise it answers what must still hold when the
// change is made: that the one it has found is another, and as it was.
func (r *request) administratorBeside(user uuid.UUID) (func(*tenant.Image) bool, error) {
	always := func(*tenant.Image) bool { return true }
	ordinal, isUser := r.liveUser(user)
	_, isGroup := r.liveGroup(user)
	switch {
	case isUser && slices.Contains(r.image.RolesOf(ordinal), identity.GlobalAdministrator.ID):
		if can, err := r.canSignIn(ordinal); err != nil || !can {
			return always, err
		}
	case !isGroup || !slices.Contains(r.image.Roles[user], identity.GlobalAdministrator.ID):
		return always, nil
	}
	for _, other := range r.holders(identity.GlobalAdministrator, user) {
		if isUser && other == ordinal {
			continue
		}
		can, err := r.canSignIn(other)
		if err != nil {
			return nil, err
		}
		if can {
			revision := r.image.Directory.UserRevision(other)
			return func(img *tenant.Image) bool {
				return img.Directory.UserRevision(other) == revision && slices.Contains(img.RolesOf(other), identity.GlobalAdministrator.ID)
			}, nil
		}
	}
	return nil, refuse("The user '%s' is the last Global Administrator who can sign in. Give the role to another user who can before taking it from this one.", user)
}

// canSignIn says whether a user can: enabled, not deleted, and with a password or by way of another issuer that knows users.
func (r *request) canSignIn(user uint32) (bool, error) {
	if r.image.Directory.UserHidden(user) {
		return false, nil
	}
	u, err := r.tenant.User(r.ctx, r.image, user)
	if err != nil || !u.AccountEnabled {
		return false, err
	}
	if slices.ContainsFunc(r.image.SignIn.TrustedIssuers, func(i directory.TrustedIssuer) bool { return i.UserClaim != "" }) {
		return true, nil
	}
	hash, err := r.tenant.Password(r.ctx, user)
	return hash != "", err
}
