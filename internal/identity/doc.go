// Package identity is the part of Licensor that stands in for the Microsoft identity platform: it
// gives out access tokens, checks them, and knows what the bearer of one may do.
//
// An Authority is made with New. Issue writes an access token of any kind, and Sign any other; who
// may have one is decided by package oauth, which serves what clients and people see
// (docs/spec/auth.md A1-A3, A10-A14, A30), and by people at a command line.
//
// Verify takes the token of a request and returns its Caller, or an *UnauthorizedError with the
// message to show (A21-A23). Whether that caller may do an operation is one table, Needs; its Check
// returns an *ForbiddenError or how much may be seen.
//
//	caller, err := authority.Verify(ctx, raw)
//	...
//	access, err := identity.AssignUser.Check(caller, identity.Other)
//
// What it promises: only RS256 with one of our own keys is ever accepted, whatever a token says of
// itself, or a signature of an issuer that a tenant trusts, by the keys which that issuer publishes
// (external.go); our keys live in the database, encrypted when there is a key for that (Seal), and
// can be replaced while tokens signed with them are in use (RotateKeys); a client secret is never
// stored, only the hash of its 256 random bits, nor a password, only its argon2id; and nothing a
// client can choose, the Host header included, makes a token valid that would not be otherwise.
//
// The package knows no tenant: what it must know of tenants, users and applications it asks a
// Directory.
//
// Rules are cited from docs/spec/auth.md (A), docs/spec/protocol.md (P) and docs/spec/licensing.md
// (L).
package identity
