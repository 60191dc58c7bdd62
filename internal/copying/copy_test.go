package copying_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/copying"
	"licensor/internal/store"
	"licensor/internal/store/memory"
	"licensor/internal/store/storetest"
)

var quiet = copying.Options{To: "db2/licensor", Log: slog.New(slog.DiscardHandler)}

func finishing() copying.Options {
	o := quiet
	o.Finish = true
	return o
}

func mustCopy(t *testing.T, from, to store.Store, o copying.Options) []copying.Tenant {
	t.Helper()
	done, err := copying.Copy(t.Context(), from, to, o)
	if err != nil {
		t.Fatalf("copy: %v", err)
	}
	return done
}

func place(t *testing.T, s store.Store, id uuid.UUID) store.Place {
	t.Helper()
	at, err := s.Place(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func frozen(t *testing.T, s store.Store, id uuid.UUID) string {
	t.Helper()
	why, err := s.Frozen(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return why
}

func TestTenantsAreCopiedInRounds(t *testing.T) {
	t.Parallel()
	for _, from := range slices.Sorted(maps.Keys(stores)) {
		for _, to := range slices.Sorted(maps.Keys(stores)) {
			t.Run(from+" to "+to, func(t *testing.T) {
				t.Parallel()
				inRounds(t, stores[from](t), stores[to](t))
			})
		}
	}
}

func inRounds(t *testing.T, from, to store.Store) {
	t.Helper()
	a, b := storetest.Author{Seed: 1, Many: 40}, storetest.Author{Seed: 2, Many: 3000}
	first, second := written(t, from, a, 120), written(t, from, b, 200)
	saved(t, from, first, 100, "the snapshot of commit 100")
	for _, name := range []string{"a", store.FormatSecret} {
		if _, err := from.Secret(t.Context(), name, func() ([]byte, error) { return []byte("sealed"), nil }); err != nil {
			t.Fatal(err)
		}
	}
	for id, name := range map[uuid.UUID]string{first: "domain:contoso.com", uuid.Nil: "claims: complete"} {
		if _, err := from.Settle(t.Context(), id, []string{name}, nil); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second time there is nothing to do
		mustCopy(t, from, to, quiet)
		for _, id := range []uuid.UUID{first, second} {
			if place(t, to, id).Seq != 0 || frozen(t, from, id) != "" {
				t.Errorf("tenant %s is known in the target, or frozen", id)
			}
		}
	}
	write(t, from, a, first, 30)
	write(t, from, b, second, 30)
	saved(t, from, first, 110, "the snapshot of commit 110")
	done := mustCopy(t, from, to, finishing())
	if len(done) != 2 || !done[0].Finished || done[0].Seq != 150 || done[0].Commits != 30 {
		t.Errorf("the second copy has done %+v", done)
	}
	a.Want(t, to, first)
	b.Want(t, to, second)
	wantMoved(t, from, to, first, second)
	again := mustCopy(t, from, to, finishing())
	if len(again) != 2 || !again[1].Finished || again[1].Commits != 0 {
		t.Errorf("copied again: %+v", again)
	}
	write(t, to, b, second, 5)
	b.Want(t, to, second)
	mustCopy(t, from, to, finishing()) // the target is used by now
}

// wantMoved wants the source to be frozen, and what belongs to a tenant besides its log to be in
// the target.
func wantMoved(t *testing.T, from, to store.Store, first, second uuid.UUID) {
	t.Helper()
	for _, id := range []uuid.UUID{first, second} {
		if why := frozen(t, from, id); why != "it was moved to db2/licensor" {
			t.Errorf("the source is frozen because %q", why)
		}
		here, there := place(t, from, id), place(t, to, id)
		if here.Seq != there.Seq || here.Chain != there.Chain {
			t.Errorf("the logs end at %+v and at %+v", here, there)
		}
	}
	_, err := storetest.Author{Seed: 2, Many: 3000}.Write(t.Context(), from, second, 1)
	if !errors.Is(err, store.ErrFrozen) {
		t.Errorf("a change of the source answers %v", err)
	}
	list, err := to.Manifests(t.Context(), first)
	if err != nil || len(list) != 1 || list[0].Seq != 110 {
		t.Fatalf("the snapshots are %+v, %v", list, err)
	}
	parts, err := to.Parts(t.Context(), first, []string{list[0].Head, list[0].Parts[0]})
	if err != nil || string(parts[0].Data) != "the snapshot of commit 110" || string(parts[1].Data) != "some users" {
		t.Errorf("its parts are %s, %v", parts, err)
	}
	floors, err := to.Floors(t.Context(), first)
	if err != nil || floors != (store.Floors{Log: 101, Moved: 150}) {
		t.Errorf("the floors are %+v, %v", floors, err)
	}
	claims, err := to.Claimed(t.Context(), []string{"domain:contoso.com", "claims: complete"})
	if err != nil || len(claims) != 2 {
		t.Errorf("the claims are %v, %v", claims, err)
	}
	names, err := to.SecretNames(t.Context())
	if err != nil || !slices.Equal(names, []string{"a"}) {
		t.Errorf("the secrets are %v, %v", names, err)
	}
}

// A copy is killed again and again at any operation, with others writing in between: it continues
// where it was, and the tenant never accepts changes in two places.
func TestACopyThatIsKilledAgainAndAgain(t *testing.T) {
	t.Parallel()
	here, there := memory.New(), memory.New()
	a := storetest.Author{Seed: 3, Many: 300}
	from := here.Open()
	id := written(t, from, a, 400)
	saved(t, from, id, 50, "a snapshot")
	killed := errors.New("killed")
	for kills := 0; ; kills++ {
		at := int64(1 + kills/2)
		var n atomic.Int64
		kill := func(string, uuid.UUID) error {
			if n.Add(1) >= at { // all that comes later fails, too
				return killed
			}
			return nil
		}
		source := &storetest.Hooked{Store: here.Open(), Before: kill}
		target := &storetest.Hooked{Store: there.Open(), Before: kill}
		done, err := copying.Copy(t.Context(), source, target, finishing())
		if err == nil {
			if kills < 20 || !done[0].Finished {
				t.Errorf("killed %d times it has done %+v", kills, done)
			}
			break
		}
		if !errors.Is(err, killed) {
			t.Fatalf("killed at operation %d it answers %v", at, err)
		}
		known, err := there.Open().Place(t.Context(), id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
		why := frozen(t, from, id)
		if known.Seq > 0 && why != "it was moved to db2/licensor" {
			t.Fatalf("killed at operation %d, the target is known, and the source frozen because %q", at, why)
		}
		if why == "" {
			write(t, from, a, id, 7)
		}
	}
	if seq := a.Want(t, there.Open(), id); seq != place(t, from, id).Seq {
		t.Errorf("the target ends at commit %d", seq)
	}
}

// A finish that fails lets the source accept changes again, unless it was marked as moved.
func TestAFinishThatFailsUnfreezes(t *testing.T) {
	t.Parallel()
	broken := errors.New("the line is broken")
	for _, operation := range []string{"View", "Settle", "ReplaceSecret", "Publish"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			from, to := memory.New().Open(), memory.New().Open()
			a := storetest.Author{Seed: 4, Many: 30}
			id := written(t, from, a, 50)
			if _, err := from.Secret(t.Context(), "a", func() ([]byte, error) { return []byte("x"), nil }); err != nil {
				t.Fatal(err)
			}
			line := &storetest.Hooked{Store: to, Before: func(name string, _ uuid.UUID) error {
				if name == operation && frozen(t, from, id) != "" {
					return broken
				}
				return nil
			}}
			if _, err := copying.Copy(t.Context(), from, line, finishing()); !errors.Is(err, broken) {
				t.Fatalf("it answers %v", err)
			}
			if operation == "Publish" {
				if why := frozen(t, from, id); why != "it was moved to db2/licensor" {
					t.Errorf("the source is frozen because %q", why)
				}
				_, err := copying.Unfreeze(t.Context(), from, nil, false)
				wantError(t, err, id.String(), "changes in two places")
			} else {
				if why := frozen(t, from, id); why != "" {
					t.Errorf("the source is frozen because %q", why)
				}
				write(t, from, a, id, 3)
			}
			mustCopy(t, from, to, finishing())
			a.Want(t, to, id)
		})
	}
}

// Writers never stop: what was acknowledged is in the target when the copy is finished.
func TestWritersDoNotStopForACopy(t *testing.T) {
	t.Parallel()
	for _, name := range slices.Sorted(maps.Keys(stores)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to := stores[name](t), memory.New().Open()
			a := storetest.Author{Seed: 5, Many: 500}
			const before = 300
			id := written(t, from, a, before)
			ctx, stop := context.WithCancel(t.Context())
			var acknowledged atomic.Uint64
			acknowledged.Store(before) // on a busy machine there may be no more until the source is frozen
			var writing sync.WaitGroup
			writing.Go(func() {
				for ctx.Err() == nil {
					at, err := a.Write(t.Context(), from, id, 1)
					if errors.Is(err, store.ErrFrozen) {
						return
					} else if err != nil {
						t.Error(err)
						return
					}
					acknowledged.Store(at.Seq)
				}
			})
			mustCopy(t, from, to, quiet)
			done := mustCopy(t, from, to, finishing())
			stop()
			writing.Wait()
			if seq := a.Want(t, to, id); seq != acknowledged.Load() || seq != done[0].Seq {
				t.Errorf("the target ends at commit %d, the copy at %d, and %d was acknowledged", seq, done[0].Seq, acknowledged.Load())
			}
		})
	}
}

func TestATargetWithOtherContentIsRefused(t *testing.T) {
	t.Parallel()
	a, b := storetest.Author{Seed: 6, Many: 10}, storetest.Author{Seed: 7, Many: 10}
	for name, other := range map[string]func(to store.Store, id uuid.UUID) error{
		"another tenant": func(to store.Store, _ uuid.UUID) error {
			id := uuid.New()
			err := to.CreateTenant(t.Context(), id)
			_, e := b.Write(t.Context(), to, id, 3)
			return errors.Join(err, e)
		},
		"the tenant, in use": func(to store.Store, id uuid.UUID) error {
			err := to.CreateTenant(t.Context(), id)
			_, e := a.Write(t.Context(), to, id, 20)
			return errors.Join(err, e)
		},
		"the tenant, with another log": func(to store.Store, id uuid.UUID) error {
			commits, rows := b.At(10)
			return errors.Join(to.CreateTenant(t.Context(), id), to.Fill(t.Context(), id, commits, rows))
		},
		"the tenant, with a longer log": func(to store.Store, id uuid.UUID) error {
			commits, rows := a.At(30)
			return errors.Join(to.CreateTenant(t.Context(), id), to.Fill(t.Context(), id, commits, rows))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to := memory.New().Open(), memory.New().Open()
			id := written(t, from, a, 20)
			if err := other(to, id); err != nil {
				t.Fatal(err)
			}
			_, err := copying.Copy(t.Context(), from, to, finishing())
			wantError(t, err, "other content")
			if why := frozen(t, from, id); why != "" {
				t.Errorf("the source is frozen because %q", why)
			}
		})
	}
}

// A tenant that was moved is not moved a second time, to another place.
func TestATenantMovesOnce(t *testing.T) {
	t.Parallel()
	from, to := memory.New().Open(), memory.New().Open()
	a := storetest.Author{Seed: 8, Many: 10}
	id := written(t, from, a, 20)
	mustCopy(t, from, to, finishing())
	o := finishing()
	o.To = "db3/licensor"
	_, err := copying.Copy(t.Context(), from, memory.New().Open(), o)
	wantError(t, err, "it was moved to db2/licensor", "db3/licensor")
	thawed, err := copying.Unfreeze(t.Context(), from, []uuid.UUID{id}, true)
	if err != nil || !slices.Equal(thawed, []uuid.UUID{id}) {
		t.Errorf("with force %v are unfrozen, %v", thawed, err)
	}
	write(t, from, a, id, 1)
	_, err = copying.Copy(t.Context(), from, to, finishing())
	wantError(t, err, "other content")
}

// What the source has removed of its log before the next round cannot be copied later.
func TestALogThatWasTrimmedMeanwhileIsCopiedAgain(t *testing.T) {
	t.Parallel()
	from, to := memory.New().Open(), memory.New().Open()
	a := storetest.Author{Seed: 9, Many: 30}
	id := written(t, from, a, 40)
	mustCopy(t, from, to, quiet)
	write(t, from, a, id, 40)
	saved(t, from, id, 60, "the snapshot of commit 60")
	mustCopy(t, from, to, finishing())
	a.Want(t, to, id)
	floors, err := to.Floors(t.Context(), id)
	if err != nil || floors.Log != 61 {
		t.Errorf("the floors are %+v, %v", floors, err)
	}
}

// A target that loses or changes what it was given is found before it is published.
func TestATargetThatIsWrongIsFound(t *testing.T) {
	t.Parallel()
	a := storetest.Author{Seed: 10, Many: 30}
	for name, wrong := range map[string]func(row store.Object) []store.Object{
		"a row is lost": func(store.Object) []store.Object { return nil },
		"a row is another": func(row store.Object) []store.Object {
			row.Document = []byte(`{"displayName":"another"}`)
			return []store.Object{row}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to := memory.New().Open(), memory.New().Open()
			id := written(t, from, a, 60)
			_, err := copying.Copy(t.Context(), from, &changing{to, wrong}, finishing())
			if err == nil || place(t, to, id).Seq > 0 || frozen(t, from, id) != "" {
				t.Errorf("it answers %v; the target is at %+v, the source frozen because %q", err, place(t, to, id), frozen(t, from, id))
			}
		})
	}
}

// What comes into the target from elsewhere is found when the counts and rows are compared at last.
func TestATargetThatChangesIsFound(t *testing.T) {
	t.Parallel()
	from, to := memory.New().Open(), memory.New().Open()
	a := storetest.Author{Seed: 10, Many: 30}
	id := written(t, from, a, 60)
	views := 0
	line := &storetest.Hooked{Store: to, Before: func(operation string, _ uuid.UUID) error {
		if operation != "View" || frozen(t, from, id) == "" {
			return nil
		}
		if views++; views < 2 { // the first is of the last round
			return nil
		}
		row := store.Object{Kind: store.KindUser, Ordinal: 1000, Document: []byte("{}")}
		return to.Fill(t.Context(), id, nil, []store.Object{row})
	}}
	_, err := copying.Copy(t.Context(), from, line, finishing())
	wantError(t, err, "rows")
	if place(t, to, id).Seq > 0 || frozen(t, from, id) != "" {
		t.Errorf("the target is at %+v, the source frozen because %q", place(t, to, id), frozen(t, from, id))
	}
	mustCopy(t, from, to, finishing())
	a.Want(t, to, id)
}

// changing is a store that changes the first row that is filled in at once.
type changing struct {
	store.Store
	change func(row store.Object) []store.Object
}

func (c *changing) Fill(ctx context.Context, id uuid.UUID, commits []store.Commit, rows []store.Object) error {
	if len(rows) > 0 && !rows[0].Purged {
		rows = append(c.change(rows[0]), rows[1:]...)
	}
	return c.Store.Fill(ctx, id, commits, rows)
}

// Only what differs is copied.
func TestOnlyWhatDiffersIsCopied(t *testing.T) {
	t.Parallel()
	from, to := memory.New().Open(), memory.New().Open()
	a := storetest.Author{Seed: 11, Many: 4000}
	id := written(t, from, a, 1500)
	first := mustCopy(t, from, to, quiet)[0]
	write(t, from, a, id, 10)
	second := mustCopy(t, from, to, quiet)[0]
	if second.Commits != 10 || second.Rows == 0 || second.Rows > 60 || first.Rows < 1000 {
		t.Errorf("the first copy has done %+v, the second %+v", first, second)
	}
	a.Want(t, from, id)
	third := mustCopy(t, from, to, finishing())[0]
	if third.Rows != 0 || fmt.Sprint(third.Chain) != fmt.Sprint(second.Chain) {
		t.Errorf("the third copy has done %+v", third)
	}
	a.Want(t, to, id)
}

func TestTenantsThatDoNotExist(t *testing.T) {
	t.Parallel()
	from, to := memory.New().Open(), memory.New().Open()
	cut := uuid.New()
	if err := from.CreateTenant(t.Context(), cut); err != nil {
		t.Fatal(err)
	}
	for _, id := range []uuid.UUID{uuid.New(), cut} {
		o := quiet
		o.Tenants = []uuid.UUID{id}
		if _, err := copying.Copy(t.Context(), from, to, o); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("copying tenant %s answers %v", id, err)
		}
	}
	if done := mustCopy(t, from, to, quiet); len(done) > 0 {
		t.Errorf("copied: %+v", done)
	}
}
