// Package audit derives the audit log of a tenant from the log of its commits
// (docs/spec/audit.md). Nothing of it is stored: a commit has its effects, and a record of what
// these do not say (tenant.Record). So entries exist as soon as the commit does, and nothing
// changes them (U7). They follow from both:
//
//	c, err := audit.Read(commit, world)  // the entries, which are not built yet
//	for n := range c.Len() {
//		entry := c.Entry(n)
//	}
//
// A commit that touches a million users has two million entries (U23), so a Commit consists of
// parts: a single entry, or the entries of each user of a set, which are built one by one. A
// Condition is evaluated for a part first, by what its entries have in common, and for an entry
// only if that does not decide (condition.go). A Query reads the log, backwards or forwards, and
// collects a page of entries that fulfill its condition (page.go).
package audit
