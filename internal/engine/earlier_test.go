package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"licensor/internal/engine"
	"licensor/internal/store"
	"licensor/internal/store/memory"
	"licensor/internal/tenant"
)

// TestAnyEarlierImageIsWhatItWas plays random commands over days, with restarts, snapshots and
// trimming in between, and keeps the content of some images aside. What is read as of their times
// must be equal, or no longer kept, and then nothing earlier is.
func TestAnyEarlierImageIsWhatItWas(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		h := newHouseInMemory(t, rapid.SampledFrom([]int{1, 400, 1 << 30}).Draw(rt, "snapshot after"))
		defer h.close()
		h.must(tenant.CreateSubscription{SKUID: e3, TotalLicenses: 2})
		p := &player{house: h, t: rt}
		aside := map[time.Time]string{}
		for range rapid.IntRange(1, 40).Draw(rt, "commands") {
			switch rapid.IntRange(0, 9).Draw(rt, "between") {
			case 0:
				p.restart(false)
			case 1, 2:
				h.clock.Add(int64(rapid.IntRange(1, 20*24).Draw(rt, "hours")) * 3600)
			case 3:
				keep := time.Duration(rapid.IntRange(1, 40).Draw(rt, "days")) * day
				if _, err := h.tenants.Trim(t.Context(), h.ID(), engine.Trimming{Keep: keep}); err != nil {
					rt.Fatal(err)
				}
			default:
				p.step()
			}
			aside[h.Image().At] = content(t, h.Image())
		}
		for at, want := range aside {
			if got, err := contentAt(h, at); err == nil && got != want {
				rt.Fatalf("as of %s: %s", at, firstDifference(got, want))
			}
		}
		p.restart(false) // afterwards, no snapshot is being taken
		aside[h.Image().At] = content(t, h.Image())
		var since, oldest time.Time
		for at, want := range aside {
			got, err := contentAt(h, at)
			if notKept := new(engine.NotKeptError); errors.As(err, &notKept) {
				since = notKept.Since
				if !since.IsZero() && !at.Before(since) {
					rt.Fatalf("%s is not kept, though all since %s is said to be", at, since)
				}
				continue
			}
			if err != nil || got != want {
				rt.Fatalf("as of %s, %v: %s", at, err, firstDifference(got, want))
			}
			if oldest.IsZero() || at.Before(oldest) {
				oldest = at
			}
		}
		if !since.IsZero() && oldest.Before(since) {
			rt.Fatalf("%s is kept, though nothing before %s is said to be", oldest, since)
		}
	})
}

// firstDifference shows where two texts differ.
func firstDifference(got, want string) string {
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	around := func(s string) string { return s[max(0, at-100):min(len(s), at+200)] }
	return fmt.Sprintf("at byte %d of %d\n%s\nwant at byte %[1]d of %[4]d\n%s",
		at, len(got), around(got), len(want), around(want))
}

func contentAt(h *house, at time.Time) (string, error) {
	img, release, err := h.ImageAt(h.tb.Context(), at)
	if err != nil {
		return "", err
	}
	defer release()
	return content(h.tb, img), nil
}

// TestOneSnapshotADayIsKept for as many days as the options say, so that as many days are known
// after the log was trimmed.
func TestOneSnapshotADayIsKept(t *testing.T) {
	t.Parallel()
	s := memory.New().Open()
	e := newEstate(t, s, 1, 0)
	id := e.ids[0]
	for i := range 50 {
		e.pass(day)
		if err := e.add(id, fmt.Sprint("u", i)); err != nil {
			t.Fatal(err)
		}
		waitForSnapshot(t, s, id, time.Unix(e.clock.Load(), 0))
	}
	one, err := e.Tenant(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Release()
	now := one.Image().At
	e.trim(id, engine.Trimming{Keep: 40*day + time.Hour})
	list, err := s.Manifests(t.Context(), id)
	if err != nil || len(list) != engine.UsualKeepDays+1 { // and the newest
		t.Errorf("%d snapshots are kept, %v", len(list), err)
	}
	for back := range engine.UsualKeepDays {
		at := now.Add(-time.Duration(back)*day + time.Hour)
		img, release, err := one.ImageAt(t.Context(), at)
		if err != nil {
			t.Fatalf("%d days ago: %v", back, err)
		}
		if img.At.After(at) || at.Sub(img.At) >= day || int(img.Directory.Users()) != 50-back {
			t.Errorf("%d days ago there were %d users, as of %s", back, img.Directory.Users(), img.At)
		}
		release()
	}
	_, _, err = one.ImageAt(t.Context(), now.Add(-45*day))
	notKept := new(engine.NotKeptError)
	if !errors.As(err, &notKept) || notKept.Since.Before(now.Add(-31*day)) || notKept.Since.After(now.Add(-29*day)) {
		t.Errorf("45 days ago: %v", err)
	}
}

// TestALogIsTrimmedWhileAnEarlierImageIsLookedFor: an image of a later time is never the answer.
func TestALogIsTrimmedWhileAnEarlierImageIsLookedFor(t *testing.T) {
	t.Parallel()
	world := memory.New()
	writer, id := trimmedEstate(t, world.Open(), 0)
	for i := range 12 {
		writer.pass(day)
		if err := writer.add(id, fmt.Sprint("u", i)); err != nil {
			t.Fatal(err)
		}
		waitForSnapshot(t, world.Open(), id, time.Unix(writer.clock.Load(), 0))
	}
	o := &overtaken{Store: world.Open()}
	o.between = func() { writer.trim(id, engine.Trimming{Keep: 3 * day, Load: true}) }
	reader := newEstate(t, o, 0, 0)
	reader.clock.Store(writer.clock.Load())
	one, err := reader.Tenant(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Release()
	before := firstCommit(t, o, id)
	at := one.Image().At.Add(-6 * day)
	o.times = 1
	img, release, err := one.ImageAt(t.Context(), at)
	if err == nil {
		defer release()
		if img.At.After(at) {
			t.Errorf("the image of %s is of %s", at, img.At)
		}
	} else if !errors.As(err, new(*engine.NotKeptError)) {
		t.Error(err)
	}
	if after := firstCommit(t, o, id); after <= before {
		t.Errorf("the log was not trimmed: it begins with commit %d, and has begun with %d", after, before)
	}
}

// heldSweeps is a store that sweeps, at the end of a snapshot, only when the test lets it.
type heldSweeps struct {
	store.Store
	begun, proceed chan struct{}
}

func (h *heldSweeps) Sweep(ctx context.Context, id uuid.UUID, before time.Time) (int, error) {
	select {
	case h.begun <- struct{}{}:
	default:
	}
	<-h.proceed
	return h.Store.Sweep(ctx, id, before)
}

// TestADayThatBeginsDuringASnapshotHasOne even if nothing is changed later that day.
func TestADayThatBeginsDuringASnapshotHasOne(t *testing.T) {
	t.Parallel()
	s := &heldSweeps{memory.New().Open(), make(chan struct{}, 1), make(chan struct{})}
	e := newEstate(t, s, 1, 0)
	id := e.ids[0]
	for i := range 2 {
		e.pass(day)
		if err := e.add(id, fmt.Sprint("u", i)); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			<-s.begun // that of the first day
		}
	}
	close(s.proceed)
	waitForSnapshot(t, s, id, time.Unix(e.clock.Load(), 0))
}

// waitForSnapshot waits until there is a snapshot of a day, which is taken in the background.
func waitForSnapshot(t *testing.T, s store.Store, id uuid.UUID, at time.Time) {
	t.Helper()
	today := at.UTC().Format(time.DateOnly)
	for t.Context().Err() == nil {
		list, err := s.Manifests(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(list, func(m store.Manifest) bool { return m.Name == today }) {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// TestEarlierImagesTakeMemoryOfTenants: they are dropped when others need it, and refused if they
// do not fit.
func TestEarlierImagesTakeMemoryOfTenants(t *testing.T) {
	t.Parallel()
	e, id := trimmedEstate(t, memory.New().Open(), 20)
	one, err := e.Tenant(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Release()
	before := e.LoadStats().Bytes
	at := func(days int) time.Time { return one.Image().At.Add(-time.Duration(days) * day) }
	var releases []func()
	for days := 1; days <= 4; days++ {
		_, release, err := one.ImageAt(t.Context(), at(days))
		if err != nil {
			t.Fatal(err)
		}
		releases = append(releases, release)
	}
	if got := e.LoadStats().Bytes; got < before+4*90_000 {
		t.Errorf("with four earlier images, tenants take %d bytes; before %d", got, before)
	}
	if _, _, err := one.ImageAt(t.Context(), at(5)); err == nil {
		t.Error("a fifth one is read while four are in use")
	}
	again, release, err := one.ImageAt(t.Context(), at(2))
	if err != nil || again.Directory.Users() != 18 {
		t.Fatalf("one that is there: %v", err)
	}
	release()
	for _, release := range releases {
		release()
	}
	if _, release, err = one.ImageAt(t.Context(), at(5)); err != nil {
		t.Fatalf("when the others are not used: %v", err)
	}
	release()
}

// TestOneReadingServesAllWhoWait for the same earlier image.
func TestOneReadingServesAllWhoWait(t *testing.T) {
	t.Parallel()
	e, id := trimmedEstate(t, memory.New().Open(), 10)
	one, err := e.Tenant(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Release()
	at := one.Image().At.Add(-3 * day)
	images := make([]*tenant.Image, 8)
	var wait sync.WaitGroup
	for i := range images {
		wait.Go(func() {
			img, release, err := one.ImageAt(context.Background(), at)
			if err != nil {
				t.Error(err)
				return
			}
			images[i] = img
			release()
		})
	}
	wait.Wait()
	for _, img := range images {
		if img != images[0] {
			t.Error("the image was read several times")
		}
	}
}
