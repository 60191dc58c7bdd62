package oauth

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/identity"
)

// The refusals whose codes are compared; the others are defined where they are used.
const (
	codeBadPassword  = 50126
	codeDisabledUser = 50057
	codeNoConsent    = 65001
	codeOnlyPOST     = 900561
)

// Of requests.

func missingParameter(name string) error {
	return refuse(900144, "invalid_request", "The request body must contain the following parameter: '%s'.", name)
}

func missingQuery(name string) error {
	return refuse(900144, "invalid_request", "The request must contain the following parameter in its address: '%s'.", name)
}

func malformedRequest(status int, text string) error {
	return &refusalError{status, 9002313, "invalid_request", "Invalid request. " + text}
}

func onlyPOST(method string) error {
	return &refusalError{
		http.StatusMethodNotAllowed, codeOnlyPOST, "invalid_request",
		"The endpoint only accepts POST requests. Received a " + short(method) + " request.",
	}
}

func onlyGET(method string) error {
	return malformedRequest(http.StatusMethodNotAllowed,
		"The endpoint only accepts GET requests. Received a "+short(method)+" request.")
}

func unknownTenant(name string) error {
	return refuse(90002, "invalid_request",
		"Tenant '%s' not found. Check to make sure you have the correct tenant ID or a verified domain name of it.",
		short(name))
}

func tooLong(name string, most int) error {
	return malformedRequest(http.StatusBadRequest,
		fmt.Sprintf("The parameter '%s' is longer than %d characters.", name, most))
}

func noTenant(name string) error {
	return refuse(50059, "invalid_request",
		"No tenant-identifying information found: ask in the name of a tenant, not of '%s'.", short(name))
}

// Of clients.

func unknownApp(id string, tenant uuid.UUID) error {
	return refuse(700016, "unauthorized_client",
		"Application with identifier '%s' was not found in the directory '%s'. You may have sent your "+
			"authentication request to the wrong tenant.", short(id), tenant)
}

func unknownAppAnywhere(id string) error {
	return refuse(700016, "unauthorized_client", "Application with identifier '%s' was not found in any directory here.", short(id))
}

func disabledApp(app identity.App) error {
	return refuse(7000112, "unauthorized_client", "Application '%s'(%s) is disabled.", app.AppID, app.DisplayName)
}

// badClient returns the refusal for a client that has failed to authenticate.
func badClient(code int, text string) error {
	return &refusalError{http.StatusUnauthorized, code, "invalid_client", text}
}

func badSecret(app identity.App) error {
	return badClient(7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the "+
		"client secret value, not the client secret ID, for a secret added to app '"+app.AppID.String()+"'.")
}

func expiredSecret(app identity.App) error {
	return badClient(7000222,
		"The provided client secret keys for app '"+app.AppID.String()+"' are expired. Create a new secret for it.")
}

func badAssertion(text string) error {
	return badClient(700027, "The client assertion is not accepted: "+text)
}

func noProof() error {
	return badClient(7000218, "The request body must contain the following parameter: 'client_assertion' or "+
		"'client_secret'.")
}

// Of grants.

func badGrant(code int, format string, args ...any) error {
	return refuse(code, "invalid_grant", format, args...)
}

func expiredGrant() error {
	return badGrant(70008, "The provided authorization code or refresh token has expired, or is not one that was "+
		"given out here. Send a new interactive authorization request for this user and resource.")
}

func revokedGrant() error {
	return badGrant(50173, "The provided grant has expired due to it being revoked, a fresh auth token is needed. "+
		"The user might have changed or reset their password, or an administrator has ended their sessions.")
}

func disabledUser() error {
	return badGrant(codeDisabledUser, "The user account is disabled.")
}

func notAssigned(app identity.App, user identity.User) error {
	return badGrant(50105,
		"Your administrator has configured the application %s ('%s') to block users unless they are specifically "+
			"granted ('assigned') access to the application. "+
			"The signed-in user '%s' is blocked because they are not a direct member of a group with access, nor "+
			"had access directly assigned by an administrator. "+
			"Please contact your administrator to assign access to this "+
			"application.", app.DisplayName, app.AppID, user.Name)
}

func badPassword() error {
	return badGrant(codeBadPassword, "Error validating credentials due to invalid username or password.")
}

// tooMany refuses requests that would exceed a limit of stored data.
func tooMany(text string) error {
	return &refusalError{http.StatusTooManyRequests, 90055, "temporarily_unavailable", text}
}

func slowDown(wait time.Duration) error {
	return &refusalError{
		http.StatusTooManyRequests, 50053, "invalid_grant",
		"There were too many sign-in attempts with an incorrect user name or password. Try again in " +
			(wait + time.Second - 1).Truncate(time.Second).String() + ".",
	}
}

func noConsent(app identity.App, missing []string) error {
	return badGrant(codeNoConsent,
		"The user or administrator has not consented to use the application with ID '%s' named '%s' (missing: %s). "+
			"Send an interactive authorization request for this user and resource.",
		app.AppID, app.DisplayName, strings.Join(missing, " "))
}

func badScope(scope, why string) error {
	return refuse(70011, "invalid_scope",
		"The provided value for the input parameter 'scope' is not valid. The scope '%s' is not valid: %s.",
		short(scope), why)
}
