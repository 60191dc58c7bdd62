package server

import (
	"log/slog"
	"runtime/debug"
)

// The cost of a connection, and what is reserved for everything else.
const (
	connectionMemory = 64 << 10 // bytes, with TLS and a small request
	memoryShare      = 4        // one quarter of the memory of the process is for connections
	otherFiles       = 256      // of the database, of issuers' responses, of new connections
)

// room returns the maximum number of connections: as many as requested, if the process may open as
// many files and use as much memory. Connections beyond the available resources must be refused
// early instead of failing later.
func (l *Listening) room(log *slog.Logger) int {
	most := l.MaxConnections
	if files := openFiles(); files < uint64(most+otherFiles) {
		most = int(max(1, files/2, files-min(files, otherFiles)))
		log.Warn("fewer connections are served at once than --max-connections says: raise the number of files that "+
			"the process may open (ulimit -n)",
			"connections", most, "files", files)
	}
	memory := debug.SetMemoryLimit(-1) // reads it
	if fit := memory / memoryShare / connectionMemory; fit < int64(most) {
		most = int(max(1, fit))
		log.Warn("fewer connections are served at once than --max-connections says: raise the memory that the "+
			"process may take (GOMEMLIMIT if it is set, or else --memory or the machine's memory)",
			"connections", most, "bytes", memory)
	}
	return most
}
