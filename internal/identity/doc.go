// Package identity is the part of Licensor that replaces the Microsoft identity platform: it issues
// access tokens, verifies them, and determines the permissions of their callers.
//
// New returns an Authority. Issue returns an access token of any kind, and Sign any other token.
// Package oauth, which serves clients and people (docs/spec/auth.md A1-A3, A10-A14, A30), and
// administrators at the command line decide who gets one.
//
// Verify checks the token of a request and returns its Caller, or an *UnauthorizedError with the
// message for the client (A21-A23). The table Needs has the permissions for operations;
// Operation.Check returns a *ForbiddenError or the degree of access.
//
//	caller, err := authority.Verify(ctx, raw)
//	...
//	access, err := identity.AssignUser.Check(caller, identity.Other)
//
// Guarantees: only RS256 with one of our own keys is ever accepted, whatever a token claims, or a
// signature of an issuer that a tenant trusts, by the published keys of that issuer (external.go).
// Our keys are in the database, encrypted if there is a key for that (Seal), and can be replaced
// while tokens signed with them are in use (RotateKeys). Client secrets are never stored, only the
// hash of their 256 random bits, nor passwords, only their argon2id hash. Nothing that a client
// controls, including the Host header, makes an invalid token valid.
//
// The package has no data of tenants, users and applications: it gets them from a Directory.
//
// Rules are cited from docs/spec/auth.md (A), docs/spec/protocol.md (P) and docs/spec/licensing.md
// (L).
package identity
