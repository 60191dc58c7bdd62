package tenant

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/store"
)

// passwordRow is the row of a user's password. It is not part of the user's document, so it cannot
// be shown with the user.
type passwordRow struct {
	Hash string `json:"hash"`
}

// SetPassword sets a user's password, by its hash. The user's sessions end.
type SetPassword struct {
	User        uint32
	Hash        string // from identity.HashPassword, which takes long, so it is computed before
	ForceChange bool   // the user must choose another one at the next sign-in
}

func (SetPassword) name() string { return "setPassword" }

func (cmd SetPassword) run(c *change) error {
	was, old, err := c.liveUser(cmd.User)
	if err != nil {
		return err
	}
	next := *was
	force := directory.PasswordProfile{ForceChangePasswordNextSignIn: &cmd.ForceChange}
	if next.PasswordProfile != nil {
		force.ForceChangePasswordNextSignInWithMFA = next.PasswordProfile.ForceChangePasswordNextSignInWithMFA
	}
	next.PasswordProfile = &force
	c.password(cmd.User, &next, cmd.Hash)
	c.rewrite(cmd.User, was, &next, old)
	return nil
}

// RevokeSessions ends a user's sessions: tokens issued before become invalid.
type RevokeSessions struct{ User uint32 }

func (RevokeSessions) name() string { return "revokeSessions" }

func (cmd RevokeSessions) reads() ObjectKey { return ObjectKey{store.KindUser, cmd.User} }

func (cmd RevokeSessions) run(c *change) error {
	was, old, err := c.liveUser(cmd.User)
	if err != nil {
		return err
	}
	next := *was
	next.SignInSessionsValidFromDateTime = c.at.Truncate(time.Second)
	c.rewrite(cmd.User, was, &next, old)
	return nil
}

// liveUser returns a user who is not deleted, with its document.
func (c *change) liveUser(user uint32) (u *directory.User, document []byte, err error) {
	if err := c.live(user); err != nil {
		return nil, nil, err
	}
	return c.user(user)
}

// password writes the row of a user's new password, and records the time in the user.
func (c *change) password(user uint32, u *directory.User, hash string) {
	now := c.at.Truncate(time.Second)
	u.LastPasswordChangeDateTime, u.SignInSessionsValidFromDateTime = now, now
	document, err := json.Marshal(passwordRow{hash})
	if err != nil { // encoding texts cannot fail
		panic(err)
	}
	c.noted.passwords = append(c.noted.passwords, user)
	c.write(store.Object{Kind: store.KindPassword, Ordinal: user, ID: u.ID, Document: document})
}

func (c *change) rewrite(user uint32, was, now *directory.User, old []byte) {
	document := now.Document()
	c.markUser(c.written(store.KindUser, user, now.ID, old, document))
	c.writeUser(user, was, now, document)
}

// forgetPassword removes the row, if there is one.
func (c *change) forgetPassword(user uint32, id uuid.UUID) {
	c.write(store.Object{Kind: store.KindPassword, Ordinal: user, ID: id, Purged: true})
}

// ParsePassword returns the hash in the row of a password.
func ParsePassword(document []byte) (hash string, err error) {
	var password passwordRow
	err = directory.Unmarshal(document, &password)
	return password.Hash, err
}
