package main

import (
	"github.com/spf13/cobra"

	"licensor/internal/graph"
)

// limiting is how much callers may ask for (docs/spec/protocol.md P43).
type limiting struct{ application, tenant int }

func (l *limiting) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVar(&l.application, "limit-application", 200_000, "resource units that an application may use in 10 seconds, counted as Graph does "+
		"(the read of an object is 1, of a list 2 or more); a tenth of it an address without a token. 0: no bound")
	f.IntVar(&l.tenant, "limit-tenant", 400_000, "resource units that all applications of a tenant may use in 10 seconds. 0: no bound")
}

func (l limiting) limits() graph.Limits {
	return graph.Limits{PerApplication: l.application, PerTenant: l.tenant}
}
