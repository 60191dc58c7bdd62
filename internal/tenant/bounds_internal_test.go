package tenant

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/directory"
)

// The numbers of all kinds of objects in a tenant are bounded, and the error names the bound.
func TestWhatIsAddedIsBounded(t *testing.T) {
	t.Parallel()
	img := empty()
	img.Subscriptions = make([]Subscription, 10_001)
	base := empty()
	err := img.within(base, bounds)
	problem, ok := errors.AsType[*CommandError](err)
	if !ok || problem.Kind != ProblemInvalid || !strings.Contains(problem.Message, "at most 10000 subscriptions") {
		t.Errorf("told %v", err)
	}
	if err := img.within(img, bounds); err != nil {
		t.Errorf("what was there before is refused: %v", err)
	}
	img.Subscriptions = img.Subscriptions[:10_000]
	if err := img.within(base, bounds); err != nil {
		t.Errorf("as many as can be are refused: %v", err)
	}
}

// Permanently deleted objects are not counted.
func TestPurgedObjectsAreNotCounted(t *testing.T) {
	t.Parallel()
	draft := directory.NewUnits().Draft()
	for i := range uint32(20) {
		draft.Set(i, &directory.AdministrativeUnit{ID: uuid.New(), DisplayName: "Unit"})
	}
	for i := range uint32(5) {
		draft.Purge(i)
	}
	if got := countOf(draft.Finish(), 10); got != 15 {
		t.Errorf("counted %d", got)
	}
}
