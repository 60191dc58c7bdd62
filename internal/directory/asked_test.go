package directory

import (
	"encoding/csv"
	"encoding/json"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"licensor/internal/directory/column"
	"licensor/internal/directory/column/columntest"
)

// checkColumnsOf draws objects and compares what the columns have of them with the JSON that
// clients see.
func checkColumnsOf[T any](t *testing.T, table *table[T]) {
	rapid.Check(t, func(t *rapid.T) {
		object := new(T)
		for _, p := range table.all {
			if p.read == nil || rapid.IntRange(0, 2).Draw(t, "skip") == 0 {
				continue
			}
			if err := p.read(object, []byte(drawValue(t, p.Name, p.Kind)), fromStore); err != nil {
				t.Fatal(err)
			}
		}
		var shown map[string]any
		if err := json.Unmarshal(table.appendAll(nil, object), &shown); err != nil {
			t.Fatal(err)
		}
		values := map[int]column.Value{}
		for _, c := range table.values(object) {
			values[c.Column] = c.Value
		}
		for place, c := range table.schema.Columns {
			if want := columntest.Value(shown, &c); !values[place].Equal(want) {
				t.Fatalf("column %s has %v, the object shows %v", c.Name, values[place], want)
			}
		}
		next := map[int]column.Value{}
		for _, c := range append(table.values(new(T)), table.changed(nil, new(T), object)...) {
			next[c.Column] = c.Value
		}
		for place := range table.schema.Columns {
			if !next[place].Equal(values[place]) {
				t.Fatalf("after the changes column %d is %v, not %v", place, next[place], values[place])
			}
		}
		if changes := table.changed(nil, object, object); len(changes) != 0 {
			t.Fatalf("an object differs from itself in %v", changes)
		}
	})
}

func TestColumnsHaveWhatDocumentsShow(t *testing.T) {
	t.Parallel()
	t.Run("user", func(t *testing.T) { t.Parallel(); checkColumnsOf(t, userTable) })
	t.Run("group", func(t *testing.T) { t.Parallel(); checkColumnsOf(t, groupTable) })
}

func TestValuesSurviveSnapshots(t *testing.T) {
	t.Parallel()
	d := NewIndex().Draft()
	user := &User{
		ID: uuid.New(), DisplayName: "Ännä Berg", City: "Oslo", AccountEnabled: true, OtherMails: []string{"a@b", "c@d"},
		Identities:      []Identity{{Issuer: "contoso", IssuerAssignedID: "7"}},
		CreatedDateTime: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	d.SetUserValues(d.AddUser(user.ID, KeyOf("ann"), nil), user.Values())
	group := &Group{ID: uuid.New(), DisplayName: "Sales", GroupTypes: []string{Unified}}
	d.SetGroupValues(d.AddGroup(group.ID), group.Values())
	x := d.Finish()
	head, parts := encode(x)
	again, err := Decode(head, parts, encodeColumns(x))
	if err != nil {
		t.Fatal(err)
	}
	for _, index := range []*Index{x, again} {
		for place := range UserSchema().Columns {
			var want column.Value
			for _, c := range user.Values() {
				if c.Column == place {
					want = c.Value
				}
			}
			if got := index.UserColumns().Value(0, place); !got.Equal(want) {
				t.Errorf("column %s of the user is %v, not %v", UserSchema().Columns[place].Name, got, want)
			}
		}
		about, _ := AboutGroup("DISPLAYNAME")
		if got := index.GroupColumns().Text(0, about.Column); got != "Sales" {
			t.Errorf("the group is called %q", got)
		}
	}
	for _, broken := range []*Columns{{}, {Users: encodeColumns(x).Groups, Groups: encodeColumns(x).Users}} {
		if _, err := Decode(head, parts, broken); err == nil {
			t.Error("columns of another index are taken")
		}
	}
}

// elsewhere are the properties that are not of the directory: what comes from licenses and
// memberships.
var elsewhere = []string{
	"assignedLicenses", "assignedPlans", "hasMembersWithLicenseErrors", "licenseAssignmentStates", "licenseProcessingState/state", "memberOf", "provisionedPlans", "transitiveMemberOf",
}

// TestFilterableIsTheTable compares what can be filtered with the table of the specification (P30).
func TestFilterableIsTheTable(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("LICENSOR_SPEC")
	if folder == "" {
		t.Skip("LICENSOR_SPEC is not set to the folder with graph/filters.csv")
	}
	file, err := os.Open(filepath.Join(folder, "graph", "filters.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	levels := map[string]Level{"basic": basic, "advanced": advanced, "no": never, "": never}
	compared, lines := 0, map[string]bool{"groups visibility": true} // which could be filtered before there was a table
	for _, row := range rows[1:] {
		name, _, _ := strings.Cut(row[1], "/any(")
		about := map[string]func(string) (*Asked, bool){
			"users": AboutUser, "groups": AboutGroup, "applications": AboutApplication, "servicePrincipals": AboutPrincipal,
		}[row[0]]
		if about == nil {
			continue
		}
		name = strings.Replace(name, "extensionAttribute1-15", "extensionAttribute7", 1)
		a, ok := about(name)
		if !ok {
			if !slices.Contains(elsewhere, name) {
				t.Errorf("nothing is known about %s of %s", row[1], row[0])
			}
			continue
		}
		compared++
		lines[row[0]+" "+a.Path] = true
		want := Filterable{levels[row[2]], levels[row[3]], levels[row[4]], levels[row[5]]}
		if a.Filterable != want {
			t.Errorf("%s of %s can be filtered %v, not %v", row[1], row[0], a.Filterable, want)
		}
	}
	if compared < 115 {
		t.Errorf("only %d lines were compared", compared)
	}
	for set, all := range map[string]iter.Seq[*Asked]{
		"users": AllAboutUsers(), "groups": AllAboutGroups(), "applications": AllAboutApplications(), "servicePrincipals": AllAboutPrincipals(),
	} {
		for a := range all {
			within := strings.HasPrefix(a.Path, "onPremisesExtensionAttributes/")
			if a.Filterable != (Filterable{}) && !within && !lines[set+" "+a.Path] {
				t.Errorf("%s of %s can be filtered, and the table does not have it", a.Path, set)
			}
		}
	}
}

func TestPropertiesAreFoundInAnyLetterCase(t *testing.T) {
	for _, name := range []string{"displayName", "displayname", "DISPLAYNAME", "employeeOrgData/COSTCENTER"} {
		if a, ok := AboutUser(name); !ok || !strings.EqualFold(a.Path, name) {
			t.Errorf("%s is not found", name)
		}
	}
	if _, ok := AboutUser(strings.Repeat("x", 1000)); ok {
		t.Error("a long name is found")
	}
	if n := testing.AllocsPerRun(100, func() { AboutUser("DISPLAYName"); UserProperty("DisplayName") }); n > 0 {
		t.Errorf("finding a property allocates %v times", n)
	}
}
