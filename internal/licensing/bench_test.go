package licensing

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"
)

func testID(space byte, n int) uuid.UUID {
	var id uuid.UUID
	id[0] = space
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	return id
}

// wideCatalog has products of 20 plans each; neighbours exclude each other, some need others.
func wideCatalog(products int) *Catalog {
	c := &Catalog{}
	for p := range products {
		product := Product{SKUID: testID('s', p), SKUPartNumber: fmt.Sprint("SKU", p)}
		for k := range 20 {
			plan := ServicePlan{ID: testID('p', p*20+k), Name: fmt.Sprint("PLAN", p, "_", k), Service: "svc"}
			switch k {
			case 0:
				plan.Excludes = []uuid.UUID{testID('p', (p+products/2)%products*20)}
			case 1:
				plan.ProhibitedIn = []Country{Country('K')<<8 | 'P'}
			case 2:
				plan.RequiresAnyOf = [][]uuid.UUID{{testID('p', p*20+3)}}
			}
			c.ServicePlans = append(c.ServicePlans, plan)
			product.ServicePlanIDs = append(product.ServicePlanIDs, plan.ID)
		}
		c.Products = append(c.Products, product)
	}
	return c
}

// crowd is n users in `groups` groups of everyone, each group with one or two products of its own.
func crowd(tb testing.TB, n, groups int) *Image {
	tb.Helper()
	d := New(wideCatalog(32)).Draft(1, time.Unix(1, 0))
	for range n {
		d.AddUser(Country('D')<<8 | 'E')
	}
	all := roaring.New()
	all.AddRange(0, uint64(n))
	for g := range groups {
		d.AddGroup(testID('g', g))
		d.AddMembers(uint32(g), all)
	}
	for s := range 16 {
		if err := d.SetUnits(testID('s', s), Units{Enabled: n}, true); err != nil {
			tb.Fatal(err)
		}
	}
	img, _ := d.Finish()
	for g := range groups {
		d := img.Draft(uint64(g+2), time.Unix(int64(g+2), 0))
		if err := d.AssignGroup(uint32(g), []Assign{{SKUID: testID('s', g)}}, nil); err != nil {
			tb.Fatal(err)
		}
		img, _ = d.Finish()
	}
	return img
}

func BenchmarkReprocess(b *testing.B) {
	for _, size := range []struct{ users, groups int }{{100_000, 4}, {100_000, 14}, {1_000_000, 4}, {1_000_000, 14}} {
		b.Run(fmt.Sprintf("users=%d/assignments=%d", size.users, size.groups), func(b *testing.B) {
			img := crowd(b, size.users, size.groups)
			everybody := img.Everybody()
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				d := img.Draft(100, time.Unix(100, 0))
				d.Reprocess(everybody)
				if next, _ := d.Finish(); next != img {
					b.Fatal("reprocessing changed something")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(size.users*size.groups), "ns/assignment")
		})
	}
}

func BenchmarkAssignGroup(b *testing.B) {
	for _, users := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("members=%d", users), func(b *testing.B) {
			img := crowd(b, users, 4)
			d := img.Draft(50, time.Unix(50, 0))
			g := d.AddGroup(testID('g', 50))
			d.AddMembers(g, img.Everybody())
			img, _ = d.Finish()
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				d := img.Draft(100, time.Unix(100, 0))
				if err := d.AssignGroup(g, []Assign{{SKUID: testID('s', 8)}}, nil); err != nil {
					b.Fatal(err)
				}
				d.Finish()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(users), "ns/member")
		})
	}
}
