package licensing

import (
	"encoding/json"
	"reflect"
	"testing"
)

// TestEveryFieldOfACatalogIsInItsSum changes one value of a catalog at a time, of each field there
// is, and adds to each list.
func TestEveryFieldOfACatalogIsInItsSum(t *testing.T) {
	t.Parallel()
	const text = `{
		"products": [{"skuId": "00000000-0000-0000-0000-000000000001", "skuPartNumber": "a", "displayName": "b",
			"appliesTo": "User", "servicePlanIds": ["00000000-0000-0000-0000-000000000002"]}],
		"servicePlans": [{"servicePlanId": "00000000-0000-0000-0000-000000000002", "servicePlanName": "c", "displayName": "d",
			"service": "e", "appliesTo": "User", "excludes": ["00000000-0000-0000-0000-000000000003"],
			"requiresAnyOf": [["00000000-0000-0000-0000-000000000004"]], "prohibitedIn": ["DE"]}]
	}`
	read := func() *Catalog {
		c := &Catalog{}
		if err := json.Unmarshal([]byte(text), c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := read().sum()
	if again := read().sum(); first != again {
		t.Error("equal catalogs have different sums")
	}
	sums, changes := map[[32]byte]int{first: -1}, 0
	for n := 0; ; n++ {
		c := read()
		left := n
		if !changeNth(reflect.ValueOf(c).Elem(), &left) {
			break
		}
		sum := c.sum()
		if other, ok := sums[sum]; ok {
			t.Errorf("change %d has the same sum as change %d: %+v", n, other, c)
		}
		sums[sum] = n
		changes++
	}
	const most = 3 * 13 // there are 13 fields, some of them lists
	if changes < 13 || changes > most {
		t.Errorf("%d changes were made, want 13 to %d", changes, most)
	}
}

// changeNth makes one of the possible changes within a value, and counts down to it.
func changeNth(v reflect.Value, n *int) bool {
	here := func() bool { *n--; return *n < 0 }
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if changeNth(v.Field(i), n) {
				return true
			}
		}
	case reflect.Slice:
		if here() {
			v.Set(reflect.Append(v, v.Index(0)))
			return true
		}
		return changeNth(v.Index(0), n)
	case reflect.Array:
		if here() {
			v.Index(0).SetUint(v.Index(0).Uint() + 1)
			return true
		}
	case reflect.String:
		if here() {
			v.SetString(v.String() + "x")
			return true
		}
	case reflect.Uint16:
		if here() {
			v.SetUint(v.Uint() + 1)
			return true
		}
	default:
		panic("a field of a new kind: " + v.Kind().String())
	}
	return false
}
