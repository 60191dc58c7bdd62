package graph

import (
	"slices"
	"testing"

	"licensor/internal/graph/devkit"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// everyOperation is the table of all that is served, or said not to be.
var everyOperation = slices.Concat(aboutAll(), operations, furtherOperations)

var furtherOperations = operationsOf(Config{Development: new(devkit.Kit)})
