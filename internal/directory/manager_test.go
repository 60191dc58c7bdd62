package directory

import (
	"slices"
	"testing"
)

// A snapshot from before there were managers is read: its parts stand next to newer ones.
func TestSnapshotsWithoutManagersAreRead(t *testing.T) {
	t.Parallel()
	d := NewIndex().Draft()
	d.AddUser(numbered(1, 0), KeyOf("ann"), nil)
	head, parts := encode(d.Finish())
	part := parts[0]
	part[0] = withoutManagers
	x, err := Decode(head, [][]byte{part[:len(part)-1]}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := x.Manager(0); ok || x.Users() != 1 {
		t.Errorf("%d users, the first has a manager: %t", x.Users(), ok)
	}
}

func TestManagersThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	d := NewIndex().Draft()
	for i := range uint32(2) {
		d.AddUser(numbered(1, i), KeyOf(string('a'+rune(i))), nil)
	}
	head, parts := encode(d.Finish())
	for _, manager := range []byte{2, 3, 9} { // the second user's own ordinal, and two beyond
		part := slices.Clone(parts[0])
		part[len(part)-1] = manager
		if _, err := Decode(head, [][]byte{part}, nil); err == nil {
			t.Errorf("manager %d is taken", manager-1)
		}
	}
}
