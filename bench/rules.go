package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// ruleCount is the number of dynamic groups of the tenant with rules.
const ruleCount = 100

// changes is how many single changes are measured together.
const changes = 1000

// measureRules measures a tenant whose members follow rules together with one without rules.
func measureRules(ctx context.Context, users, rounds int) error {
	dir, err := os.MkdirTemp("", "licensor-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Printf("%d users, %d dynamic groups\n", users, ruleCount)
	w := newWorld(users)
	without, plain, err := openRuled(ctx, filepath.Join(dir, "without.db"), w, 0)
	if err != nil {
		return err
	}
	with, ruled, err := openRuled(ctx, filepath.Join(dir, "with.db"), w, ruleCount)
	if err != nil {
		return err
	}
	report(fmt.Sprintf("import users, %d rules", ruleCount), "%s, without rules %s: %.2f times as long",
		ruled.Round(time.Millisecond), plain.Round(time.Millisecond), float64(ruled)/float64(plain))
	if err := compareMoves(ctx, with, without, rounds); err != nil {
		return err
	}
	if err := measureNewRule(ctx, with, rounds); err != nil {
		return err
	}
	if err := measureWait(ctx, with); err != nil {
		return err
	}
	fmt.Println()
	return errors.Join(with.close(ctx), without.close(ctx))
}

// openRuled adds a tenant with dynamic groups, imports the users, and returns how long the import
// took.
func openRuled(ctx context.Context, path string, w world, rules int) (*ours, time.Duration, error) {
	o, err := openOurs(ctx, path, world{catalog: w.catalog})
	if err != nil {
		return nil, 0, err
	}
	for n := range rules {
		if _, err := o.dynamicGroup(ctx, n, ruleText(n)); err != nil {
			return nil, 0, err
		}
	}
	o.world.users = w.users
	start := time.Now()
	if err := o.fill(ctx); err != nil {
		return nil, 0, err
	}
	took := time.Since(start)
	for _, p := range w.products {
		_, err := o.tenant.Do(ctx, "bench", tenant.CreateSubscription{SKUID: p.SKUID, TotalLicenses: w.users})
		if err != nil {
			return nil, 0, err
		}
	}
	o.world.products = w.products
	return o, took, nil
}

// ruleText returns a rule: most are over the department, some over others.
func ruleText(n int) string {
	switch n % 10 {
	case 7:
		return fmt.Sprintf(`user.jobTitle -startsWith "Title %d" -and user.accountEnabled -eq true`, n)
	case 8:
		return fmt.Sprintf(`user.displayName -match "%d$"`, n)
	case 9:
		return fmt.Sprintf(`user.userPrincipalName -contains "%[1]d@" -or user.department -in ["Department %[1]d"]`, n)
	}
	return fmt.Sprintf(`user.department -eq "Department %d"`, n)
}

func (o *ours) dynamicGroup(ctx context.Context, n int, rule string) (tenant.Done, error) {
	return o.newGroup(ctx, fmt.Sprintf(
		`{"displayName":"Rule %[1]d","mailEnabled":false,"mailNickname":"rule%[1]d","securityEnabled":true,`+
			`"groupTypes":["DynamicMembership"],"membershipRule":%[2]q}`, n, rule))
}

func (o *ours) newGroup(ctx context.Context, body string) (tenant.Done, error) {
	members, err := directory.Members([]byte(body))
	if err != nil {
		return tenant.Done{}, err
	}
	patch, err := directory.ParseGroupPatch(members)
	if err != nil {
		return tenant.Done{}, err
	}
	return o.tenant.Do(ctx, "bench", tenant.CreateGroup{Patch: patch})
}

// compareMoves measures changes of the departments of single users, who leave a group and join
// another, in both tenants in turn.
func compareMoves(ctx context.Context, with, without *ours, rounds int) error {
	var mine, usual series
	for round := range rounds {
		for _, one := range []struct {
			of *ours
			to *series
		}{{without, &usual}, {with, &mine}} {
			start := time.Now()
			for i := range changes {
				if err := one.of.move(ctx, i, round+1); err != nil {
					return err
				}
			}
			one.to.add(time.Since(start) / changes)
		}
	}
	report("change a department", "%s, without rules %s: %.2f times as long",
		mine.median(), usual.median(), mine.ratio(usual))
	return nil
}

// move gives a user another department.
func (o *ours) move(ctx context.Context, user, by int) error {
	user %= o.world.users
	members, err := directory.Members(fmt.Appendf(nil, `{"department":"Department %d"}`, (user+by*10)%ruleCount))
	if err != nil {
		return err
	}
	patch, err := directory.ParseUserPatch(members)
	if err != nil {
		return err
	}
	_, err = o.tenant.Do(ctx, "bench", tenant.UpdateUser{User: uint32(user), Patch: patch})
	return err
}

// measureNewRule measures a group of all users with licenses: by a rule, and by adding some of them
// one by one.
func measureNewRule(ctx context.Context, o *ours, rounds int) error {
	var whole, single series
	assign := []licensing.Assign{{SKUID: o.world.products[0].SKUID}}
	for range rounds {
		start := time.Now()
		group, err := o.dynamicGroup(ctx, ruleCount, "user.objectId -ne null")
		if err != nil {
			return err
		}
		done, err := o.tenant.Do(ctx, "bench", tenant.AssignGroup{Group: group.Ordinal, Add: assign})
		if err != nil {
			return err
		}
		whole.add(time.Since(start))
		if n := done.Image.Licensing.Holders(assign[0].SKUID).GetCardinality(); int(n) != o.world.users {
			return fmt.Errorf("%d of %d users have the license of a group of all", n, o.world.users)
		}
		if err := o.remove(ctx, group.Ordinal); err != nil {
			return err
		}
		took, err := o.addOneByOne(ctx, assign)
		if err != nil {
			return err
		}
		single.add(took)
	}
	report("license all users by a new rule", "%s; %d members one by one %s, all of them %s", whole.median(), changes,
		single.median(), (single.median() / changes * time.Duration(o.world.users)).Round(time.Second))
	return nil
}

// addOneByOne measures adding members to a group with a license.
func (o *ours) addOneByOne(ctx context.Context, assign []licensing.Assign) (time.Duration, error) {
	group, err := o.newGroup(ctx,
		`{"displayName":"One by one","mailEnabled":false,"mailNickname":"one","securityEnabled":true}`)
	if err != nil {
		return 0, err
	}
	if _, err := o.tenant.Do(ctx, "bench", tenant.AssignGroup{Group: group.Ordinal, Add: assign}); err != nil {
		return 0, err
	}
	start := time.Now()
	for i := range min(changes, o.world.users) {
		_, err := o.tenant.Do(ctx, "bench", tenant.AddMembers{Group: group.Ordinal, Members: []uuid.UUID{id('u', i)}})
		if err != nil {
			return 0, err
		}
	}
	return time.Since(start), o.remove(ctx, group.Ordinal)
}

// remove deletes a group and its license.
func (o *ours) remove(ctx context.Context, group uint32) error {
	_, err := o.tenant.Do(ctx, "bench", tenant.AssignGroup{Group: group, Remove: []uuid.UUID{o.world.products[0].SKUID}})
	if err == nil {
		_, err = o.tenant.Do(ctx, "bench", tenant.DeleteGroup{Group: group})
	}
	return err
}

// measureWait measures how long other changes wait while a rule is set whose evaluation takes long.
func measureWait(ctx context.Context, o *ours) error {
	var alone time.Duration
	for i := range changes {
		took, err := o.timeMove(ctx, i, 7)
		if err != nil {
			return err
		}
		alone = max(alone, took)
	}
	set := make(chan error, 1)
	start := time.Now()
	go func() {
		_, err := o.dynamicGroup(ctx, ruleCount+1, `user.objectId -match "77$"`)
		set <- err
	}()
	var most time.Duration
	for i := 0; ; i++ {
		select {
		case err := <-set:
			report("wait while a rule is set", "at most %s in %s, without %s", most.Round(10*time.Microsecond),
				time.Since(start).Round(time.Millisecond), alone.Round(10*time.Microsecond))
			return err
		default:
		}
		took, err := o.timeMove(ctx, i, 8)
		if err != nil {
			return err
		}
		most = max(most, took)
	}
}

func (o *ours) timeMove(ctx context.Context, user, by int) (time.Duration, error) {
	start := time.Now()
	err := o.move(ctx, user, by)
	return time.Since(start), err
}
