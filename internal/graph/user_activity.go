package graph

import (
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/signins"
)

// propertyActivity is the property of users that the log of sign-ins has, not the directory
// (docs/spec/audit.md U35).
const propertyActivity = "signInActivity"

// seeActivities reads when users were last seen to sign in, if the request selects that. Users in
// other lists show null, as in Graph.
func seeActivities(r *wire.Request, users []uint32) (err error) {
	asks := slices.ContainsFunc(r.Options.Select, func(name string) bool {
		return strings.EqualFold(name, propertyActivity)
	})
	if !asks {
		return nil
	}
	if err := maySeeActivities(r); err != nil {
		return err
	}
	r.Activities, err = r.SignIns.Activities(r.Context(), r.Caller.Tenant, users)
	return err
}

// maySeeActivities checks the permission that is needed in addition to that of users.
func maySeeActivities(r *wire.Request) error {
	if !r.Caller.Permissions.Has("AuditLog.Read.All") {
		return &identity.ForbiddenError{Operation: identity.ReadSignIns}
	}
	return nil
}

// activeUsers returns the users whose last interactive sign-in is not before a time, and before
// another.
func activeUsers(r *wire.Request, from, until time.Time) (*roaring.Bitmap, error) {
	if err := maySeeActivities(r); err != nil {
		return nil, err
	}
	return r.SignIns.Active(r.Context(), r.Caller.Tenant, from, until)
}

// appendActivity writes when the user was last seen; null if never.
func appendActivity(b []byte, u *user) []byte { return signins.AppendActivity(b, u.activity) }
