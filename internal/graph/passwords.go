package graph

import (
	"net/http"
	"slices"
	"unicode/utf8"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/identity"
	"licensor/internal/tenant"
)

// passwordHash returns the hash of a password for a user with a name, which is refused when it is
// too easily guessed.
func passwordHash(r *request, name, password string) (string, error) {
	if utf8.RuneCountInString(password) < identity.LeastPassword || len(password) > identity.MaxPassword || identity.HasName(password, name) {
		p := problem.Refuse("The specified password does not comply with password complexity requirements. Please provide a different password.")
		p.Detail = &problem.Detail{Code: "InvalidPassword", Target: "password", Message: "Expected are 8 to 256 characters, among which the user's name is not."}
		return "", p
	}
	return identity.HashPassword(r.Context(), r.random, r.passwordCost, password)
}

// patchHash is passwordHash of the password that a patch of a user sets; "" when it sets none.
func patchHash(r *request, patch directory.UserPatch, name string) (string, error) {
	password, ok := directory.PasswordIn(patch)
	if !ok {
		return "", nil
	}
	return passwordHash(r, name, password)
}

// updateAccount changes a user in a way that may set a password, or end that the user can sign in.
func updateAccount(r *request, command tenant.UpdateUser, references []reference) error {
	u, err := r.tenant.User(r.Context(), r.image, command.User)
	if err != nil {
		return err
	}
	if command.PasswordHash, err = patchHash(r, command.Patch, u.UserPrincipalName); err != nil {
		return err
	}
	if next, invalid := command.Patch.Apply(*u); invalid != nil || !u.AccountEnabled || next.AccountEnabled {
		return r.change(command, references...)
	}
	if err := doKeepingAdministrator(r, lostUser(command.User), command); err != nil {
		return r.badReferences(err, references)
	}
	return r.sendNothing()
}

// changePassword answers POST /me/changePassword. All of the user's sessions end, this one's too.
func changePassword(r *request) error {
	var current, next string
	if err := r.parameters(map[string]any{"currentPassword": &current, "newPassword": &next}, "currentPassword", "newPassword"); err != nil {
		return err
	}
	ordinal, err := r.user()
	if err != nil {
		return err
	}
	u, err := r.tenant.User(r.Context(), r.image, ordinal)
	if err != nil {
		return err
	}
	was, err := r.tenant.Password(r.Context(), ordinal)
	if err != nil {
		return err
	}
	guess, err := r.limits.Guess(r.caller.Tenant, u.ID, r.now)
	if err != nil {
		return err
	}
	right, err := identity.CheckPassword(r.Context(), was, current)
	if err != nil {
		return err
	}
	if !right {
		return problem.Refuse("The specified current password is not correct: paramName: currentPassword.")
	}
	guess.GiveBack(r.now)
	if current == next {
		return problem.Refuse("The new password is the current one. Please provide a different password.")
	}
	hash, err := passwordHash(r, u.UserPrincipalName, next)
	if err != nil {
		return err
	}
	return r.change(tenant.SetPassword{User: ordinal, Hash: hash})
}

// revokeSessions answers POST /users/{user}/revokeSignInSessions, and invalidateAllRefreshTokens,
// which is its name in beta: whatever the user is signed in to, must be signed in to again.
func revokeSessions(r *request) error {
	if err := r.noBody(); err != nil {
		return err
	}
	ordinal, err := r.user()
	if err != nil {
		return err
	}
	if r.relation() != identity.RelationSelf {
		if err := mayTakeOver(r, ordinal); err != nil {
			return err
		}
	}
	if _, err := r.do(tenant.RevokeSessions{User: ordinal}); err != nil {
		return err
	}
	return r.send(http.StatusOK, append(r.appendHead(r.begin(), "Edm.Boolean"), valueTrue(r)...))
}

// valueTrue ends an answer that is true.
func valueTrue(r *request) string {
	if r.metadata == "none" {
		return `"value":true}`
	}
	return `,"value":true}`
}

// mayTakeOver refuses what would let the caller act as a user that may do more than it, or keep
// that user out. It must still be so when the change is made.
func mayTakeOver(r *request, user uint32) error {
	holds := r.holds
	may := func(img *tenant.Image) bool { return r.caller.MayTakeOver(img.RolesOf(user), img.Guarded(user)) }
	if !may(r.image) {
		return &identity.Forbidden{Operation: r.op.need}
	}
	r.holds = func(img *tenant.Image) bool { return may(img) && (holds == nil || holds(img)) }
	return nil
}

// sensitive are the properties of a user by which others could sign in, or the user not any more.
var sensitive = []string{"accountEnabled", "businessPhones", "mobilePhone", "onPremisesImmutableId", "otherMails", "passwordProfile", "userPrincipalName"}

// mayPatch refuses a change of a user that the permission to write users is not enough for: a
// password has a permission of its own, some permissions are for some properties only, and what is
// sensitive of those who have roles is not for everybody who writes users.
func mayPatch(r *request, user uint32, patch directory.UserPatch) error {
	relation := r.relation()
	if err := mayChange(r, patch.Names(), relation); err != nil {
		return err
	}
	if patch.Has("passwordProfile") {
		if _, err := identity.ResetPassword.Check(r.caller, identity.RelationOther); err != nil {
			return err
		}
	}
	takesOver := func(name string) bool {
		return patch.Has(name) && (relation != identity.RelationSelf || !slices.Contains(identity.Needs[identity.WriteUsers].SelfService, name))
	}
	if slices.ContainsFunc(sensitive, takesOver) {
		return mayTakeOver(r, user)
	}
	return nil
}

// mayChange refuses properties that the caller may not change where it may change some.
func mayChange(r *request, names []string, object identity.Relation) error {
	if r.access != identity.AccessPart {
		return nil
	}
	for _, name := range names {
		if !r.op.need.Changes(r.caller, object, name) {
			return &identity.Forbidden{Operation: r.op.need}
		}
	}
	return nil
}
