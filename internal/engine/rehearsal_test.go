package engine_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"licensor/internal/engine"
	"licensor/internal/tenant"
)

// numberedIDs returns a source of ids that is the same each time.
func numberedIDs(begin uint64) func() uuid.UUID {
	return func() (id uuid.UUID) {
		begin++
		id[0] = 0xee
		binary.BigEndian.PutUint64(id[8:], begin)
		return id
	}
}

// together executes random commands as one commit, and compares the image with that of a rehearsal.
func (p *player) together() {
	p.clock.Add(int64(rapid.IntRange(0, 2).Draw(p.t, "seconds")))
	begin := p.Image()
	var commands []tenant.Command
	for range rapid.IntRange(1, 5).Draw(p.t, "commands together") {
		commands = append(commands, p.command())
	}
	var befores []*tenant.Image
	var results []tenant.Done
	var errs []error
	do := func(ctx context.Context, r *engine.Rehearsal) error {
		befores, results, errs = nil, nil, nil
		r.NewIDs(numberedIDs(begin.Seq * 1000))
		for _, cmd := range commands {
			befores = append(befores, r.Image())
			done, err := r.DoBy(ctx, tenant.By{}, cmd)
			results, errs = append(results, done), append(errs, err)
		}
		return nil
	}
	by := tenant.By{Actor: "user test"}
	before, rehearsed, err := p.Rehearse(p.tb.Context(), by, do)
	if err != nil || before != begin || p.Image() != begin {
		p.t.Fatalf("the rehearsal of %d commands: %v", len(commands), err)
	}
	shown := *rehearsed
	done, err := p.Together(p.tb.Context(), by, do)
	if err != nil {
		p.t.Fatalf("%d commands together: %v", len(commands), err)
	}
	img := p.Image()
	if done.Changed != (img != begin) || done.Changed && img.Seq != begin.Seq+1 {
		p.t.Fatalf("%d commands together made commit %d of %d, changed: %t", len(commands), img.Seq, begin.Seq, done.Changed)
	}
	shown.Chain = img.Chain
	if list := shown.Differences(img); done.Changed && len(list) > 0 {
		p.t.Fatalf("after a rehearsal the image is different: %v", list)
	}
	for i, cmd := range commands {
		p.t.Logf("together %d: %T %+v: %v", i, cmd, cmd, errs[i])
		if errs[i] == nil {
			p.followUnits(cmd, results[i], befores[i])
		}
	}
}

func TestARehearsalOfRowsThatOthersChangeBeginsAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1<<30)
	defer h.close()
	user := h.must(tenant.CreateUser{Patch: userPatch(t, "%s", userBody(1))})
	times := 0
	update := tenant.UpdateUser{User: user.Ordinal, Patch: userPatch(t, `{"department":"Rehearsed"}`)}
	by := tenant.By{Actor: "user test"}
	before, after, err := h.Rehearse(t.Context(), by, func(ctx context.Context, r *engine.Rehearsal) error {
		if times++; times <= 3 {
			h.must(tenant.UpdateUser{User: user.Ordinal, Patch: userPatch(t, `{"jobTitle":"Number %d"}`, times)})
		}
		_, err := r.DoBy(ctx, by, update)
		return err
	})
	if err != nil || times != 4 || before != h.Image() || after == before {
		t.Fatalf("rehearsed %d times: %v", times, err)
	}
	times = -1000
	_, _, err = h.Rehearse(t.Context(), by, func(ctx context.Context, r *engine.Rehearsal) error {
		times++
		h.must(tenant.UpdateUser{User: user.Ordinal, Patch: userPatch(t, `{"jobTitle":"Number %d"}`, times)})
		_, err := r.DoBy(ctx, by, update)
		return err
	})
	if p, ok := errors.AsType[*tenant.CommandError](err); !ok || p.Kind != tenant.ProblemUnavailable {
		t.Errorf("rehearsed while others change the user all the time: %v", err)
	}
}

// setBoth sets two properties of a user by two commands together, and checks that they were equal.
func (h *house) setBoth(t *testing.T, user uint32, value string) error {
	_, err := h.Together(t.Context(), tenant.By{Actor: "user test"}, func(ctx context.Context, r *engine.Rehearsal) error {
		u, err := r.User(ctx, r.Image(), user)
		if err != nil {
			return err
		}
		if u.Department != u.JobTitle {
			t.Errorf("the department is %s, the title %s", u.Department, u.JobTitle)
		}
		for _, name := range []string{"department", "jobTitle"} {
			patch := userPatch(t, `{%q:%q}`, name, value)
			if _, err := r.DoBy(ctx, tenant.By{}, tenant.UpdateUser{User: user, Patch: patch}); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// TestCommandsTogetherWhileOthersWrite makes commits of two commands each, from several callers at
// once: none may see half of another, and each is one commit.
func TestCommandsTogetherWhileOthersWrite(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1<<30)
	defer h.close()
	user := h.must(tenant.CreateUser{Patch: userPatch(t, "%s", userBody(1))})
	h.must(tenant.UpdateUser{User: user.Ordinal, Patch: userPatch(t, `{"department":"None","jobTitle":"None"}`)})
	begin := h.Image().Seq
	const callers, each = 4, 20
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for i := range each {
				if err := h.setBoth(t, user.Ordinal, fmt.Sprintf("Caller %d, %d", caller, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if got := h.Image().Seq - begin; got != callers*each {
		t.Errorf("%d commits, want %d", got, callers*each)
	}
	img := h.Image()
	refused := errors.New("refused")
	_, err := h.Together(t.Context(), tenant.By{Actor: "user test"}, func(ctx context.Context, r *engine.Rehearsal) error {
		if _, err := r.DoBy(ctx, tenant.By{}, tenant.DeleteUser{User: user.Ordinal}); err != nil {
			return err
		}
		return refused
	})
	if !errors.Is(err, refused) || h.Image() != img {
		t.Errorf("commands of which one is refused: %v", err)
	}
	h.reopen()
	if got := h.Image().Seq - begin; got != callers*each {
		t.Errorf("%d commits after a restart, want %d", got, callers*each)
	}
}
