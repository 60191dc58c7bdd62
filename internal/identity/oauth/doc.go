// Package oauth is the authority's side that clients and people see: the endpoints by which tokens
// are gotten, and the pages on which people sign in and say what applications may do
// (docs/spec/auth.md A1-A3, A10-A14, A30).
//
// A Server is made with New over an identity.Authority, which signs; its Handler serves, below a
// tenant's name, the discovery documents and keys (discovery.go), the token endpoint with a
// function for each grant (token.go, code.go, refresh.go, device.go, onbehalfof.go, login.go), and
// the pages (authorize.go, devicepage.go, logout.go). What it must know of tenants it asks a
// Directory; what it has given out and must know again it keeps as Tickets.
//
// How a person gets from the application to its code, all at one address with the query the
// application has made, so that nothing need be kept in between:
//
//	readAuthorization   is it a client's, and is the redirect address its own? Until then errors are shown, not sent
//	identify            who is it? a session, or the sign-in page; then, if need be, a new password
//	agree               may the application? what was granted, or the consent page
//	give                a code or tokens, and back to the application
//
// What it promises:
//
//   - Whatever is given out for something is given out once: the ticket is changed first, and of many at once one succeeds. A code
//     or refresh token that comes a second time ends all that came of the same sign-in.
//   - The store holds hashes of secrets only; the log and errors hold none.
//   - Codes are sent to registered addresses only, and are of no use without the PKCE verifier or the client's secret.
//   - What users and administrators have said is looked at each time something is given out: a disabled user, ended sessions,
//     withdrawn consent.
//   - No page can be shown inside another, needs a script, or is changed by a form that was not shown to the same browser.
package oauth
