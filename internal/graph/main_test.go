package graph

import (
	"slices"
	"testing"

	"licensor/internal/graph/changes"
	"licensor/internal/graph/devkit"

	"go.uber.org/goleak"
)

// TestMain looks for goroutines that tests have left behind. The clock of slow patterns ends by
// itself when it is not needed for a while.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2/v2.runClock"))
}

// everyOperation is the table of all that is served, or said not to be.
var everyOperation = slices.Concat(aboutAll(), operations, furtherOperations)

var furtherOperations = operationsOf(Config{Development: new(devkit.Kit)}, changes.New(0))
