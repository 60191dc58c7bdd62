// Package memory is a store that keeps everything in maps, for tests and simulations. A World is
// what a database file is elsewhere: it stays when a store is closed, and several stores can be
// open on it at once, as several programs on one database server:
//
//	world := memory.New()
//	s := world.Open()
//	…
//	s.Close() // the next world.Open() has what was written
//
// It is written to be read: one lock for everything, every query a loop over all rows. So it is
// what faster stores can be compared with, and no server uses it: nothing outlives the process.
package memory
