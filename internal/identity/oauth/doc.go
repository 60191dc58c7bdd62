// Package oauth is the public side of the authority: the endpoints that issue tokens, and the pages
// on which people sign in and consent to permissions of applications (docs/spec/auth.md A1-A3,
// A10-A14, A30).
//
// New returns a Server that uses an identity.Authority for signing. Its Handler serves, below a
// tenant's name, the discovery documents and keys (discovery.go), the token endpoint with a
// function for each grant (token.go, code.go, refresh.go, device.go, onbehalfof.go, login.go), and
// the pages (authorize.go, devicepage.go, logout.go). It gets the data of tenants from a Directory,
// and stores issued codes and tokens as Tickets.
//
// The steps from the application to its code, all at one address with the application's query, so
// that no state is stored in between:
//
//	readAuthorization   is it a client's, and is the redirect address its own? Until then errors are shown, not sent
//	identify            who is it? a session, or the sign-in page; then, if need be, a new password
//	agree               may the application? what was granted, or the consent page
//	give                a code or tokens, and back to the application
//
// Guarantees:
//
//   - Codes and refresh tokens are exchanged only once: the ticket is changed first, and of many
//     concurrent requests one succeeds. Using a code or refresh token a second time revokes all
//     tokens of the same sign-in.
//   - The store has only hashes of secrets; the log and errors have none.
//   - Codes are sent to registered addresses only, and cannot be redeemed without the PKCE verifier
//     or the client's secret.
//   - The current state is checked each time a token is issued: disabled users, ended sessions,
//     withdrawn consent.
//   - No page can be embedded in another, needs a script, or accepts a form that was not shown to
//     the same browser.
package oauth
