// Package membership has the rules of dynamic groups: a text such as
//
//	(user.department -eq "Sales") -and -not (user.jobTitle -startsWith "SDE")
//
// Parse parses it into a Rule, or returns a *RefusalError with the code and the message that
// callers get and the character at which the text is wrong. A lexer and a recursive descent parser
// follow the grammar in docs/spec/dynamic-membership.md; properties and operators are checked while
// parsing, so a Rule can be evaluated for every user.
//
//	rule, err := membership.Parse(text)
//	is, err := rule.Holds(user, now)            // of one user
//	all, err := rule.Condition(ctx, &population) // of all users, a query.Condition
//
// Both give the same results. The first reads the values of one User. The second is evaluated on
// the columns of users, so a rule over a million users takes milliseconds. Evaluate also returns
// which part of a rule is true.
//
// A pattern that Go's regexp evaluates as .NET does is evaluated by it, in linear time; all others
// are evaluated by a backtracking engine with limits of time and memory. A pattern that exceeds
// them for some user is a *PatternError, never a result.
//
// The package is independent of tenants. Whether the manager and the source groups of a rule exist
// is for the caller to check: Manager and Sources return them. It has no clock: the time that
// system.now means is a parameter.
//
// Rules are cited from docs/spec/dynamic-membership.md (D).
package membership
