// Package model is a second, naive reading of the rules of group-based licensing
// (docs/spec/licensing.md). It exists for tests only.
//
// It is written from the text of the rules and shares only the catalog, its input, with package
// licensing. Where that package is fast (ordinals, bitmaps, interned variants), this one is simple:
// maps keyed by uuid, a copy of the whole tenant for each operation, every list sorted where it is
// needed. If two implementations agree on thousands of random histories, most likely both are
// correct. If they differ, one of them is wrong or the text is ambiguous.
//
// A Model is a tenant. An Op is one command; Apply does it as one commit whose number and time the
// caller gives, or returns a *RefusalError and changes nothing:
//
//	m := model.New()
//	err := m.Apply(model.Commit{Seq: 1, At: 1000}, model.AddUser{User: id})
//	rows := m.Snapshot(id)
//
// Follow is an operation after which the members of dynamic groups follow their rules, as
// docs/spec/dynamic-membership.md says.
//
// DrawWorld and World.Draw make small tenants and operations with pgregory.net/rapid: few users and
// seats, products that conflict and depend on each other, so that most histories have conflicts.
package model
