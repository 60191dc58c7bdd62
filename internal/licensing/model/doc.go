// Package model is a second, naive reading of the rules of group-based licensing
// (docs/spec/licensing.md). It exists for tests only: nothing but a test imports it.
//
// It is written from the text of the rules and shares nothing with package licensing but the
// catalog, its input. Where that package is fast (ordinals, bitmaps, interned variants), this one
// is plain: maps keyed by uuid, a copy of the whole tenant for each operation, every list sorted
// where it is needed. Two readings that agree on thousands of random histories are most likely both
// what the text says; where they differ, one of them is wrong or the text leaves room.
//
// A Model is a tenant. An Op is one command; Apply does it as one commit whose number and time the
// caller gives, or returns a *RefusalError and leaves everything as it was:
//
//	m := model.New()
//	err := m.Apply(model.Commit{Seq: 1, At: 1000}, model.AddUser{User: id})
//	rows := m.Snapshot(id)
//
// DrawWorld and World.Draw make small tenants and operations with pgregory.net/rapid: few users and
// seats, products that conflict and depend on each other, so that most histories run into trouble.
package model
