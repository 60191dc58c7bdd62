package licensing_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestLicensingNeedsNothingElse keeps the folder of the rules independent of the rest of the
// module.
func TestLicensingNeedsNothingElse(t *testing.T) {
	t.Parallel()
	list, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	const own = "licensor/internal/licensing"
	for _, path := range strings.Fields(string(list)) {
		if strings.HasPrefix(path, "licensor") && path != own && !strings.HasPrefix(path, own+"/") {
			t.Errorf("the package imports %s", path)
		}
	}
	if !strings.Contains(string(list), own) {
		t.Errorf("it is not in the list:\n%s", list)
	}
}
