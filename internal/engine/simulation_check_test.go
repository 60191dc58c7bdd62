package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/engine"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// check checks everything that must always hold.
func (s *simulation) check() {
	s.tb.Helper()
	s.must(newGroup(s.tb, "checked")) // appends that arrived late are in the image now
	s.checkReprocessing()
	s.checkReplay()
	s.checkAnswers(s.checkChain())
	s.checkSeats(s.Image())
	s.checkRows()
	for _, wrong := range s.line.Wrong() {
		s.tb.Error(wrong)
	}
	if s.tb.Failed() {
		s.tb.FailNow()
	}
}

// log returns all commits, those that were removed from the archive.
func (s *simulation) log() (log []store.Commit) {
	s.tb.Helper()
	world := s.world.Open()
	floors, err := world.Floors(context.Background(), s.ID())
	if err != nil {
		s.tb.Fatal(err)
	}
	removed := max(floors.Log, 1) - 1
	for seq := uint64(1); seq <= removed; seq++ {
		c, ok := s.archive[seq]
		if !ok {
			s.tb.Fatalf("commit %d was removed, and is not in the archive", seq)
		}
		log = append(log, c)
	}
	if err := world.Commits(context.Background(), s.ID(), removed, func(c store.Commit) error {
		log = append(log, c)
		return nil
	}); err != nil {
		s.tb.Fatal(err)
	}
	return log
}

// checkChain checks that each commit follows the previous one, and returns the commits.
func (s *simulation) checkChain() []store.Commit {
	s.tb.Helper()
	log := s.log()
	var chain store.Chain
	for i, c := range log {
		if chain = c.Link(chain); c.Chain != chain || c.Seq != uint64(i+1) {
			s.tb.Fatalf("commit %d has chain %x; number %d of the log must have %x", c.Seq, c.Chain, i+1, chain)
		}
	}
	return log
}

// checkAnswers compares what callers were told with the log, where each call has a name of its own.
func (s *simulation) checkAnswers(log []store.Commit) {
	s.tb.Helper()
	of := map[string][]store.Commit{}
	for _, c := range log {
		of[c.Actor] = append(of[c.Actor], c)
	}
	for _, c := range s.calls {
		made := of[c.actor]
		delete(of, c.actor)
		switch {
		case c.err == nil && c.done.Changed:
			img := c.done.Image
			if len(made) != 1 || made[0].Seq != img.Seq || made[0].Chain != img.Chain {
				s.tb.Errorf("%s was told that commit %d, chain %x, came of %T; the log has %v", c.actor, img.Seq, img.Chain, c.cmd, made)
			}
			s.checkSeats(img)
			checkRules(s.tb, img, false)
		case c.err == nil && len(made) > 0:
			s.tb.Errorf("%s was told that nothing came of %T; the log has %v", c.actor, c.cmd, made)
		case c.err != nil && kindOf(c.err) != tenant.ProblemUnknown && len(made) > 0:
			s.tb.Errorf("%s was refused %T with %v; the log has %v", c.actor, c.cmd, c.err, made)
		case len(made) > 1:
			s.tb.Errorf("%s has sent %T once; the log has %v", c.actor, c.cmd, made)
		}
	}
	delete(of, "system")
	for actor, made := range of {
		s.tb.Errorf("%s has sent nothing; the log has %v", actor, made)
	}
}

// checkPublished checks that the published image is that of a commit in the log, and that the rows
// are those of that image if it is the last one.
func (s *simulation) checkPublished() {
	s.tb.Helper()
	img, log := s.Image(), s.log()
	if img.Seq > uint64(len(log)) || log[img.Seq-1].Chain != img.Chain {
		s.tb.Fatalf("the image of commit %d, chain %x, is not in the log", img.Seq, img.Chain)
	}
	checkRules(s.tb, img, false)
	if img.Seq == uint64(len(log)) {
		s.checkRows()
	}
}

// checkReplay checks that the image is the result of all commits.
func (s *simulation) checkReplay() {
	s.tb.Helper()
	options := s.options()
	options.SnapshotAfter = 1 << 30
	all, err := engine.Open(context.Background(), onlyLog{s.world.Open(), s.log()}, options)
	if err != nil {
		s.tb.Fatal(err)
	}
	defer all.Close(context.Background())
	replayed, err := all.Tenant(context.Background(), s.ID())
	if err != nil {
		s.tb.Fatal(err)
	}
	if got, want := content(s.tb, s.Image()), content(s.tb, replayed.Image()); got != want {
		s.tb.Fatalf("the tenant is\n%s\nand all commits give\n%s", got, want)
	}
	if got, want := statesOf(s.Image()), statesOf(replayed.Image()); !slices.Equal(got, want) {
		s.tb.Fatalf("the rules are\n%v\nand all commits give\n%v", got, want)
	}
}

// onlyLog is a store without snapshots, whose log has all commits.
type onlyLog struct {
	store.Store
	log []store.Commit
}

func (o onlyLog) Commits(_ context.Context, _ uuid.UUID, after uint64, yield func(store.Commit) error) error {
	for _, c := range o.log[min(after, uint64(len(o.log))):] {
		if err := yield(c); err != nil {
			return err
		}
	}
	return nil
}

func (onlyLog) Floors(context.Context, uuid.UUID) (store.Floors, error) {
	return store.Floors{Log: 1}, nil
}

func (onlyLog) Manifests(context.Context, uuid.UUID) ([]store.Manifest, error) { return nil, nil }

func (onlyLog) SaveParts(context.Context, uuid.UUID, []store.Part, time.Time) error { return nil }

func (onlyLog) ReplaceManifest(context.Context, uuid.UUID, store.Manifest, time.Time) error {
	return nil
}

// checkSeats counts the holders of each product, who must not be more than the seats (L4).
func (s *simulation) checkSeats(img *tenant.Image) {
	s.tb.Helper()
	held := map[uuid.UUID]int{}
	for user := range img.Directory.Users() {
		for h := range img.Licensing.Held(user) {
			held[h.SKUID]++
		}
	}
	for _, sku := range img.Licensing.SKUs() {
		if held[sku.SKUID] != sku.Consumed || sku.Consumed > sku.Units.Enabled {
			s.tb.Errorf("at commit %d, %d users hold %s, consumedUnits are %d, and %d were bought",
				img.Seq, held[sku.SKUID], sku.SKUID, sku.Consumed, sku.Units.Enabled)
		}
	}
}

// checkReprocessing reprocesses all users, twice. The first time may change only what users have
// through groups (L70), and the members of groups that follow licenses; the second time nothing
// (L72).
func (s *simulation) checkReprocessing() {
	s.tb.Helper()
	before := apartFromGroups(s.Image())
	s.must(tenant.Reprocess{All: true})
	if after := apartFromGroups(s.Image()); after != before && !followsLicenses(s.Image()) {
		s.tb.Errorf("reprocessing everybody has made\n%s\nof\n%s", after, before)
	}
	was := s.Image()
	s.clock.Add(1)
	if again := s.must(tenant.Reprocess{All: true}); again.Changed || s.Image() != was {
		s.tb.Errorf("reprocessing everybody again has changed %+v", again.Report)
	}
}

// apartFromGroups returns all of an image except licenses from groups.
func apartFromGroups(img *tenant.Image) string {
	var b bytes.Buffer
	for i := range img.Directory.Parts() {
		fmt.Fprintf(&b, "%x\n", img.Directory.AppendPart(nil, i))
	}
	fmt.Fprintf(&b, "%v %v %v\n", img.Organization, img.Subscriptions, img.Imports)
	for user := range img.Directory.Users() {
		for state := range img.Licensing.States(user) {
			if state.Direct {
				fmt.Fprintf(&b, "%d: %+v\n", user, state)
			}
		}
	}
	return b.String()
}

// checkRows checks that the rows of users are those of the image.
func (s *simulation) checkRows() {
	s.tb.Helper()
	img := s.Image()
	live := s.live(img, store.KindUser)
	documents, err := s.Users(context.Background(), img, live)
	if err != nil {
		s.tb.Fatal(err)
	}
	for i, u := range documents {
		if user, ok := img.Directory.UserByName(u.UserPrincipalName); !ok || user != live[i] {
			s.tb.Errorf("user %s of row %d is found at %d, %t", u.UserPrincipalName, live[i], user, ok)
		}
	}
	rows, err := s.world.Open().Objects(context.Background(), s.ID(), store.Query{Kind: store.KindUser, After: -1})
	if err != nil {
		s.tb.Fatal(err)
	}
	if !slices.EqualFunc(rows, live, func(row store.Object, user uint32) bool { return row.Ordinal == user }) {
		s.tb.Errorf("%d rows of users are not those of %v", len(rows), live)
	}
}
