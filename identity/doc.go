// Package identity is the part of Licensor that stands in for the Microsoft identity platform: it gives out access tokens,
// checks them, and knows what the bearer of one may do.
//
// An Authority is made with New. Its Handler serves what clients fetch before they talk to Graph: the discovery document,
// the public keys, and the token endpoint for applications with a client secret (graph/auth.md A1-A3, A10, A30). Issue
// writes a token of any kind without a client, for tests and for people at a command line.
//
// Verify takes the token of a request and answers its Caller, or an *Unauthorized with the message to show (A21-A23).
// Whether that caller may do an operation is one table, Needs; its Check answers an *Forbidden or how much may be seen.
//
//	caller, err := authority.Verify(ctx, raw)
//	...
//	access, err := identity.AssignUser.Check(caller, identity.Other)
//
// What it promises: only RS256 with one of our own keys is ever accepted, whatever a token says of itself; the keys are
// made once and live in the database; a client secret is never stored, only the hash of its 256 random bits; and nothing
// a client can choose, the Host header included, makes a token valid that would not be otherwise.
//
// The package knows no tenant: what it must know of tenants, users and applications it asks a Directory.
package identity
