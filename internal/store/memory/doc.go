// Package memory is a store that keeps everything in maps, for tests and simulations. A World
// corresponds to a database file: it remains when a store is closed, and several stores can be open
// on it at once, like several programs on one database server:
//
//	world := memory.New()
//	s := world.Open()
//	…
//	s.Close() // the next world.Open() has everything that was written
//
// It is written to be easy to read: one lock for everything, and each query is a loop over all
// rows. Faster stores are compared with it. Servers do not use it, since nothing survives the
// process.
package memory
