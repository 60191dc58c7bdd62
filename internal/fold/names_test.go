package fold_test

import (
	"strings"
	"testing"

	"licensor/internal/fold"
)

func TestNamesAreFoundInAnyLetterCase(t *testing.T) {
	names := fold.NamesOf(map[string]int{"displayName": 1, "id": 2, "employeeOrgData/costCenter": 3})
	for name, want := range map[string]int{
		"displayName": 1, "DISPLAYNAME": 1, "displayname": 1, "Id": 2, "ID": 2, "EmployeeOrgData/CostCenter": 3,
		"": 0, "ids": 0, "displayName ": 0, "\u212aid": 0, strings.Repeat("x", 100): 0,
	} {
		if got, ok := names.Find(name); got != want || ok != (want > 0) {
			t.Errorf("%q: found %d, %t; want %d", name, got, ok, want)
		}
	}
	if n := testing.AllocsPerRun(10, func() { names.Find("DISPLAYname"); names.Find("DISPLAYnam") }); n > 0 {
		t.Errorf("finding names allocates %v times", n)
	}
}

func TestAmongAnswersTheSpellingOfTheList(t *testing.T) {
	t.Parallel()
	if name, ok := fold.Among([]string{"Member", "Guest"}, "gUEST"); name != "Guest" || !ok {
		t.Errorf("found %q, %t", name, ok)
	}
	if name, ok := fold.Among([]string{"Member", "Guest"}, "Guests"); name != "Guests" || ok {
		t.Errorf("found %q, %t", name, ok)
	}
}
