package server

import (
	"log/slog"
	"runtime/debug"
)

// What a connection costs, and what is left for everything else.
const (
	connectionMemory = 64 << 10 // bytes, over TLS and with a small request
	memoryShare      = 4        // connections have a quarter of the memory that the process may take
	otherFiles       = 256      // of the database, of issuers' answers, of newcomers
)

// room is how many connections are served at once: as many as was asked for, if the process may
// open as many files and take as much memory. What cannot be had must not fail when somebody takes
// it, but be refused before.
func (l *Listening) room(log *slog.Logger) int {
	most := l.MaxConnections
	if files := openFiles(); files < uint64(most+otherFiles) {
		most = int(max(1, files/2, files-min(files, otherFiles)))
		log.Warn("fewer connections are served at once than --max-connections says: raise the number of files that the process may open (ulimit -n)",
			"connections", most, "files", files)
	}
	memory := debug.SetMemoryLimit(-1) // reads it
	if fit := memory / memoryShare / connectionMemory; fit < int64(most) {
		most = int(max(1, fit))
		log.Warn("fewer connections are served at once than --max-connections says: raise the memory that the process may take (GOMEMLIMIT)",
			"connections", most, "bytes", memory)
	}
	return most
}
