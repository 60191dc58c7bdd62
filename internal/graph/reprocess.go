package graph

import (
	"net/http"

	"licensor/internal/graph/wire"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// reprocessLicenseAssignment answers POST /users/{user}/reprocessLicenseAssignment
// (docs/spec/licensing.md L70 to L74).
func reprocessLicenseAssignment(r *wire.Request) error {
	ordinal, err := r.User()
	if err != nil {
		return err
	}
	if err := r.NoBody(); err != nil {
		return err
	}
	fields, err := userFieldsOfAction(r)
	if err != nil {
		return err
	}
	done, err := r.Do(tenant.Reprocess{Users: []uint32{ordinal}})
	if err != nil {
		return err
	}
	if err := remaining(done.Image.Licensing, ordinal); err != nil {
		return err
	}
	return userList.SendOne(r, http.StatusOK, "users", done.Image, ordinal, fields)
}

// remaining returns the remaining error of a user's licenses, if the tenant's settings make it the
// response of reprocessing (L71). All licenses that could be given have been given.
func remaining(img *licensing.Image, user uint32) error {
	if img.Settings().ReprocessFailure != licensing.FailureError {
		return nil
	}
	for _, reason := range img.Explain(user, false) {
		if reason.Error != licensing.NoViolation && reason.Error != licensing.OtherViolation {
			return reason.Refusal()
		}
	}
	return nil
}
