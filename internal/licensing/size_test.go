package licensing

import (
	"maps"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/licensing/vector"
)

// town is a tenant with two licensed groups of all users and many groups of one user.
func town(tb testing.TB, users, groups int) *Image {
	d := crowd(tb, users, 2).Draft(10, time.Unix(10, 0))
	for g := range groups {
		d.AddGroup(testID('g', 100+g))
		d.AddMembers(uint32(2+g), roaring.BitmapOf(uint32(g)))
	}
	d.DeleteUser(9)
	img, _ := d.Finish()
	return img
}

var changes = map[string]func(d *Draft) error{
	"nothing":       func(*Draft) error { return nil },
	"add user":      func(d *Draft) error { d.AddUser(NoCountry); return nil },
	"set location":  func(d *Draft) error { d.SetLocation(5, Country('F')<<8|'R'); return nil },
	"delete user":   func(d *Draft) error { d.DeleteUser(5); return nil },
	"restore user":  func(d *Draft) error { d.RestoreUser(9); return nil },
	"purge user":    func(d *Draft) error { d.PurgeUser(9, []uint32{0, 1, 11}); return nil },
	"assign user":   func(d *Draft) error { return d.AssignUser(5, []Assign{{SKUID: testID('s', 5)}}, nil) },
	"add group":     func(d *Draft) error { d.AddGroup(testID('g', 50)); return nil },
	"remove group":  func(d *Draft) error { return d.PurgeGroup(7) },
	"assign group":  func(d *Draft) error { return d.AssignGroup(8, []Assign{{SKUID: testID('s', 6)}}, nil) },
	"add member":    func(d *Draft) error { d.AddMembers(8, roaring.BitmapOf(77)); return nil },
	"remove member": func(d *Draft) error { d.RemoveMembers(0, roaring.BitmapOf(77)); return nil },
	"reprocess":     func(d *Draft) error { d.Reprocess(roaring.BitmapOf(77)); return nil },
	"set units":     func(d *Draft) error { return d.SetUnits(testID('s', 6), Units{Enabled: 1}, true) },
	"set settings":  func(d *Draft) error { return d.SetSettings(Settings{true, BundlesTogether, FailureState}) },
}

// What a change copies does not grow with the tenant.
func TestAChangeCopiesNoMoreInALargerTenant(t *testing.T) {
	// The last blocks and chunks, which grow with each user and group, are as full in both.
	small, large := town(t, 70_000, 300), town(t, 70_000+820*blockSize, 300+120*vector.ChunkLen)
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			less, more := copied(t, small, change), copied(t, large, change)
			if allowed := less + less/5 + 4<<10; more > allowed { // some lists of pointers are four times as long
				t.Errorf("it copies %d bytes; in a small tenant it is %d", more, less)
			}
		})
	}
}

// copied is how many bytes a change allocates.
func copied(t *testing.T, img *Image, change func(*Draft) error) uint64 {
	least := ^uint64(0)
	for range 3 { // others may allocate meanwhile
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		d := img.Draft(11, time.Unix(11, 0))
		if err := change(d); err != nil {
			t.Fatal(err)
		}
		d.Finish()
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}

func BenchmarkChange(b *testing.B) {
	small, large := town(b, 1000, 100), town(b, 1_000_000, 100_000)
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		change := changes[name]
		for size, img := range []*Image{small, large} {
			b.Run(name+[]string{"/small", "/large"}[size], func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					d := img.Draft(11, time.Unix(11, 0))
					if err := change(d); err != nil {
						b.Fatal(err)
					}
					d.Finish()
				}
			})
		}
	}
}
