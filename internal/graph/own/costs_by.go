package own

import (
	"slices"
	"strings"

	"licensor/internal/directory"
	"licensor/internal/fold"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/licensing"
)

// dimension divides the seats of users by a property, or by the group that gives the license.
type dimension struct {
	r      *wire.Request
	column int // -1: groups
	codes  map[string]int
	groups map[uint32]int
	givers []uint32 // the groups, by code from 1 on
	values []string // by code; the first has no value
	most   int      // values
}

// byProperties are the properties that costs can be divided by.
var byProperties = []string{"department", "companyName", "country", "usageLocation"}

// mostCells is how many numbers are counted: of values times SKUs, 16 bytes each.
const mostCells = 1 << 20

// dimensionOf reads ?by=; nil if it is missing.
func dimensionOf(r *wire.Request) (*dimension, error) {
	asked := r.Values("by")
	if len(asked) == 0 {
		return nil, nil
	}
	d := &dimension{r: r, column: -1, codes: map[string]int{"": 0}, groups: map[uint32]int{}, values: []string{""}}
	if fold.Equal(asked[0], "group") && len(asked) == 1 {
		return d, nil
	}
	at := slices.IndexFunc(byProperties, func(name string) bool { return fold.Equal(name, asked[0]) })
	if at < 0 || len(asked) > 1 {
		return nil, problem.Refuse("by is '%s': it must be %s or group.", problem.Clip(strings.Join(asked, ", ")),
			strings.Join(byProperties, ", "))
	}
	if err := maySeeUsers(r); err != nil {
		return nil, err
	}
	about, _ := directory.AboutUser(byProperties[at])
	d.column = about.Column
	return d, nil
}

// prepare takes memory for the numbers of so many SKUs.
func (d *dimension) prepare(skus int) error {
	d.most = mostCells / max(1, skus)
	return d.r.Share.More(d.r.Context(), 32*mostCells)
}

// of returns the code of a user's value, or of the group that gives it a SKU.
func (d *dimension) of(user uint32, sku licensing.SKU) (int, error) {
	code, ok := 0, true
	if d.column < 0 {
		if group, given := d.giver(user, sku); given {
			if code, ok = d.groups[group]; !ok {
				code = len(d.values)
				d.groups[group] = code
				d.givers = append(d.givers, group)
				d.values = append(d.values, d.r.Image.Directory.GroupID(group).String())
			}
		}
	} else {
		text := d.r.Image.Directory.UserColumns().Text(user, d.column)
		if code, ok = d.codes[text]; !ok {
			code = len(d.values)
			text = strings.Clone(text)
			d.codes[text] = code
			d.values = append(d.values, text)
		}
	}
	if len(d.values) > d.most {
		return 0, problem.Refuse("There are more than %d different values, which are too many.", d.most)
	}
	return code, nil
}

// giver returns the first group that gives a user a SKU, or would if a seat were free. Groups are
// in the order of their creation.
func (d *dimension) giver(user uint32, sku licensing.SKU) (group uint32, ok bool) {
	entries := d.r.Image.Licensing.Entries(user)
	for i := range entries {
		e := &entries[i]
		by, given := e.Source.Group()
		counts := e.InForce != licensing.None || e.Error == licensing.CountViolation
		if e.SKU == sku && given && counts && (!ok || by < group) {
			group, ok = by, true
		}
	}
	return group, ok
}

// name returns what a value is called.
func (d *dimension) name(code int) string {
	switch {
	case code == 0:
		return "Unassigned"
	case d.column >= 0:
		return d.values[code]
	}
	about, _ := directory.AboutGroup("displayName")
	return d.r.Image.Directory.GroupColumns().Text(d.givers[code-1], about.Column)
}
