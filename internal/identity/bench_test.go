package identity

import "testing"

// BenchmarkVerify is a request with a token seen before, and BenchmarkVerifyNew one with a token
// not seen.
func BenchmarkVerify(b *testing.B) {
	w := newWorld(b)
	for name, claims := range map[string]Claims{"application": robot(), "user": user(ann)} {
		raw := w.issue(b, claims)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.Verify(b.Context(), raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerifyNew(b *testing.B) {
	w := newWorld(b)
	raw := w.issue(b, robot())
	b.ReportAllocs()
	for b.Loop() {
		w.signed.Purge()
		if _, err := w.Verify(b.Context(), raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	caller := member([]Role{UserAdministrator}, "openid", "User.Read", "Directory.ReadWrite.All")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Reprocess.Check(caller, RelationOther); err != nil {
			b.Fatal(err)
		}
	}
}
