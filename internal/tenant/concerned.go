package tenant

import (
	"fmt"
	"math"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"

	"licensor/internal/trail"
)

// finder finds users and groups, including deleted ones.
type finder interface {
	UserByID(id uuid.UUID) (uint32, bool)
	GroupByID(id uuid.UUID) (uint32, bool)
}

// concerned returns what effects concern, given how many users there were before. In is the
// directory afterwards, and r has at least Groups and Passwords.
func (f *Effects) concerned(before uint32, in finder, r *Record) trail.Concerned {
	users, groups := f.mentioned(before, math.MaxUint64)
	add := func(id uuid.UUID) {
		if user, ok := in.UserByID(id); ok {
			users.Add(user)
		} else if group, ok := in.GroupByID(id); ok {
			groups.Add(group)
		}
	}
	for _, id := range f.mentionedIDs(math.MaxInt) {
		add(id)
	}
	for _, m := range f.UnitMembers {
		if m.IsGroup {
			groups.Add(m.Member)
		} else {
			users.Add(m.Member)
		}
	}
	groups.AddMany(r.Groups)
	users.AddMany(r.Passwords)
	return trail.Concerned{trail.User: users, trail.Group: groups}
}

// concernedOnly decodes what the trail needs of a Record.
var concernedOnly = decodingMode(cbor.DecOptions{})

// concerns returns what the trail needs of the record.
func (f *Effects) concerns() (*Record, error) {
	r := new(Record)
	if len(f.Record) == 0 {
		return r, nil
	}
	some := struct {
		Groups    []uint32 `cbor:"9,keyasint"` // as in Record
		Passwords []uint32 `cbor:"10,keyasint"`
	}{}
	if err := concernedOnly.Unmarshal(f.Record, &some); err != nil {
		return nil, fmt.Errorf("the record: %w", err)
	}
	r.Groups, r.Passwords = some.Groups, some.Passwords
	return r, nil
}

// Concerning returns the object in the trail with an id, which may be a deleted user or group;
// false if there is none.
func (img *Image) Concerning(id uuid.UUID) (trail.Object, bool) {
	if user, ok := img.Directory.UserByID(id); ok {
		return trail.Object{Kind: trail.User, Ordinal: user}, true
	}
	group, ok := img.Directory.GroupByID(id)
	return trail.Object{Kind: trail.Group, Ordinal: group}, ok
}
