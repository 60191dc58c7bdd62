package graph

import (
	"net/http"
	"slices"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/tenant"
)

// passwordHash returns the hash of a password for a user with a name, which is refused if it can be
// guessed easily.
func passwordHash(r *wire.Request, name, password string) (string, error) {
	if identity.UnfitPassword(password, name) != "" {
		p := problem.Refuse("The specified password does not comply with password complexity requirements. Please " +
			"provide a different password.")
		p.Detail = &problem.Detail{
			Code:    "InvalidPassword",
			Target:  "password",
			Message: "The password must have 8 to 256 characters and must not contain the user's name.",
		}
		return "", p
	}
	r.Work.Rest() // passwords have their own queue
	return r.HashPassword(password)
}

// patchHash is passwordHash of the password that a patch of a user sets; "" when it sets none.
func patchHash(r *wire.Request, patch directory.UserPatch, name string) (string, error) {
	password, ok := directory.PasswordIn(patch)
	if !ok {
		return "", nil
	}
	return passwordHash(r, name, password)
}

// updateAccount changes a user in a way that may set a password, or prevent the user from signing
// in.
func updateAccount(r *wire.Request, command tenant.UpdateUser, references []wire.Reference) error {
	u, err := r.Tenant.User(r.Context(), r.Image, command.User)
	if err != nil {
		return err
	}
	if command.PasswordHash, err = patchHash(r, command.Patch, u.UserPrincipalName); err != nil {
		return err
	}
	if next, invalid := command.Patch.Apply(u); invalid != nil || !u.AccountEnabled || next.AccountEnabled {
		return r.Change(command, references...)
	}
	if err := doKeepingAdministrator(r, lostUser(command.User), command); err != nil {
		return r.BadReferences(err, references)
	}
	return r.SendNothing()
}

// changePassword answers POST /me/changePassword. It ends all of the user's sessions, including
// this one.
func changePassword(r *wire.Request) error {
	var current, next string
	if err := r.Parameters(map[string]any{"currentPassword": &current, "newPassword": &next}, "currentPassword", "newPassword"); err != nil {
		return err
	}
	ordinal, err := r.User()
	if err != nil {
		return err
	}
	u, err := r.Tenant.User(r.Context(), r.Image, ordinal)
	if err != nil {
		return err
	}
	was, err := r.Tenant.Password(r.Context(), ordinal)
	if err != nil {
		return err
	}
	guess, err := r.Limits.Guess(r.Caller.Tenant, u.ID, r.Now)
	if err != nil {
		return err
	}
	r.Work.Rest() // passwords have their own queue
	right, err := identity.CheckPassword(r.Context(), was, current)
	if err != nil {
		return err
	}
	if !right {
		return problem.Refuse("The specified current password is not correct: paramName: currentPassword.")
	}
	guess.GiveBack(r.Now)
	if current == next {
		return problem.Refuse("The new password is the current one. Please provide a different password.")
	}
	hash, err := passwordHash(r, u.UserPrincipalName, next)
	if err != nil {
		return err
	}
	return r.Change(tenant.SetPassword{User: ordinal, Hash: hash})
}

// revokeSessions answers POST /users/{user}/revokeSignInSessions, and invalidateAllRefreshTokens,
// which is its name in beta: the user has to sign in again everywhere.
func revokeSessions(r *wire.Request) error {
	ordinal, err := r.User()
	if err != nil {
		return err
	}
	if err := r.NoBody(); err != nil {
		return err
	}
	if r.Relation() != identity.RelationSelf {
		if err := mayTakeOver(r, ordinal); err != nil {
			return err
		}
	}
	if _, err := r.Do(tenant.RevokeSessions{User: ordinal}); err != nil {
		return err
	}
	return r.Send(http.StatusOK, append(r.AppendHead(r.Begin(), "Edm.Boolean"), valueTrue(r)...))
}

// valueTrue ends a response whose value is true.
func valueTrue(r *wire.Request) string {
	if r.Metadata == "none" {
		return `"value":true}`
	}
	return `,"value":true}`
}

// mayTakeOver refuses changes that would let the caller act as a user with more permissions, or
// lock that user out. The condition is checked again when the change is made.
func mayTakeOver(r *wire.Request, user uint32) error {
	holds := r.Holds
	may := func(img *tenant.Image) bool { return r.Caller.MayTakeOver(img.RolesOf(user), img.Guarded(user)) }
	if !may(r.Image) {
		return &identity.ForbiddenError{Operation: r.Op.Need}
	}
	r.Holds = func(img *tenant.Image) bool { return may(img) && (holds == nil || holds(img)) }
	return nil
}

// sensitive are the properties of a user with which others could sign in, or the user no longer
// could.
var sensitive = []string{"accountEnabled", "businessPhones", "mobilePhone", "onPremisesImmutableId", "otherMails", "passwordProfile", "userPrincipalName"}

// mayPatch refuses a change of a user for which the permission to write users is not sufficient: a
// password needs a separate permission, some permissions are for some properties only, and
// sensitive properties of users with roles need more.
func mayPatch(r *wire.Request, user uint32, patch directory.UserPatch) error {
	relation := r.Relation()
	if err := mayChange(r, patch.Names(), relation); err != nil {
		return err
	}
	if patch.Has("passwordProfile") {
		if _, err := r.Check(identity.ResetPassword, identity.RelationOther); err != nil {
			return err
		}
	}
	takesOver := func(name string) bool {
		own := relation == identity.RelationSelf &&
			slices.Contains(identity.Needs[identity.WriteUsers].SelfService, name)
		return patch.Has(name) && !own
	}
	if slices.ContainsFunc(sensitive, takesOver) {
		return mayTakeOver(r, user)
	}
	return nil
}

// mayChange refuses properties that the caller may not change if it may change only some.
func mayChange(r *wire.Request, names []string, object identity.Relation) error {
	if r.Access != identity.AccessPart {
		return nil
	}
	for _, name := range names {
		if !r.Op.Need.Changes(r.Caller, object, name) {
			return &identity.ForbiddenError{Operation: r.Op.Need}
		}
	}
	return nil
}
